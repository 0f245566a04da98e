import { KNOWN_TITLES } from './known-titles.ts'
import { CATEGORIES } from './lexicon.ts'

// What the parts of known titles say of a text that is none of them: words and pairs of words, and letters in a row. Titles of a kind are alike: `phong khởi …` is
// Chinese, `… no …` Japanese.

/** For each category by its place in CATEGORIES: above zero where more of its titles than of others have such parts. */
export type Lifts = Float64Array

export interface GramLifts {
  readonly words: Lifts
  readonly letters: Lifts
}

interface TitleGrams {
  readonly words: ReadonlyMap<string, Lifts>
  readonly letters: ReadonlyMap<string, Lifts>
}

const LETTERS_IN_A_ROW = 4
/** How many titles like all others a part is taken to be in beside those it is in: what was seen once says little. */
const SMOOTHING = 1.5

let grams: TitleGrams | undefined

export function gramLifts(text: string, bare: string): GramLifts {
  grams ??= makeGrams()
  return {
    words: sumOf(wordsOf(text), grams.words),
    letters: sumOf(lettersOf(bare), grams.letters),
  }
}

function sumOf(parts: readonly string[], liftsByPart: ReadonlyMap<string, Lifts>): Lifts {
  const sum = new Float64Array(CATEGORIES.length)
  let found = 0
  for (const part of parts) {
    const lifts = liftsByPart.get(part)
    if (lifts === undefined) continue
    found += 1
    for (let at = 0; at < sum.length; at += 1) sum[at]! += lifts[at]!
  }
  // Parts of one text are not independent of each other.
  if (found > 1) for (let at = 0; at < sum.length; at += 1) sum[at]! /= Math.sqrt(found)
  return sum
}

function wordsOf(text: string): readonly string[] {
  const words = text.split(' ')
  const pairs = words.slice(1).map((word, at) => `${words[at]} ${word}`)
  return [...words.filter((word) => word.length > 1), ...pairs]
}

function lettersOf(bare: string): readonly string[] {
  const closed = `^${bare}$`
  const parts: string[] = []
  for (let at = 0; at + LETTERS_IN_A_ROW <= closed.length; at += 1)
    parts.push(closed.slice(at, at + LETTERS_IN_A_ROW))
  return parts
}

function makeGrams(): TitleGrams {
  const words = new Map<string, Uint16Array>()
  const letters = new Map<string, Uint16Array>()
  const shares = new Float64Array(CATEGORIES.length)
  const count = (counts: Map<string, Uint16Array>, part: string, category: number) => {
    let known = counts.get(part)
    if (known === undefined) {
      known = new Uint16Array(CATEGORIES.length)
      counts.set(part, known)
    }
    known[category]! += 1
  }
  let all = 0
  for (const [category, titles] of KNOWN_TITLES) {
    const at = CATEGORIES.indexOf(category)
    shares[at] = titles.length
    all += titles.length
    for (const title of titles) {
      for (const part of new Set(wordsOf(title))) count(words, part, at)
      for (const part of new Set(lettersOf(title.replaceAll(' ', '')))) count(letters, part, at)
    }
  }
  const share = shares.map((titles) => titles / all)
  return { words: liftsOf(words, share), letters: liftsOf(letters, share) }
}

function liftsOf(
  counts: ReadonlyMap<string, Uint16Array>,
  shares: Float64Array,
): ReadonlyMap<string, Lifts> {
  const liftsByPart = new Map<string, Lifts>()
  for (const [part, count] of counts) {
    const total = count.reduce((sum, titles) => sum + titles, 0)
    liftsByPart.set(
      part,
      shares.map((share, at) =>
        share === 0
          ? 0
          : Math.log((count[at]! + SMOOTHING * share) / ((total + SMOOTHING) * share)),
      ),
    )
  }
  return liftsByPart
}
