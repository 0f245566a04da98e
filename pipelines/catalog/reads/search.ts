import type { PipelineBuilder, ReadStores, SearchHit } from 'mekong'
import { matchedWords } from './explain.ts'

export const NAMESPACES = { movie: 'movie_namespace', tv_series: 'tv_series_namespace' } as const
export type TitleType = keyof typeof NAMESPACES
export const TITLE_TYPES = Object.keys(NAMESPACES) as TitleType[]

/** Namespaces of a type, or of all. */
export const namespacesOf = (type: string | undefined) =>
  TITLE_TYPES.filter((each) => type === undefined || each === type).map((each) => NAMESPACES[each])

/** A hit as people want it. */
export const titleOf = ({ id, values, ...hit }: SearchHit) => ({
  id: Number(id),
  type: values.type ?? null,
  title: values.title ?? null,
  year: values.year ?? null,
  genres: values.genres ?? [],
  overview: values.overview ?? null,
  poster_path: values.poster_path ?? null,
  score: Math.round(hit.score * 1e6) / 1e6,
  text_rank: hit.textRank,
  vector_rank: hit.vectorRank,
})

/** Why a title was found: its words, and what each list gave to the score. */
function explained(question: string, hit: SearchHit) {
  const { values, text } = hit
  const [title, overview] = [String(values.title ?? ''), String(values.overview ?? '')]
  const genres = ((values.genres ?? []) as string[]).join(', ')
  // The tagline is in the embedded text alone.
  const tagline = text
    .split(' | ')
    .filter((part) => ![title, overview, genres].includes(part))
    .join(' ')
  const { words, missing } = matchedWords(question, { title, overview, genres, tagline })
  const way = (rank: number | null, score: number | null) =>
    rank === null || score === null
      ? null
      : { rank, score: rounded(score), share: rounded(shareOfRank(rank)) }
  return {
    words: words.map((each) => ({ ...each, in: [...each.in] })),
    missing,
    by_words: way(hit.textRank, hit.textScore),
    by_meaning: way(hit.vectorRank, hit.vectorScore),
  }
}

const rounded = (value: number) => Math.round(value * 1e6) / 1e6
/** What a place in a list adds to the score; see the search. */
const shareOfRank = (rank: number) => 1 / (60 + rank)

/** Search by keyword and meaning, and questions answered from what the search finds. */
export function searchReads(p: PipelineBuilder): void {
  p.read('/v1/catalog/search', {
    summary: 'Search titles by words and by meaning',
    description:
      'BM25 over title, overview, tagline and genres, and the nearest vectors of the same text; the ranks of both are put together (reciprocal rank fusion). `explain` says of each result which words of the question stand in it, where, and in which form; which stand nowhere; and its rank, own score (BM25, cosine) and share of the whole in both lists.',
    query: {
      q: {
        type: 'text',
        required: true,
        lengthMax: 500,
        doc: 'Words of the title, or what it is about.',
        example: 'a boy finds out that he is a wizard',
      },
      type: { type: 'text', oneOf: TITLE_TYPES, doc: 'Only movies, or only series.' },
      mode: { type: 'text', oneOf: ['hybrid', 'text', 'vector'], doc: 'Default hybrid.' },
      genre: { type: 'text', doc: 'Has this genre; several with commas.', example: 'Drama,Crime' },
      year_min: { type: 'int', min: 1800, max: 2200, doc: 'Not older than this year.' },
      year_max: { type: 'int', min: 1800, max: 2200, doc: 'Not younger than this year.' },
      limit: { type: 'int', default: 10, min: 1, max: 50, doc: 'So many results at most.' },
    },
    async answer({ query }, stores) {
      const { q, type, mode = 'hybrid', genre, year_min, year_max, limit } = query
      const genres = genre?.split(',').map((each) => each.trim())
      const { hits, without } = await stores.search({
        collections: namespacesOf(type),
        text: q,
        mode: mode as 'hybrid',
        yearMin: year_min,
        yearMax: year_max,
        ...(genres === undefined ? {} : { genres }),
        limit,
      })
      return {
        query: q,
        results: hits.map((hit) => ({ ...titleOf(hit), explain: explained(q, hit) })),
        without: [...without],
      }
    },
  })

  p.read('/v1/catalog/ask', {
    summary: 'Ask a question; answered from titles that the search finds, with citations',
    description:
      'With a chat endpoint configured (MEKONG_ANSWERS_URL) its answer cites passages as [1]; without one, or when it is away, the ranked passages are the answer.',
    query: {
      q: {
        type: 'text',
        required: true,
        lengthMax: 500,
        doc: 'The question.',
        example: 'Which film has a heist inside dreams?',
      },
      passages: { type: 'int', default: 5, min: 1, max: 20, doc: 'Titles to answer from.' },
    },
    answer: ({ query }, stores) => answered(query.q, query.passages, stores),
  })
}

const INSTRUCTIONS =
  'Answer the question from the numbered passages alone, in two or three sentences. Cite each passage you use by its number in square brackets, such as [1]. If the passages do not answer the question, say so.'

async function answered(question: string, count: number, stores: ReadStores) {
  const collections = namespacesOf(undefined)
  const request = { collections, text: question, mode: 'hybrid', limit: count } as const
  const { hits } = await stores.search(request)
  const passages = hits.map((hit, index) => ({ n: index + 1, ...titleOf(hit), text: hit.text }))
  const numbered = passages.map(({ n, text }) => `[${n}] ${text}`).join('\n')
  const { answer, problem } = await stores
    .complete([
      { role: 'system', content: INSTRUCTIONS },
      { role: 'user', content: `Passages:\n${numbered}\n\nQuestion: ${question}` },
    ])
    .then(
      (text) => ({ answer: text ?? null, problem: null }),
      // What was found is worth having without the words around it.
      (error: Error) => ({ answer: null, problem: error.message }),
    )
  const cited = new Set([...(answer ?? '').matchAll(/\[(\d+)\]/g)].map(([, n]) => Number(n)))
  const citations = passages
    .filter(({ n }) => cited.has(n))
    .map(({ n, id, type, title, year }) => ({ n, id, type, title, year }))
  return { question, answer, problem, citations, passages }
}
