import { type Evidence, evidenceOf } from './evidence.ts'
import { foldText, soundOf } from './fold-text.ts'
import { CATEGORIES, type Category } from './lexicon.ts'
import { ASKED, COUNTRIES, MARKS, MATCH, YOUTUBE } from './marks.ts'
import { exactTitle } from './title-index.ts'
import {
  LIKENESS_WEIGHTS,
  SHAPE_WEIGHTS,
  SINO_WEIGHTS,
  TRAIT_WEIGHTS,
  WORD_WEIGHTS,
} from './weights.ts'

// The rules of the prompt, without a model: for homes without a key. Text is compared without accents. A title that is known wins, then forms that decide (an
// under-age team, a channel's number, two countries); else what speaks for each category is weighed: a title that was begun or misspelt, words, the look of the whole.

/** What a keyword most probably is about. Deterministic. */
export function classifyKeyword(keyword: string): Category {
  const whole = foldText(keyword)
  if (YOUTUBE.test(whole)) return 'TV Channel'
  const text = whole.replace(ASKED, '')
  const bare = text.replaceAll(' ', '')
  if (bare.length < 2) return 'Other'
  const core = text.replace(BEFORE, '').replace(AFTER, '')
  const sound = soundOf((core.length >= 2 ? core : text).replaceAll(' ', ''))
  const exact = exactTitle(sound)
  if (exact !== undefined) return exact
  for (const [category, mark] of MARKS) if (mark.test(text)) return category
  if (!/\bphim\b/.test(text) && (MATCH.test(text) || new Set(text.match(COUNTRIES)).size >= 2))
    return 'Sports'
  return weighed(evidenceOf({ typed: keyword, text, bare, sound, isAsked: text !== whole }))
}

/** What is said before a title, and after it. */
const BEFORE = /^(phim|xem phim|phim bo|phim le|tron bo) (?=\S{2})/
const AFTER =
  /( (tap|ep|episode|phan|season|ss|mua|part|p|s)( ?\d+| cuoi)?| (thuyet minh|long tieng|vietsub|viet sub|tron bo|full|hd|moi nhat|the series|phim|20[12]\d))+$/

/** Many words for one thing are not many times as much. */
const SCORE_MAX = 9

const bounded = (lift: number) => Math.max(-4, Math.min(6, lift))

/** What somebody wants to watch now is worth more than a film guessed right; so much that the half that was tuned on has nine of ten right. */
const FAVOUR: Partial<Record<Category, number>> = { Sports: 1.2, 'TV Channel': 0.8 }

/** The category that most speaks for; of two alike the first of the list. */
function weighed({ shape, traits, sino, phrases, grams, title }: Evidence): Category {
  let best: Category = 'Other'
  let bestWeight = Number.NEGATIVE_INFINITY
  for (const [at, category] of CATEGORIES.entries()) {
    const { names, hints, words, letters } = WORD_WEIGHTS
    let weight =
      (FAVOUR[category] ?? 0) +
      SHAPE_WEIGHTS[shape][at]! +
      names[at]! * Math.sqrt(Math.min(phrases.names[at]!, SCORE_MAX)) +
      hints[at]! * Math.sqrt(Math.min(phrases.hints[at]!, SCORE_MAX)) +
      words[at]! * bounded(grams.words[at]!) +
      letters[at]! * bounded(grams.letters[at]!) +
      Math.abs(sino) * SINO_WEIGHTS[sino < 0 ? 'daily' : 'sino'][at]!
    for (const trait of traits) weight += TRAIT_WEIGHTS[trait][at]!
    if (title?.category === category) weight += LIKENESS_WEIGHTS[title.likeness]
    if (weight > bestWeight) [best, bestWeight] = [category, weight]
  }
  return best
}
