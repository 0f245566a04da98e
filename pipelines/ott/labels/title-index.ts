import { soundOf } from './fold-text.ts'
import { KNOWN_TITLES } from './known-titles.ts'
import type { Category } from './lexicon.ts'

// Known titles, found by what people type of them: all of it, its beginning, or something with a letter wrong. Everything is compared as it sounds.

interface Title {
  readonly category: Category
  readonly sound: string
}

interface TitleIndex {
  readonly exact: ReadonlyMap<string, Category>
  /** By sound, and by sound from the end. */
  readonly forwards: readonly Title[]
  readonly backwards: readonly Title[]
}

let index: TitleIndex | undefined

/** Made when the first keyword asks: most commands never do. */
function titleIndex(): TitleIndex {
  index ??= makeIndex()
  return index
}

function makeIndex(): TitleIndex {
  const exact = new Map<string, Category>()
  for (const [category, titles] of KNOWN_TITLES)
    for (const title of titles) {
      const sound = soundOf(title.replaceAll(' ', ''))
      if (!exact.has(sound)) exact.set(sound, category)
    }
  const titles = [...exact].map(([sound, category]): Title => ({ sound, category }))
  const bySound = (a: Title, b: Title) => (a.sound < b.sound ? -1 : a.sound > b.sound ? 1 : 0)
  return {
    exact,
    forwards: titles.toSorted(bySound),
    backwards: titles
      .map(({ sound, category }) => ({ category, sound: reversed(sound) }))
      .sort(bySound),
  }
}

const reversed = (text: string) => [...text].reverse().join('')

/** The category of the title that sounds so. */
export const exactTitle = (sound: string): Category | undefined => titleIndex().exact.get(sound)

/** Letters from which a beginning says enough. */
const BEGINNING_LENGTH_MIN = 4

/** The category of most titles that begin so; those that lack little of their end count more. */
export function begunTitle(sound: string): Category | undefined {
  if (sound.length < BEGINNING_LENGTH_MIN) return undefined
  const votes = new Map<Category, number>()
  const { forwards } = titleIndex()
  const [from, to] = startingWith(forwards, sound)
  for (let at = from; at < to; at += 1) {
    const title = forwards[at]!
    const vote = (sound.length / title.sound.length) ** 2
    votes.set(title.category, (votes.get(title.category) ?? 0) + vote)
  }
  return most(votes)
}

/** Letters from which one may be wrong, and two. */
const NEAR_LENGTH_MIN = 5
const FAR_LENGTH_MIN = 11
/** Letters from which also a beginning may have one wrong. */
const BEGINNING_NEAR_LENGTH_MIN = 8
/** A title shares so much with what is meant for it: one of two halves when a letter is wrong, less when there are two. */
const SHARED_LENGTH_MIN = 4

/** The category of the title that is nearest, within one letter, or two of a long one: changed, left out, too many, or two that changed places. */
export function nearTitle(sound: string): Category | undefined {
  if (sound.length < NEAR_LENGTH_MIN) return undefined
  const { forwards, backwards } = titleIndex()
  const allowed = sound.length >= FAR_LENGTH_MIN ? 2 : 1
  const shared = Math.max(3, Math.min(SHARED_LENGTH_MIN + 2, Math.floor(sound.length / 2)))
  let best: Category | undefined
  let bestDistance = allowed + 1
  const look = (titles: readonly Title[], text: string) => {
    const [from, to] = startingWith(titles, text.slice(0, shared))
    for (let at = from; at < to; at += 1) {
      const title = titles[at]!
      const { length } = title.sound
      if (Math.abs(length - text.length) < bestDistance) {
        const distance = editDistance(text, title.sound, bestDistance - 1)
        if (distance < bestDistance) [best, bestDistance] = [title.category, distance]
      }
    }
  }
  look(forwards, sound)
  if (bestDistance > 1) look(backwards, reversed(sound))
  return best
}

/** The category of the titles whose beginning is that but for one letter. */
export function nearlyBegunTitle(sound: string): Category | undefined {
  if (sound.length < BEGINNING_NEAR_LENGTH_MIN) return undefined
  const votes = new Map<Category, number>()
  const shared = sound.slice(0, Math.max(5, Math.ceil(sound.length / 2)))
  const { forwards } = titleIndex()
  const [from, to] = startingWith(forwards, shared)
  for (let at = from; at < to; at += 1) {
    const title = forwards[at]!
    if (title.sound.length <= sound.length) continue
    for (const length of [sound.length, sound.length + 1, sound.length - 1])
      if (editDistance(sound, title.sound.slice(0, length), 1) <= 1) {
        votes.set(title.category, (votes.get(title.category) ?? 0) + 1)
        break
      }
  }
  return most(votes)
}

/** Where the titles that start with a text are: from, inclusive, to, exclusive. */
function startingWith(titles: readonly Title[], text: string): readonly [number, number] {
  const from = firstNotBefore(titles, text)
  return [from, firstNotBefore(titles, `${text}\uffff`, from)]
}

function firstNotBefore(titles: readonly Title[], text: string, from = 0): number {
  let [low, high] = [from, titles.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (titles[middle]!.sound < text) low = middle + 1
    else high = middle
  }
  return low
}

function most(votes: ReadonlyMap<Category, number>): Category | undefined {
  let best: Category | undefined
  let bestVote = 0
  for (const [category, vote] of votes) if (vote > bestVote) [best, bestVote] = [category, vote]
  return best
}

/** Edits between two texts, up to `max`; more are `max + 1`. Two neighbours that changed places are one. */
function editDistance(a: string, b: string, max: number): number {
  if (Math.abs(a.length - b.length) > max) return max + 1
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  let [endA, endB] = [a.length, b.length]
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1
    endB -= 1
  }
  const [lengthA, lengthB] = [endA - start, endB - start]
  if (lengthA === 0 || lengthB === 0) return Math.min(max + 1, lengthA + lengthB)
  if (max === 0) return 1
  if (lengthA === 1 && lengthB === 1) return 1
  if (max === 1 || lengthA > 2 * max + 1) {
    const isSwap =
      lengthA === 2 && lengthB === 2 && a[start] === b[start + 1] && a[start + 1] === b[start]
    if (isSwap) return 1
    if (max === 1) return 2
  }
  const [restA, restB] = [a.slice(start, endA), b.slice(start, endB)]
  const tries = [
    editDistance(restA.slice(1), restB.slice(1), max - 1),
    editDistance(restA.slice(1), restB, max - 1),
    editDistance(restA, restB.slice(1), max - 1),
    restA[0] === restB[1] && restA[1] === restB[0]
      ? editDistance(restA.slice(2), restB.slice(2), max - 1)
      : max,
  ]
  return Math.min(max + 1, 1 + Math.min(...tries))
}
