import { type Body, int64, json, optional, type Row, record, text, timestamp } from 'mekong'

/** What a record is about. */
export const DATA_TYPES = ['movie', 'tv_series', 'person'] as const
export type DataType = (typeof DATA_TYPES)[number]

const tmdbId = (of: string) => optional(int64({ min: 1, doc: `TMDB id of the ${of}.` }))
const anyJson = (doc: string) => optional(json({ doc }))

/**
 * One movie, series or person as TMDB had it at one moment. Only what the platform decides by is checked here; the detail is kept as it came,
 * so a new or changed field of TMDB's never stops anything. All three topics carry this one shape.
 */
export const CatalogRecord = record({
  data_type: text({ oneOf: DATA_TYPES, doc: 'What the record is about.' }),
  data_label: text({
    oneOf: ['old', 'new', 'change', 'delete'],
    doc: 'Known before, new, changed, or gone from TMDB.',
  }),
  timestamp: timestamp({ doc: 'When TMDB said so, with zone. The newest record of an id counts.' }),
  movie_id: tmdbId('movie'),
  tv_series_id: tmdbId('series'),
  person_id: tmdbId('person'),
  movie_detail: anyJson('GET /3/movie/{id} of TMDB, as it answered.'),
  tv_series_detail: anyJson('GET /3/tv/{id} of TMDB, as it answered.'),
  person_detail: anyJson('GET /3/person/{id} of TMDB, as it answered.'),
  casts_info: anyJson(
    'A list of {person_id, known_for_department, cast_id, character, credit_id}.',
  ),
  crews_info: anyJson('A list of {person_id, known_for_department, department, job, credit_id}.'),
  record_id: optional(
    text({ min: 1, max: 200, doc: 'Name of the record. The same one again changes nothing.' }),
  ),
})

export type CatalogRecord = Body<typeof CatalogRecord>

/** A record in the bronze table, beside its raw text. */
export const BronzeRecord = record({
  data_type: text({ doc: 'movie, tv_series or person.' }),
  data_label: text({ doc: 'old, new, change or delete.' }),
  timestamp: timestamp({ doc: 'When TMDB said so.' }),
  id_of_data_type: int64({ doc: 'TMDB id within its type.' }),
})

/**
 * What the bronze table keeps of a record: light validation. @throws when the record names no id of its own type, or holds an
 * error answer of TMDB's instead of a detail; it becomes a dead letter with its position.
 */
export function toBronze(row: Row<typeof CatalogRecord>): Row<typeof BronzeRecord> {
  const { data_type, data_label, timestamp } = row
  const id = { movie: row.movie_id, tv_series: row.tv_series_id, person: row.person_id }[data_type]
  if (id === null) throw new TypeError(`A record of type ${data_type} needs ${data_type}_id.`)
  const detail = {
    movie: row.movie_detail,
    tv_series: row.tv_series_detail,
    person: row.person_detail,
  }[data_type]
  if (detail === null && data_label !== 'delete')
    throw new TypeError(`A record of type ${data_type} needs ${data_type}_detail.`)
  if (detail !== null && !detail.trimStart().startsWith('{'))
    throw new TypeError(`${data_type}_detail must be an object.`)
  if (detail !== null && /"success"\s*:\s*false/.test(detail))
    throw new TypeError(`${data_type}_detail is an error answer of TMDB, not a detail.`)
  return { data_type, data_label, timestamp, id_of_data_type: id }
}
