import type { Json, ReadStores, SyncRow } from 'mekong'
import { filmography } from './graph-walks.ts'

/** Titles of a person that the picture has room for. */
const TITLE_COUNT_MAX = 16
/** Credits of these titles that are looked at. */
const CREDIT_COUNT_MAX = 20_000

interface Around {
  readonly titles: readonly SyncRow[]
  readonly people: readonly {
    readonly id: number
    readonly name: Json
    /** Places in `titles`. */
    readonly titles: readonly number[]
  }[]
  /** How many there are in all. */
  readonly counts: { readonly titles: number; readonly people: number }
}

/** A person's titles, newest first, and who else worked on them, by whatever credit; who shares most of them first. */
export async function aroundPerson(
  stores: ReadStores,
  person: number,
  limit: number,
): Promise<Around> {
  const all = new Map<string, SyncRow>()
  for (const { type, id, title, date, role } of await filmography(stores, person)) {
    const key = `${type} ${id}`
    const known = all.get(key)
    const roles = [...((known?.roles ?? []) as string[]), ...(role == null ? [] : [String(role)])]
    all.set(key, { type: type!, id: id!, title: title ?? null, date: date ?? null, roles })
  }
  const titles = [...all.values()].slice(0, TITLE_COUNT_MAX)
  const people = new Map<number, { name: Json; titles: Set<number> }>()
  for (const [type, label, key] of [
    ['movie', 'Movie', 'movie_id'],
    ['tv_series', 'TV_Series', 'tv_series_id'],
  ] as const) {
    const ids = titles.filter((title) => title.type === type).map(({ id }) => String(id))
    if (ids.length === 0) continue
    const rows = await stores.graph(
      ({ ints }) =>
        `MATCH (p:Person)-[r]->(t:${label}) WHERE t.${key} IN ${ints('$ids')} ` +
        `RETURN DISTINCT p.person_id AS id, p.name AS name, t.${key} AS title LIMIT ${CREDIT_COUNT_MAX}`,
      { ids },
    )
    for (const { id, name, title } of rows) {
      if (Number(id) === person) continue
      const known = people.get(Number(id)) ?? { name: name ?? null, titles: new Set() }
      known.titles.add(titles.findIndex((each) => each.type === type && each.id === Number(title)))
      people.set(Number(id), known)
    }
  }
  const ranked = [...people]
    .sort(([a, x], [b, y]) => y.titles.size - x.titles.size || a - b)
    .slice(0, limit)
    .map(([id, { name, titles: shared }]) => ({
      ...{ id, name },
      titles: [...shared].sort((a, b) => a - b),
    }))
  return { titles, people: ranked, counts: { titles: all.size, people: people.size } }
}
