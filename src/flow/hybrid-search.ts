import type { SearchAnswer, SearchHit, SearchRequest } from '../pipeline/read.ts'
import type { EmbedPort, VectorFilter, VectorHit, VectorSearch } from '../serve/vector-store.ts'

/** Looked at in each list before the ranks are put together; beyond it a rank adds next to nothing. */
const CANDIDATE_COUNT = 60
/** Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): 1 / (60 + rank), added up. */
const RANK_OFFSET = 60

/**
 * Search by words and by meaning. Each list is ranked by itself, because BM25 and cosine cannot be compared; the ranks are put together. Ties go to the
 * smaller id.
 */
export async function hybridSearch(
  store: VectorSearch,
  embedder: EmbedPort,
  request: SearchRequest,
  signal: AbortSignal,
): Promise<SearchAnswer> {
  const { collections, text, mode, limit } = request
  const filter = filterOf(request)
  const byText = mode !== 'vector' && store.matching !== undefined
  const byVector = mode !== 'text' || store.matching === undefined
  const vector = byVector ? (await embedder.embed([text], 'query', signal)).vectors[0]! : undefined
  const some = { filter, limit: CANDIDATE_COUNT }
  const lists = await Promise.all(
    collections.map(async (collection) => ({
      text: byText ? await store.matching!({ collection, text, ...some }) : [],
      vector: vector === undefined ? [] : await store.nearest({ collection, vector, ...some }),
    })),
  )
  const best = (pick: (of: (typeof lists)[number]) => readonly VectorHit[]) =>
    lists
      .flatMap(pick)
      .sort((a, b) => b.score - a.score || Number(a.id) - Number(b.id))
      .slice(0, CANDIDATE_COUNT)
  const without = mode !== 'vector' && store.matching === undefined ? (['text'] as const) : []
  const hits = fused(
    best((of) => of.text),
    best((of) => of.vector),
  )
  return { hits: hits.slice(0, limit), without }
}

function fused(byText: readonly VectorHit[], byVector: readonly VectorHit[]): SearchHit[] {
  const hits = new Map<string, SearchHit>()
  for (const [rank, ownScore, list] of [
    ['textRank', 'textScore', byText],
    ['vectorRank', 'vectorScore', byVector],
  ] as const) {
    for (const [index, { collection, id, values, text, score }] of list.entries()) {
      const known = hits.get(`${collection}/${id}`)
      hits.set(`${collection}/${id}`, {
        ...{ collection, id, values, text, textRank: null, vectorRank: null },
        ...{ textScore: null, vectorScore: null },
        ...known,
        ...{ [rank]: index + 1, [ownScore]: score },
        score: (known?.score ?? 0) + 1 / (RANK_OFFSET + index + 1),
      })
    }
  }
  return [...hits.values()].sort((a, b) => b.score - a.score || Number(a.id) - Number(b.id))
}

function filterOf({ yearMin, yearMax, genres }: SearchRequest): VectorFilter {
  return {
    ...(yearMin === undefined ? {} : { yearMin }),
    ...(yearMax === undefined ? {} : { yearMax }),
    ...(genres === undefined ? {} : { genres }),
  }
}
