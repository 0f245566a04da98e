import { clickhouse, type Json, type SyncItem, type SyncRow, type SyncSource } from 'mekong'
import { castsOf, crewsOf, listOf, textOf } from './rows.ts'

// The seven tables of the OLAP store. Keys hold the credit, so several jobs or characters of one person are several rows.

const NAMED = 'Array(Tuple(id UInt64, name String))'
const COUNTRIES = 'Array(Tuple(iso_3166_1 String, name String))'

const TRACKING = {
  vector_info_hash: 'Int64',
  casts_total_hash: 'Int64',
  crews_total_hash: 'Int64',
  vector_info_hash_diff: 'Bool',
  casts_diff: 'String',
  crews_diff: 'String',
}
const cast = (entity: string) => ({
  key: [entity, 'person_id', 'credit_id'],
  columns: {
    [entity]: 'UInt64',
    person_id: 'UInt64',
    credit_id: 'String',
    cast_id: 'Nullable(UInt64)',
    character: 'String',
    known_for_department: 'LowCardinality(String)',
  },
})
const crew = (entity: string) => ({
  key: [entity, 'person_id', 'credit_id'],
  columns: {
    [entity]: 'UInt64',
    person_id: 'UInt64',
    credit_id: 'String',
    department: 'LowCardinality(String)',
    job: 'String',
    known_for_department: 'LowCardinality(String)',
  },
})

const MOVIE = {
  movie_id: 'UInt64',
  title: 'String',
  original_title: 'String',
  overview: 'String',
  popularity: 'Float64',
  release_date: 'Nullable(Date32)',
  tagline: 'String',
  vote_average: 'Float64',
  vote_count: 'UInt64',
  genres: NAMED,
  belongs_to_collection: NAMED,
  production_countries: COUNTRIES,
  poster_path: 'String',
  ...TRACKING,
}
const TV_SERIES = {
  tv_series_id: 'UInt64',
  name: 'String',
  original_name: 'String',
  overview: 'String',
  popularity: 'Float64',
  first_air_date: 'Nullable(Date32)',
  tagline: 'String',
  vote_average: 'Float64',
  vote_count: 'UInt64',
  status: 'String',
  genres: NAMED,
  production_countries: COUNTRIES,
  number_of_seasons: 'UInt64',
  poster_path: 'String',
  ...TRACKING,
}
const PERSON = {
  person_id: 'UInt64',
  name: 'String',
  gender: 'UInt8',
  also_known_as: 'Array(String)',
  biography: 'String',
  birthday: 'Nullable(Date32)',
  deathday: 'Nullable(Date32)',
  place_of_birth: 'String',
  known_for_department: 'LowCardinality(String)',
  popularity: 'Float64',
}

export const olap = clickhouse('silver_layer', {
  movie: { key: ['movie_id'], columns: MOVIE },
  movie_cast: cast('movie_id'),
  movie_crew: crew('movie_id'),
  tv_series: { key: ['tv_series_id'], columns: TV_SERIES },
  tv_series_cast: cast('tv_series_id'),
  tv_series_crew: crew('tv_series_id'),
  person: { key: ['person_id'], columns: PERSON },
})

const standing = { version: 'batch_version', deleted: 'is_deleted' } as const
const pick = (row: SyncRow, columns: object) =>
  Object.fromEntries(Object.keys(columns).map((name): [string, Json] => [name, row[name] ?? null]))

/** What a title is in the OLAP store: its own row, and one for each credit. */
function titleRows(entity: 'movie_id' | 'tv_series_id', columns: object, prefix: string) {
  return (row: SyncRow): SyncItem[] => {
    const id = row[entity] as number
    const credit = (table: string, c: SyncRow): SyncItem => ({
      collection: table,
      id: `${id}/${c.person_id}/${c.credit_id}`,
      entity: id,
      values: { ...c, [entity]: id },
    })
    return [
      {
        collection: prefix,
        id: String(id),
        entity: id,
        values: {
          ...pick(row, columns),
          genres: listOf(row.genres),
          belongs_to_collection: listOf(row.belongs_to_collection),
          production_countries: listOf(row.production_countries),
        },
      },
      ...castsOf(row).map((c) => credit(`${prefix}_cast`, c)),
      ...crewsOf(row).map((c) => credit(`${prefix}_crew`, c)),
    ]
  }
}

export const olapSources: readonly SyncSource[] = [
  {
    table: 'silver.people',
    key: 'person_id',
    ...standing,
    collections: ['person'],
    reads: Object.keys(PERSON),
    items: (row) => [
      {
        collection: 'person',
        id: String(row.person_id),
        entity: row.person_id as number,
        values: { ...pick(row, PERSON), also_known_as: listOf(row.also_known_as).filter(textOf) },
      },
    ],
  },
  {
    table: 'silver.movies',
    key: 'movie_id',
    ...standing,
    collections: ['movie', 'movie_cast', 'movie_crew'],
    reads: [...Object.keys(MOVIE), 'casts', 'crews'],
    items: titleRows('movie_id', MOVIE, 'movie'),
  },
  {
    table: 'silver.tv_series',
    key: 'tv_series_id',
    ...standing,
    collections: ['tv_series', 'tv_series_cast', 'tv_series_crew'],
    reads: [...Object.keys(TV_SERIES), 'casts', 'crews'],
    items: titleRows('tv_series_id', TV_SERIES, 'tv_series'),
  },
]
