import { graph, type SyncItem, type SyncRow, type SyncSource } from 'mekong'
import { castsOf, crewsOf, listOf } from './rows.ts'

// The graph: people, titles, and one edge for each credit.

const TITLE = {
  overview: 'text',
  popularity: 'float',
  tagline: 'text',
  vote_average: 'float',
  vote_count: 'int',
  poster_path: 'text',
} as const
const MOVIE = { title: 'text', original_title: 'text', release_date: 'text', ...TITLE } as const
const TV_SERIES = {
  name: 'text',
  original_name: 'text',
  first_air_date: 'text',
  status: 'text',
  number_of_seasons: 'int',
  ...TITLE,
} as const
const PERSON = {
  name: 'text',
  gender: 'int',
  also_known_as: 'texts',
  biography: 'text',
  birthday: 'text',
  deathday: 'text',
  place_of_birth: 'text',
  known_for_department: 'text',
  profile_path: 'text',
} as const

const between = [
  ['Person', 'Movie'],
  ['Person', 'TV_Series'],
] as const

export const catalogGraph = graph('catalog', {
  nodes: {
    Person: { key: 'person_id', properties: PERSON },
    Movie: { key: 'movie_id', properties: MOVIE },
    TV_Series: { key: 'tv_series_id', properties: TV_SERIES },
  },
  edges: {
    ACTED_IN: {
      id: 'credit_id',
      between,
      properties: { cast_id: 'int', character: 'text', known_for_department: 'text' },
    },
    WORKS_ON: {
      id: 'credit_id',
      between,
      properties: { department: 'text', job: 'text', known_for_department: 'text' },
    },
  },
})

const standing = { version: 'batch_version', deleted: 'is_deleted' } as const
const pick = (row: SyncRow, properties: object) =>
  Object.fromEntries(Object.keys(properties).map((name) => [name, row[name] ?? null]))

/** What a title is in the graph: its node, and an edge for each credit. */
function titleItems(label: string, key: string, properties: object) {
  return (row: SyncRow): SyncItem[] => {
    const entity = row[key] as number
    const to = { label, id: String(entity) }
    const edge = (collection: string, { credit_id, person_id, ...values }: SyncRow): SyncItem => ({
      collection,
      id: String(credit_id),
      entity,
      from: { label: 'Person', id: String(person_id) },
      to,
      values,
    })
    return [
      { collection: label, id: String(entity), entity, values: pick(row, properties) },
      ...castsOf(row).map((credit) => edge('ACTED_IN', credit)),
      ...crewsOf(row).map((credit) => edge('WORKS_ON', credit)),
    ]
  }
}

const watchTitle = (properties: object) => [
  ...Object.keys(properties),
  'casts_total_hash',
  'crews_total_hash',
]

export const graphSources: readonly SyncSource[] = [
  {
    table: 'silver.people',
    key: 'person_id',
    ...standing,
    collections: ['Person'],
    reads: Object.keys(PERSON),
    items: (row) => [
      {
        collection: 'Person',
        id: String(row.person_id),
        entity: row.person_id as number,
        values: { ...pick(row, PERSON), also_known_as: listOf(row.also_known_as) },
      },
    ],
  },
  {
    table: 'silver.movies',
    key: 'movie_id',
    ...standing,
    collections: ['Movie', 'ACTED_IN', 'WORKS_ON'],
    endLabel: 'Movie',
    reads: [...Object.keys(MOVIE), 'casts', 'crews'],
    watch: watchTitle(MOVIE),
    items: titleItems('Movie', 'movie_id', MOVIE),
  },
  {
    table: 'silver.tv_series',
    key: 'tv_series_id',
    ...standing,
    collections: ['TV_Series', 'ACTED_IN', 'WORKS_ON'],
    endLabel: 'TV_Series',
    reads: [...Object.keys(TV_SERIES), 'casts', 'crews'],
    watch: watchTitle(TV_SERIES),
    items: titleItems('TV_Series', 'tv_series_id', TV_SERIES),
  },
]
