import { type Json, ReadRefusedError, type ReadStores, type SyncRow } from 'mekong'

// Questions to the graph, in the Cypher that both engines speak: one hop a statement, lists of ids in and out. Walks of several hops are
// made here, so that they stay within limits on any engine.

interface Side {
  readonly label: 'Movie' | 'TV_Series'
  readonly key: string
  readonly title: string
  readonly day: string
  readonly type: string
}

const SIDES: readonly Side[] = [
  { label: 'Movie', key: 'movie_id', title: 'title', day: 'release_date', type: 'movie' },
  {
    label: 'TV_Series',
    key: 'tv_series_id',
    title: 'name',
    day: 'first_air_date',
    type: 'tv_series',
  },
]
const EDGES = ['ACTED_IN', 'WORKS_ON'] as const
/** What each kind of edge says of the work. */
const ROLE = { ACTED_IN: 'r.`character`', WORKS_ON: 'r.job' } as const
/** Edges looked at in one hop; a hub such as a long series has some thousand. */
const HOP_EDGE_COUNT_MAX = 20_000
const texts = (ids: readonly number[]) => ids.map(String)

/** Every credit of a person, newest first. */
export async function filmography(stores: ReadStores, person: number): Promise<SyncRow[]> {
  const rows: SyncRow[] = []
  for (const side of SIDES) {
    for (const edge of EDGES) {
      const found = await stores.graph(
        ({ int }) =>
          `MATCH (p:Person)-[r:${edge}]->(t:${side.label}) WHERE p.person_id = ${int('$id')} ` +
          `RETURN t.${side.key} AS id, t.${side.title} AS title, t.${side.day} AS day, ${ROLE[edge]} AS role`,
        { id: String(person) },
      )
      rows.push(
        ...found.map(({ id, title, day, role }) => ({
          ...{ type: side.type, id: Number(id), title: title ?? null, date: day ?? null },
          ...{ credit: edge === 'ACTED_IN' ? 'cast' : 'crew', role: role ?? null },
        })),
      )
    }
  }
  const day = ({ date }: SyncRow) => String(date ?? '')
  return rows.sort(
    (a, b) => day(b).localeCompare(day(a)) || String(a.title).localeCompare(String(b.title)),
  )
}

/** People who acted in the same titles, most of them together first. */
export async function coStars(stores: ReadStores, person: number, limit: number) {
  const shared = new Map<number, { name: Json; titles: SyncRow[] }>()
  for (const side of SIDES) {
    const rows = await stores.graph(
      ({ int }) =>
        `MATCH (p:Person)-[:ACTED_IN]->(t:${side.label})<-[:ACTED_IN]-(o:Person) ` +
        `WHERE p.person_id = ${int('$id')} AND o.person_id <> ${int('$id')} ` +
        `RETURN DISTINCT o.person_id AS id, o.name AS name, t.${side.key} AS title_id, t.${side.title} AS title ` +
        `LIMIT ${HOP_EDGE_COUNT_MAX}`,
      { id: String(person) },
    )
    for (const { id, name, title_id, title } of rows) {
      const known = shared.get(Number(id)) ?? { name: name ?? null, titles: [] }
      known.titles.push({ type: side.type, id: Number(title_id), title: title ?? null })
      shared.set(Number(id), known)
    }
  }
  return [...shared]
    .sort(([a, x], [b, y]) => y.titles.length - x.titles.length || a - b)
    .slice(0, limit)
    .map(([id, { name, titles }]) => ({ id, name, together: titles.length, titles }))
}

/** Titles directed by whoever directed this one, with the directors. */
export async function ofTheDirectors(stores: ReadStores, title: number, limit: number) {
  const directors = await stores.graph(
    ({ int }) =>
      `MATCH (d:Person)-[r:WORKS_ON]->(t:Movie) WHERE t.movie_id = ${int('$id')} AND r.job = 'Director' ` +
      'RETURN DISTINCT d.person_id AS id, d.name AS name',
    { id: String(title) },
  )
  const titles = await stores.graph(
    ({ ints }) =>
      `MATCH (d:Person)-[r:WORKS_ON]->(t:Movie) WHERE d.person_id IN ${ints('$ids')} AND r.job = 'Director' ` +
      'RETURN DISTINCT t.movie_id AS id, t.title AS title, t.release_date AS day',
    { ids: directors.map(({ id }) => String(id)) },
  )
  return {
    directors: directors.map(({ id, name }) => ({ id: Number(id), name: name ?? null })),
    titles: titles
      .map(({ id, title: name, day }) => ({
        id: Number(id),
        title: name ?? null,
        date: day ?? null,
      }))
      .sort((a, b) => String(b.date).localeCompare(String(a.date)) || a.id - b.id)
      .slice(0, limit),
  }
}

