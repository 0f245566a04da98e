import { type Embedder, normalised } from './embedder.ts'

// The built-in embedder: no model, no download, the same vector everywhere and for ever. Words, pairs of words and the trigrams of words are hashed into
// a fixed number of places with a sign, so that what texts share adds up and what they do not cancels out. It finds what is said in like words,
// also misspelled or bent; it does not know that a film and a movie are one thing.

/** Enough that the few hundred features of an overview seldom collide. Changing any of this is a new id. */
const DIMENSIONS = 1_024
const WEIGHTS = { word: 1, pair: 0.5, trigram: 0.25 } as const

/** English words that say nothing about a film. */
const EMPTY = new Set(
  'a about after all also an and any are as at be because been before but by can could did do does for from had has have he her him his how i if in into is it its itself just more most must my no not now of off on one only or other our out over own s she so some such t than that the their them then there these they this those through to too two under until up very was we were what when where which while who whom whose why will with would you your'.split(
    ' ',
  ),
)

/** Deterministic vectors of hashed words and letter trigrams. */
export const hashedNgrams: Embedder = Object.freeze({
  id: `hashed-ngrams/1/${DIMENSIONS}`,
  dimensions: DIMENSIONS,
  embed: async (texts: readonly string[]) => texts.map(vectorOf),
})

function vectorOf(text: string): Float32Array {
  const counts = new Map<string, number>()
  const add = (feature: string, weight: number) =>
    counts.set(feature, (counts.get(feature) ?? 0) + weight)
  const words = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)
  let before: string | undefined
  for (const word of words ?? []) {
    if (EMPTY.has(word)) continue
    add(word, WEIGHTS.word)
    if (before !== undefined) add(`${before} ${word}`, WEIGHTS.pair)
    before = word
    const bounded = `^${word}$`
    for (let at = 0; at + 3 <= bounded.length; at += 1)
      add(`#${bounded.slice(at, at + 3)}`, WEIGHTS.trigram)
  }
  const vector = new Float32Array(DIMENSIONS)
  for (const [feature, count] of counts) {
    const hash = fnv1a(feature)
    // A word said five times is not five times the word.
    vector[(hash >>> 1) % DIMENSIONS]! += (hash & 1 ? 1 : -1) * Math.sqrt(count)
  }
  return normalised(vector)
}

/** FNV-1a over UTF-16 units, 32 bits, with a final mix so that the low bits are as good as the others. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 12)) >>> 0
}
