// Why a title was found, in words that people can check: which words of the question stand in it, as what, and where. Pure.

/** A word of the question that a title has. */
export interface MatchedWord {
  readonly word: string
  /** As the title has it. */
  readonly found: string
  /** The word itself, another form of it, or one that is written alike. */
  readonly how: 'same' | 'form' | 'alike'
  readonly in: readonly string[]
}

/** Words that say nothing about a title; the index leaves them out too. */
const EMPTY = new Set(
  'a an and are as at be but by for from has have he her his how if in into is it its no not of on one or she so such that the their them then there these they this to was were what when where which who will with'.split(
    ' ',
  ),
)
const HOW_RANK = { same: 0, form: 1, alike: 2 } as const
/** Share of trigrams that two words must have in common to be written alike: one letter of eight may differ. */
const ALIKE_MIN = 0.5

/** Which words of a question stand in which fields of a title, and which in none. */
export function matchedWords(
  question: string,
  fields: Readonly<Record<string, string>>,
): { readonly words: MatchedWord[]; readonly missing: string[] } {
  const places = Object.entries(fields).flatMap(([name, text]) =>
    wordsOf(text).map((found) => ({ name, found, folded: fold(found) })),
  )
  const words: MatchedWord[] = []
  const missing: string[] = []
  const asked = new Map(wordsOf(question).map((word) => [fold(word), word] as const))
  for (const [folded, word] of asked) {
    if (EMPTY.has(folded)) continue
    const hits = places.flatMap((place) => {
      const how = likeness(folded, place.folded)
      return how === undefined ? [] : [{ ...place, how }]
    })
    const [best] = hits.toSorted((a, b) => HOW_RANK[a.how] - HOW_RANK[b.how])
    if (best === undefined) missing.push(word)
    else
      words.push({
        ...{ word, found: best.found, how: best.how },
        in: [...new Set(hits.filter(({ how }) => how === best.how).map(({ name }) => name))],
      })
  }
  return { words, missing }
}

const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? []

/** Lower case without accents. */
export const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replaceAll('đ', 'd')
    .replaceAll('Đ', 'D')
    .toLowerCase()

function likeness(asked: string, found: string): MatchedWord['how'] | undefined {
  if (asked === found) return 'same'
  if (stem(asked) === stem(found)) return 'form'
  if (asked.length < 4 || found.length < 4) return undefined
  const [a, b] = [trigrams(asked), trigrams(found)]
  const common = [...a].filter((each) => b.has(each)).length
  return (2 * common) / (a.size + b.size) >= ALIKE_MIN ? 'alike' : undefined
}

/** English endings taken off, as far as it takes to tell that two words are one; the index's own stemmer is finer. */
const stem = (word: string): string =>
  word.length < 4
    ? word
    : word.replace(/(ies|ied)$/, 'y').replace(/(ing|ers?|ed|es|(?<!s)s|ly|e)$/, '')

function trigrams(word: string): Set<string> {
  const bounded = `^${word}$`
  return new Set(Array.from({ length: bounded.length - 2 }, (_, at) => bounded.slice(at, at + 3)))
}
