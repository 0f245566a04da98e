import { FILM_TITLES } from './film-titles.ts'
import { CATEGORIES, type Category, LEXICON } from './lexicon.ts'
import { TITLES as NAMES } from './titles.ts'

// The rules of the prompt, without a model: for homes without a key. Text is compared without accents; a phrase of some length is also found where it
// was typed without spaces. Marks that decide (an episode, a channel's number, two teams) come before words that only speak for something.

/** What a keyword most probably is about. Deterministic. */
export function classifyKeyword(keyword: string): Category {
  const whole = foldText(keyword)
  if (YOUTUBE.test(whole)) return 'TV Channel'
  const text = whole.replace(ASKED, '')
  const bare = text.replaceAll(' ', '')
  if (bare.length < 2) return 'Other'
  for (const [category, mark] of MARKS) if (mark.test(text)) return category
  if (new Set(text.match(COUNTRIES)).size >= 2 && !/\bphim\b/.test(text)) return 'Sports'
  const scores = scoresOf(text, bare)
  const words = text.split(' ')
  if (EPISODE.test(text)) {
    if (scores['Reality Show'] >= DECISIVE) return 'Reality Show'
    scores.Drama += 1.5
  }
  let best: Category = 'Other'
  let bestScore = 0
  for (const category of CATEGORIES)
    if (scores[category] > bestScore) {
      best = category
      bestScore = scores[category]
    }
  const likely = bestScore < DECISIVE ? (nearTitle(bare) ?? looksLike(words, bare)) : undefined
  if (likely !== undefined) return likely
  if (bestScore > 0) return best
  return text === whole ? fallback(words, keyword) : 'Other'
}

