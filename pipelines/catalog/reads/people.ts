import type { Json, PipelineBuilder, ReadStores } from 'mekong'

/** People of whom the credits are counted; a part of a name that so many have says little. */
const NAMED_COUNT_MAX = 2_000

/** People found by a part of their name. */
export function peopleReads(p: PipelineBuilder): void {
  p.read('/v1/catalog/people', {
    summary: 'People by a part of their name, those with the most credits first',
    description: 'Capitals do not matter; marks on letters do.',
    query: {
      q: { type: 'text', required: true, doc: 'Part of a name.', example: 'keanu' },
      limit: { type: 'int', default: 10, min: 1, max: 50, doc: 'So many at most.' },
    },
    async answer({ query }, stores) {
      const wanted = query.q.trim().toLowerCase()
      const found = await stores.graph(
        () =>
          'MATCH (p:Person) WHERE toLower(p.name) CONTAINS $part ' +
          `RETURN p.person_id AS id, p.name AS name, p.known_for_department AS department LIMIT ${NAMED_COUNT_MAX}`,
        { part: wanted },
      )
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
        const lower = String(name).toLowerCase()
        return lower === wanted ? 2 : lower.startsWith(wanted) ? 1 : 0
      }
    },
  })
}

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
