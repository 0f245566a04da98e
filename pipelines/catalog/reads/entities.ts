import { type PipelineBuilder, ReadRefusedError, type ReadStores } from 'mekong'
import { castsOf, crewsOf } from '../rows.ts'
import { filmography } from './graph-walks.ts'
import { TITLE_TYPES } from './search.ts'

/** One title or person, whole, as silver has it now. */
export function entityReads(p: PipelineBuilder): void {
  p.read('/v1/catalog/titles/:id', {
    summary: 'One movie or series with its cast and crew',
    query: {
      type: { type: 'text', oneOf: TITLE_TYPES, doc: 'Which of the two; default movie.' },
    },
    async answer({ params, query: { type = 'movie' } }, stores) {
      const id = idOf(params.id)
      const [table, column] =
        type === 'movie' ? ['silver.movies', 'movie_id'] : ['silver.tv_series', 'tv_series_id']
      const [row] = await stores.rows({ table: table!, column: column!, in: [id] })
      if (row === undefined || row.is_deleted === true)
        throw new ReadRefusedError(404, `There is no ${type} ${id}.`)
      const casts = castsOf(row)
      const crews = crewsOf(row)
      const names = await namesOf(
        stores,
        [...casts, ...crews].map((c) => c.person_id as number),
      )
      const named = (c: (typeof casts)[number]) => ({
        ...c,
        name: names.get(c.person_id as number) ?? null,
      })
      const {
        casts: _c,
        crews: _w,
        casts_elements_hash: _ch,
        crews_elements_hash: _wh,
        ...own
      } = row
      return { type, id, ...own, cast: casts.map(named), crew: crews.map(named) }
    },
  })

  p.read('/v1/catalog/people/:id', {
    summary: 'One person with all credits',
    async answer({ params }, stores) {
      const id = idOf(params.id)
      const request = { table: 'silver.people', column: 'person_id', in: [id] }
      const [row] = await stores.rows(request)
      if (row === undefined || row.is_deleted === true)
        throw new ReadRefusedError(404, `There is no person ${id}.`)
      return { id, ...row, credits: await filmography(stores, id) }
    },
  })
}

export function idOf(text: string | undefined): number {
  const id = Number(text)
  if (Number.isSafeInteger(id) && id > 0) return id
  throw new ReadRefusedError(400, `An id is a whole number above 0, not ${JSON.stringify(text)}.`)
}

async function namesOf(stores: ReadStores, ids: readonly number[]) {
  const wanted = [...new Set(ids)]
  const request = { table: 'silver.people', column: 'person_id', columns: ['person_id', 'name'] }
  const rows = await stores.rows({ ...request, in: wanted })
  return new Map(rows.map(({ person_id, name }) => [person_id as number, name ?? null]))
}
