import { type SyncItem, type SyncRow, type SyncSource, vectors } from 'mekong'
import { namesOf, textOf, yearOf } from './rows.ts'

// The vectors: one for each title that has a text, with enough beside it to show a result.

const metadata = {
  title: 'text',
  year: 'int',
  genres: 'texts',
  type: 'text',
  overview: 'text',
  poster_path: 'text',
} as const

export const titleVectors = vectors('catalog', {
  movie_namespace: { metadata },
  tv_series_namespace: { metadata },
})

const standing = { version: 'batch_version', deleted: 'is_deleted' } as const
const SHOWN = ['overview', 'genres', 'poster_path', 'embedding_text'] as const

function titleVector(
  namespace: string,
  type: 'movie' | 'tv_series',
  names: { readonly key: string; readonly title: string; readonly day: string },
) {
  return (row: SyncRow): SyncItem[] => {
    const text = textOf(row.embedding_text)
    const entity = row[names.key] as number
    if (text === null) return []
    return [
      {
        collection: namespace,
        id: String(entity),
        entity,
        text,
        values: {
          title: row[names.title] ?? null,
          year: yearOf(row[names.day]),
          genres: namesOf(row.genres),
          type,
          overview: row.overview ?? null,
          poster_path: row.poster_path ?? null,
        },
      },
    ]
  }
}

export const vectorSources: readonly SyncSource[] = [
  {
    table: 'silver.movies',
    key: 'movie_id',
    ...standing,
    collections: ['movie_namespace'],
    reads: ['title', 'release_date', ...SHOWN],
    watch: ['vector_info_hash', 'release_date', 'poster_path'],
    items: titleVector('movie_namespace', 'movie', {
      key: 'movie_id',
      title: 'title',
      day: 'release_date',
    }),
  },
  {
    table: 'silver.tv_series',
    key: 'tv_series_id',
    ...standing,
    collections: ['tv_series_namespace'],
    reads: ['name', 'first_air_date', ...SHOWN],
    watch: ['vector_info_hash', 'first_air_date', 'poster_path'],
    items: titleVector('tv_series_namespace', 'tv_series', {
      key: 'tv_series_id',
      title: 'name',
      day: 'first_air_date',
    }),
  },
]
