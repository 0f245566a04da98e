import type { Json, PipelineBuilder, ReadStores } from 'mekong'
import { fold } from './explain.ts'

/** Names that a loose pattern may yield before they are compared without accents. */
const LOOSE_COUNT_MAX = 5_000
/** Letters that languages put marks on. */
const MARKED = /[aceginorsltuydz]/g

/** People found by a part of their name. */
export function peopleReads(p: PipelineBuilder): void {
  p.read('/v1/catalog/people', {
    summary: 'People by a part of their name, those with the most credits first',
    description: 'Capitals and accents do not matter: nguyen finds Nguyễn.',
    query: {
      q: { type: 'text', required: true, doc: 'Part of a name.', example: 'keanu' },
      limit: { type: 'int', default: 10, min: 1, max: 50, doc: 'So many at most.' },
    },
    async answer({ query }, stores) {
      const wanted = fold(query.q).trim()
      const loose = await stores.graph(
        () =>
          'MATCH (p:Person) WHERE p.name =~ $pattern ' +
          `RETURN p.person_id AS id, p.name AS name, p.known_for_department AS department LIMIT ${LOOSE_COUNT_MAX}`,
        { pattern: patternOf(wanted) },
      )
      const found = loose.filter(({ name }) => fold(String(name)).includes(wanted))
      const credits = await creditCounts(
        stores,
        found.map(({ id }) => Number(id)),
      )
      const people = found
        .map(({ id, name, department }) => ({
          ...{ id: Number(id), name: name ?? null, known_for_department: department ?? null },
          credits: credits.get(Number(id)) ?? 0,
        }))
        .sort((a, b) => rank(b) - rank(a) || b.credits - a.credits || a.id - b.id)
      return { query: query.q, people: people.slice(0, query.limit) }

      function rank({ name }: { readonly name: Json }): number {
        const folded = fold(String(name))
        return folded === wanted ? 2 : folded.startsWith(wanted) ? 1 : 0
      }
    },
  })
}

/** A pattern that both engines know; letters may carry any mark, what else is in the text stands for itself. */
const patternOf = (folded: string): string =>
  `(?i).*${[...folded].map((sign) => (/[a-z]/.test(sign) ? sign.replace(MARKED, '\\p{L}') : /[\p{L}\p{N} ]/u.test(sign) ? sign : '.')).join('')}.*`

async function creditCounts(stores: ReadStores, ids: readonly number[]) {
  const counts = new Map<number, number>()
  for (const label of ['Movie', 'TV_Series']) {
    const rows = await stores.graph(
      ({ ints }) =>
        `MATCH (p:Person)-[r]->(t:${label}) WHERE p.person_id IN ${ints('$ids')} RETURN p.person_id AS id, count(r) AS credits`,
      { ids: ids.map(String) },
    )
    for (const { id, credits } of rows)
      counts.set(Number(id), (counts.get(Number(id)) ?? 0) + Number(credits))
  }
  return counts
}