/** Lower case, without accents and signs, one space between words: `Đá  bóng!` is `da bong`. */
export function foldText(text: string): string {
  return text
    .normalize('NFD')
    .toLowerCase()
    .replaceAll('đ', 'd')
    .replaceAll(/\p{M}+/gu, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/** The service itself, as it is heard and typed. */
const YOUTUBE = /^(mo |xem |vao )?(you|yo|yu|iu|diu) ?t[uoh]+[bp]e*e?( tv| viet nam)?$/
/** What is said to a remote control before what is meant. */
const ASKED = /^(mo |vao |xem |tim |cho toi xem |cho xem |bat )+(you ?t[uo]+be? )?(?=\S{2})/

const EPISODE = /\b(tap|ep|episode)( ?(\d+|cuoi))?\b/

/** Told by form alone. */
const MARKS: readonly (readonly [Category, RegExp])[] = [
  [
    'TV Channel',
    /(^| )k(enh|)? ?(vtv|htv|sctv|thvl|vtc|vtvcab|btv|hanoitv|scj|antv|ott)[a-z]{0,2} ?\d{0,2}( hd)?( |$)/,
  ],
  [
    'TV Channel',
    /^(dai |xem )?(vtv|htv|sctv|thvl|vtc|vt|hvt|btv|thdt|thtg|bptv|dnrtv|hgtv|tv|stv|atv|ktv|qtv|ltv|tvb)( ?(can tho|cab|c))? ?\d{0,2}( hd)?$/,
  ],
  ['TV Channel', /^(kenh|dai (so|tv|tieng|phat|vinh|ha noi|dong|can|an|binh|thanh pho))\b/],
  ['TV Channel', /(^| )(truyen hinh|thvl)\b/],
  ['TV Channel', /(^| )(vtv|htv|sctv|thvl|vtc) ?\d{1,2}( |$)/],
  ['TV Channel', /^[a-z0-9]{1,6}tv ?\d{0,2}( hd| go| online| truc tiep)?$/],
  ['TV Channel', /^t+r+u+y*e+n+g? ?h+i+n+h+$/],
  ['Sports', /\bten+i[st]/],
  ['Sports', /\bu ?(1[6-9]|2[0-3])(?![0-9])/],
  ['Sports', /\b\w{2,} (vs|voi doi|gap doi) \w{2,}/],
  ['Sports', /^(xem |truc tiep )?bong( d.?| c| da.*)?$/],
  ['Sports', /(bong ?da|da ?bong|da ?banh|truc ?tiep|the ?thao|giao ?huu|madri|chung ket c1)/],
  ['Music', /\b(karaoke|ka ?ra ?oke|remix|nhac|lien khuc|cai luong|bolero)\b/],
  ['Animation', /(hoat ?hinh|anime\b)/],
]

/** What plays against what: two of them are a match. Names as they are typed, half of them misspelt. */
const COUNTRIES =
  /\b(viet nam|vietnam|vn|thai lan|thailand|thai|lao|campuchia|malaysia|malai|indonesia|indo|myanma\w*|philippin\w*|singapo\w*|brunei|timor|han quoc|nhat ban|trung quoc|uc|australia|a rap|saudi|iraq|iran|oman|uae|qatar|jordan|uzbekistan|tajikistan|mong co|yemen|duc|phap|anh|y|italia|tay ban nha|bo dao nh?\w+|ha lan|bi|croatia|crotia|thuy si|dan mach|ba lan|hungary|sec|cong hoa sec|ukraina|brazil|bra[sz]il|a[rn]g?h?entina|peru|chile|my|mexico|xu wales|paraguay)\b/g

/** Japanese in Latin letters: a word of at least three of its syllables, which no Vietnamese word has. */
const ROMAJI =
  /^((ky|gy|sh|ch|ts|ny|hy|my|ry|by|py|j|k|s|t|n|h|f|m|y|r|w|g|z|d|b|p)?(aa|ii|uu|ou|oo|ei|a|i|u|e|o)n?){3,}$/
/** Syllables that Korean names in Latin letters are made of, and words of other languages are not. */
const KOREAN =
  /\b(\w*(eon|eok|eun|yeo|yeon|yoon|yoo|hyu|kyu|gyu|seo|woo|joo|soo|hwa|gwa|kwon|hye|jae|dae|baek|byul)\w*)\b/

/** By the shape of the words, where no word of them is known. */
function looksLike(words: readonly string[], bare: string): Category | undefined {
  const text = words.join(' ')
  if (KOREAN.test(text)) return 'K Drama'
  const long = words.filter((word) => word.length >= 6 && ROMAJI.test(word))
  return long.length > 0 && bare.length >= 6 ? 'Animation' : undefined
}

const NEAR_LENGTH_MIN = 5
/** From this length on two letters may be wrong. */
const FAR_LENGTH_MIN = 10

/** A title that was not typed to its end, or with a letter wrong. */
function nearTitle(bare: string): Category | undefined {
  if (bare.length < NEAR_LENGTH_MIN) return undefined
  const begun = BEGINNINGS.get(bare)
  if (begun !== undefined) return begun
  for (const length of [bare.length, bare.length - 1, bare.length + 1])
    for (const { category, joined } of TITLES_BY_LENGTH.get(length) ?? [])
      if (isOneOff(bare, joined)) return category
  if (bare.length < FAR_LENGTH_MIN) return undefined
  for (const length of [
    bare.length,
    bare.length - 1,
    bare.length + 1,
    bare.length - 2,
    bare.length + 2,
  ])
    for (const { category, joined } of TITLES_BY_LENGTH.get(length) ?? [])
      if (bare[0] === joined[0] && isTwoOff(bare, joined)) return category
  return undefined
}

/** Two letters changed, too many or missing, wherever they are: the first by hand, the second as above. */
function isTwoOff(a: string, b: string): boolean {
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  const rest = (text: string, skip: number) => text.slice(start + skip)
  return (
    isOneOff(rest(a, 1), rest(b, 1)) ||
    isOneOff(rest(a, 1), rest(b, 0)) ||
    isOneOff(rest(a, 0), rest(b, 1)) ||
    (a[start] === b[start + 1] && a[start + 1] === b[start] && isOneOff(rest(a, 2), rest(b, 2)))
  )
}

/** One letter changed, too many or missing. */
function isOneOff(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  const rest = (text: string, skip: number) => text.slice(start + skip)
  return rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1)
}

/** From here on a category needs no other support. */
const DECISIVE = 3
/** Phrases this long are looked for without their spaces too; shorter ones are in other words by chance. */
const RUN_TOGETHER_LENGTH_MIN = 7

type Scores = Record<Category, number>

function scoresOf(text: string, bare: string): Scores {
  const scores = Object.fromEntries(CATEGORIES.map((category) => [category, 0])) as Scores
  const spaced = ` ${text} `
  const words = new Set(text.split(' '))
  // A long phrase says more than a short one of the same weight, and cannot be there by chance.
  const count = ({ category, weight, phrase }: Phrase) => {
    scores[category] += weight * (1 + phrase.length / 20)
  }
  const counted = new Set<Phrase>()
  for (const word of words)
    for (const phrase of BY_FIRST_WORD.get(word) ?? [])
      if (spaced.includes(phrase.phrase)) {
        counted.add(phrase)
        count(phrase)
      }
  if ([...words].some((word) => word.length >= RUN_TOGETHER_LENGTH_MIN))
    for (const phrase of RUN_TOGETHER)
      if (!counted.has(phrase) && bare.includes(phrase.joined)) count(phrase)
  return scores
}

interface Phrase {
  readonly category: Category
  readonly weight: number
  /** With a space on both sides. */
  readonly phrase: string
  readonly joined: string
}

const phraseOf = (category: string, weight: number, text: string): Phrase => {
  const word = foldText(text)
  const joined = word.replaceAll(' ', '')
  return { category: category as Category, weight, phrase: ` ${word} `, joined }
}

/** Words with their weights, then titles and names, which decide alone where they are more than one short word. */
const PHRASES: readonly Phrase[] = uniquePhrases([
  ...Object.entries(LEXICON).flatMap(([category, groups]) =>
    groups.flatMap(({ weight, words }) =>
      words.map((word) => phraseOf(category, weight === 1 ? 0.4 : weight === 2 ? 1 : 3, word)),
    ),
  ),
  ...[NAMES, FILM_TITLES].flatMap((titles) =>
    Object.entries(titles).flatMap(([category, words]) =>
      words.map((word) => phraseOf(category, word.includes(' ') || word.length > 5 ? 3 : 2, word)),
    ),
  ),
])

function uniquePhrases(phrases: readonly Phrase[]): readonly Phrase[] {
  const known = new Map<string, Phrase>()
  for (const phrase of phrases) {
    const name = `${phrase.category} ${phrase.phrase}`
    if (!known.has(name)) known.set(name, phrase)
  }
  return [...known.values()]
}

/** What decides alone and is long enough to be known from a part of it. */
const TITLES = PHRASES.filter(({ weight, joined }) => weight === 3 && joined.length >= 6)
const TITLES_BY_LENGTH = Map.groupBy(TITLES, ({ joined }) => joined.length)
/** Every beginning of a title that says enough; where two share one, the first of the lexicon counts. */
const BEGINNINGS = new Map(
  TITLES.filter(({ category }) => category !== 'TV Channel')
    .toReversed()
    .flatMap(({ category, joined }) =>
      Array.from(
        { length: joined.length - NEAR_LENGTH_MIN + 1 },
        (_, index) => [joined.slice(0, NEAR_LENGTH_MIN + index), category] as const,
      ),
    ),
)
const BY_FIRST_WORD = Map.groupBy(PHRASES, ({ phrase }) => phrase.trim().split(' ')[0]!)
const RUN_TOGETHER = PHRASES.filter(({ joined }) => joined.length >= RUN_TOGETHER_LENGTH_MIN)

/** Nothing known is in it: long Vietnamese phrases are mostly titles, short foreign words mostly names or halves of words. */
function fallback(words: readonly string[], keyword: string): Category {
  if (words.length >= 2) return 'Drama'
  return /^\d+$/.test(keyword.trim()) || words[0]!.length <= 4 ? 'Other' : 'Drama'
}
