import type { Category } from './lexicon.ts'
import { KOREAN, ROMAJI } from './marks.ts'
import { type PhraseScores, scoresOf } from './phrase-scores.ts'
import { sinoVietnameseShare } from './sino-vietnamese.ts'
import { type GramLifts, gramLifts } from './title-grams.ts'
import { begunTitle, nearlyBegunTitle, nearTitle } from './title-index.ts'

// What can be said of a keyword that is no known title and has no form that decides: which title it may have been meant for, what its words speak for, and what
// it looks like. `weights.ts` says how much each of these counts.

export interface Evidence {
  /** How a keyword looks, which says something also where no word of it is known. */
  readonly shape: Shape
  /** A known title that it resembles, and in what way. */
  readonly title: { readonly likeness: Likeness; readonly category: Category } | undefined
  readonly phrases: PhraseScores
  readonly grams: GramLifts
  /** From -1, words of daily speech, to 1, all Sino-Vietnamese. */
  readonly sino: number
  readonly traits: readonly Trait[]
}

export type Shape =
  | `${'one' | 'two' | 'three' | 'four' | 'more'} ${'vietnamese' | 'mixed' | 'foreign'}`
  | 'short foreign'

/** `near`: but for a letter or two; `begun`: its beginning, the longer the surer. */
export type Likeness =
  | 'near short'
  | 'near'
  | 'near long'
  | 'begun short'
  | 'begun'
  | 'begun long'
  | 'nearly begun'

export type Trait = 'accents' | 'cut' | 'episode' | 'romaji' | 'korean' | 'asked'

/** One Vietnamese syllable, without accents. */
const SYLLABLE =
  /^(ngh?|nh|th|tr|ch|ph|kh|gh|gi|qu|[bcdghklmnpqrstvx])?(uye|uya|uoi|uou|ieu|yeu|oai|oay|uay|ie|uo|ye|oa|oe|ua|ue|uy|ia|ai|ao|au|ay|eo|eu|iu|oi|ui|uu|oo|[aeiouy])(ch|ng|nh|[cmnpt])?$/
const EPISODE = /\b(tap|ep|episode)( ?(\d+|cuoi))?\b/
const ACCENT = /[^\p{ASCII}]/u
const SIZES = ['one', 'two', 'three', 'four'] as const

export interface FoldedKeyword {
  readonly typed: string
  readonly text: string
  /** Without spaces. */
  readonly bare: string
  /** What is left without the words around a title, as it sounds. */
  readonly sound: string
  /** Something was asked of a device, as in "mở youtube …". */
  readonly isAsked: boolean
}

export function evidenceOf({ typed, text, bare, sound, isAsked }: FoldedKeyword): Evidence {
  const words = text.split(' ')
  const traits: Trait[] = []
  if (ACCENT.test(typed.normalize('NFC'))) traits.push('accents')
  if (words.length > 1 && words.at(-1)!.length === 1) traits.push('cut')
  if (EPISODE.test(text)) traits.push('episode')
  if (words.some((word) => word.length >= 6 && ROMAJI.test(word))) traits.push('romaji')
  if (KOREAN.test(text)) traits.push('korean')
  if (isAsked) traits.push('asked')
  return {
    ...{ shape: shapeOf(words, bare), traits, phrases: scoresOf(text, bare) },
    ...{ title: likeTitle(sound), sino: sinoVietnameseShare(typed), grams: gramLifts(text, bare) },
  }
}

function shapeOf(words: readonly string[], bare: string): Shape {
  const vietnamese = words.filter((word) => SYLLABLE.test(word)).length / words.length
  const tongue = vietnamese === 1 ? 'vietnamese' : vietnamese >= 0.5 ? 'mixed' : 'foreign'
  if (words.length === 1 && tongue === 'foreign' && bare.length <= 5) return 'short foreign'
  return `${SIZES[words.length - 1] ?? 'more'} ${tongue}`
}

function likeTitle(sound: string): Evidence['title'] {
  const as = (likeness: Likeness, category: Category | undefined) =>
    category === undefined ? undefined : { likeness, category }
  const { length } = sound
  return (
    as(length >= 13 ? 'begun long' : 'begun', length >= 7 ? begunTitle(sound) : undefined) ??
    as(length >= 12 ? 'near long' : 'near', length >= 8 ? nearTitle(sound) : undefined) ??
    as('begun short', begunTitle(sound)) ??
    as('near short', nearTitle(sound)) ??
    as('nearly begun', nearlyBegunTitle(sound))
  )
}