interface Step {
  readonly from: number
  readonly title: SyncRow
}

/**
 * The shortest way from one person to another over titles that they worked on, by whatever credit. Breadth first; of ways of the same length the one over
 * smaller ids. `null` when there is none within `stepsMax` titles.
 */
export async function shortestPath(
  stores: ReadStores,
  { from, to, stepsMax }: { readonly from: number; readonly to: number; readonly stepsMax: number },
): Promise<{ people: number[]; titles: SyncRow[] } | null> {
  const cameBy = new Map<number, Step>()
  let frontier = [from]
  const seen = new Set(frontier)
  for (let step = 0; step < stepsMax && frontier.length > 0 && !seen.has(to); step += 1) {
    const next: number[] = []
    for (const { person, by } of await neighbours(stores, frontier)) {
      if (seen.has(person)) continue
      seen.add(person)
      cameBy.set(person, by)
      next.push(person)
    }
    frontier = next
  }
  if (!seen.has(to)) return null
  const people = [to]
  const titles: SyncRow[] = []
  while (people[0] !== from) {
    const { from: before, title } = cameBy.get(people[0]!)!
    people.unshift(before)
    titles.unshift(title)
  }
  return { people, titles }
}

/** Everybody who shares a title with one of these people. */
async function neighbours(stores: ReadStores, people: readonly number[]) {
  const found: { readonly person: number; readonly by: Step }[] = []
  for (const side of SIDES) {
    const title = ({ id, name }: SyncRow) => ({
      type: side.type,
      id: Number(id),
      title: name ?? null,
    })
    const there = await stores.graph(
      ({ ints }) =>
        `MATCH (p:Person)-[r]->(t:${side.label}) WHERE p.person_id IN ${ints('$ids')} ` +
        `RETURN DISTINCT p.person_id AS person, t.${side.key} AS id, t.${side.title} AS name LIMIT ${HOP_EDGE_COUNT_MAX}`,
      { ids: texts(people) },
    )
    const entries = new Map<number, { from: number; title: SyncRow }>()
    for (const row of there.toSorted((a, b) => Number(a.person) - Number(b.person)))
      if (!entries.has(Number(row.id)))
        entries.set(Number(row.id), { from: Number(row.person), title: title(row) })
    const back = await stores.graph(
      ({ ints }) =>
        `MATCH (p:Person)-[r]->(t:${side.label}) WHERE t.${side.key} IN ${ints('$ids')} ` +
        `RETURN DISTINCT p.person_id AS person, t.${side.key} AS id LIMIT ${HOP_EDGE_COUNT_MAX}`,
      { ids: texts([...entries.keys()]) },
    )
    for (const row of back)
      found.push({ person: Number(row.person), by: entries.get(Number(row.id))! })
  }
  return found.sort((a, b) => a.person - b.person || Number(a.by.title.id) - Number(b.by.title.id))
}

/** A person by id or by exact name; of several with one name the one with the smallest id. @throws ReadRefusedError */
export async function personOf(
  stores: ReadStores,
  text: string | undefined,
  parameter: string,
): Promise<{ id: number; name: Json }> {
  if (text === undefined) throw new ReadRefusedError(400, `${parameter} is missing.`)
  const isId = /^\d+$/.test(text)
  const rows = await stores.graph(
    ({ int }) =>
      `MATCH (p:Person) WHERE ${isId ? `p.person_id = ${int('$who')}` : 'p.name = $who'} ` +
      'RETURN p.person_id AS id, p.name AS name ORDER BY id LIMIT 1',
    { who: text },
  )
  const [row] = rows
  if (row === undefined)
    throw new ReadRefusedError(404, `There is no person ${JSON.stringify(text)} in the graph.`)
  return { id: Number(row.id), name: row.name ?? null }
}

/** Names of people, by id. */
export async function personNames(stores: ReadStores, ids: readonly number[]) {
  const rows = await stores.graph(
    ({ ints }) =>
      `MATCH (p:Person) WHERE p.person_id IN ${ints('$ids')} RETURN p.person_id AS id, p.name AS name`,
    { ids: texts(ids) },
  )
  return new Map(rows.map(({ id, name }) => [Number(id), name ?? null]))
}
