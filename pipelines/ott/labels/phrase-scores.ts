import { foldText } from './fold-text.ts'
import { KNOWN_TITLES } from './known-titles.ts'
import { CATEGORIES, type Category, LEXICON } from './lexicon.ts'

// What the words and names in a keyword speak for. A phrase of some length is also found where it was typed without spaces.

/** The weight of a name, and of a word that needs no other support. */
const DECISIVE = 3

/** By the place of a category in CATEGORIES. */
export type Scores = Float64Array

/** Names and decisive words, and words that are only a hint. */
export interface PhraseScores {
  readonly names: Scores
  readonly hints: Scores
}

interface Phrase {
  /** Its place in CATEGORIES. */
  readonly category: number
  readonly weight: number
  readonly words: readonly string[]
  /** With a space on both sides. */
  readonly phrase: string
  readonly joined: string
}

interface Phrases {
  readonly ofOneWord: ReadonlyMap<string, readonly Phrase[]>
  readonly byFirstWords: ReadonlyMap<string, readonly Phrase[]>
  /** Those that may be found without spaces, by their first letters. */
  readonly byBeginning: ReadonlyMap<string, readonly Phrase[]>
}

/** Phrases this long are looked for without their spaces too; shorter ones are in other words by chance. */
const RUN_TOGETHER_LENGTH_MIN = 7
const BEGINNING_LENGTH = 6
/** A name this long is meant wherever it stands; a shorter one is a word like others. */
const NAME_LENGTH_MIN = 8

let phrases: Phrases | undefined

/** What speaks for each category in folded text, and in the same without spaces. */
export function scoresOf(text: string, bare: string): PhraseScores {
  phrases ??= makePhrases()
  const names = new Float64Array(CATEGORIES.length)
  const hints = new Float64Array(CATEGORIES.length)
  const spaced = ` ${text} `
  const words = text.split(' ')
  const counted = new Set<Phrase>()
  let isRunTogether = false
  for (const [at, word] of words.entries()) {
    if (word.length >= RUN_TOGETHER_LENGTH_MIN) isRunTogether = true
    for (const phrase of phrases.ofOneWord.get(word) ?? []) counted.add(phrase)
    if (at + 1 < words.length)
      for (const phrase of phrases.byFirstWords.get(`${word} ${words[at + 1]}`) ?? [])
        if (spaced.includes(phrase.phrase)) counted.add(phrase)
  }
  if (isRunTogether)
    for (let at = 0; at + RUN_TOGETHER_LENGTH_MIN <= bare.length; at += 1)
      for (const phrase of phrases.byBeginning.get(bare.slice(at, at + BEGINNING_LENGTH)) ?? [])
        if (bare.startsWith(phrase.joined, at)) counted.add(phrase)
  // A long phrase says more than a short one of the same weight, and cannot be there by chance.
  for (const { category, weight, phrase } of counted) {
    const scores = weight >= DECISIVE ? names : hints
    scores[category]! += weight * (1 + phrase.length / 20)
  }
  return { names, hints }
}

function makePhrases(): Phrases {
  const all = new Map<string, Phrase>()
  const add = (category: Category, weight: number, text: string) => {
    const phrase = ` ${foldText(text)} `
    const name = `${category}${phrase}`
    if (!all.has(name))
      all.set(name, {
        ...{
          category: CATEGORIES.indexOf(category),
          weight,
          phrase,
          joined: phrase.replaceAll(' ', ''),
        },
        words: phrase.trim().split(' '),
      })
  }
  for (const [category, groups] of Object.entries(LEXICON))
    for (const { weight, words } of groups)
      for (const word of words)
        add(category as Category, weight === 1 ? 0.4 : weight === 2 ? 1 : DECISIVE, word)
  for (const [category, titles] of KNOWN_TITLES)
    for (const title of titles) {
      const length = title.replaceAll(' ', '').length
      if (length >= NAME_LENGTH_MIN) add(category, DECISIVE, title)
      else if (length >= 5) add(category, title.includes(' ') ? 2 : 1.5, title)
    }
  const list = [...all.values()]
  return {
    ofOneWord: Map.groupBy(
      list.filter(({ words }) => words.length === 1),
      ({ words }) => words[0]!,
    ),
    byFirstWords: Map.groupBy(
      list.filter(({ words }) => words.length > 1),
      ({ words }) => `${words[0]} ${words[1]}`,
    ),
    byBeginning: Map.groupBy(
      list.filter(({ joined }) => joined.length >= RUN_TOGETHER_LENGTH_MIN),
      ({ joined }) => joined.slice(0, BEGINNING_LENGTH),
    ),
  }
}
