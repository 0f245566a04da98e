import { createHash } from 'node:crypto'
import type { LoaderPlan } from 'mekong'
import type { CatalogRecord, DataType } from './schema.ts'

type Json = Readonly<Record<string, unknown>>

/** The time of records that do not say when: older than any that does. Among themselves the one loaded last counts. */
const UNKNOWN_TIME = '1970-01-01T00:00:00Z'

/** TMDB's own list of movie genres, for files that bring ids alone. */
const GENRES: Readonly<Record<string, string>> = {
  12: 'Adventure',
  14: 'Fantasy',
  16: 'Animation',
  18: 'Drama',
  27: 'Horror',
  28: 'Action',
  35: 'Comedy',
  36: 'History',
  37: 'Western',
  53: 'Thriller',
  80: 'Crime',
  99: 'Documentary',
  878: 'Science Fiction',
  9648: 'Mystery',
  10402: 'Music',
  10749: 'Romance',
  10751: 'Family',
  10752: 'War',
  10770: 'TV Movie',
}

/** Movies: envelopes, raw details of TMDB, or flat rows with `credits`. */
export const movies: LoaderPlan = {
  description:
    'Movies as JSON lines, plain or .gz (movie…, …movies…): envelopes with movie_detail, raw TMDB details, or flat rows with credits',
  path: '/catalog/movies',
  format: 'json',
  matches: /movie[^/]*\.(jsonl|ndjson|json)(\.gz|\.zst)?$/,
  event: (row) =>
    envelope(
      'movie',
      isEnvelope('movie', row)
        ? row
        : 'plot' in row
          ? flatMovie(row)
          : recordOfDetail('movie', row),
    ),
}

/** Series: envelopes, raw details of TMDB, or rows with `tvShow`. */
export const tvSeries: LoaderPlan = {
  description:
    'Series as JSON lines, plain or .gz (tv…, …series…): envelopes with tv_series_detail, raw TMDB details, or rows with tvShow',
  path: '/catalog/tv-series',
  format: 'json',
  matches: /(tv|series)[^/]*\.(jsonl|ndjson|json)(\.gz|\.zst)?$/,
  event: (row) =>
    envelope(
      'tv_series',
      isEnvelope('tv_series', row)
        ? row
        : 'tvShow' in row
          ? shownSeries(row)
          : recordOfDetail('tv_series', row),
    ),
}

/** People: envelopes or raw details of TMDB. */
export const people: LoaderPlan = {
  description:
    'People as JSON lines, plain or .gz (person…, …people…): envelopes with person_detail, or raw TMDB details',
  path: '/catalog/people',
  format: 'json',
  matches: /(person|people)[^/]*\.(jsonl|ndjson|json)(\.gz|\.zst)?$/,
  event: (row) =>
    envelope('person', isEnvelope('person', row) ? row : recordOfDetail('person', row)),
}

/** A deletion is an envelope without a detail. */
const isEnvelope = (type: DataType, row: Json) => `${type}_id` in row || `${type}_detail` in row

/** A whole record, named after what is in it, so that a file loaded twice adds nothing. */
function envelope(type: DataType, row: Json): object {
  const { data_label = 'old', timestamp = UNKNOWN_TIME, record_id, ...rest } = row
  const whole = { data_type: type, data_label, timestamp, ...rest }
  if (typeof record_id === 'string') return { ...whole, record_id }
  const digest = createHash('sha256').update(JSON.stringify(whole)).digest('hex').slice(0, 40)
  return { ...whole, record_id: `${type}-${digest}` }
}

/** A detail as TMDB answers it, with the credits that came along in the shape that records have. */
export function recordOfDetail(type: DataType, row: Json): Json {
  const { credits, ...detail } = row
  return {
    [`${type}_id`]: wholeNumber(row.id),
    [`${type}_detail`]: detail,
    ...(type === 'person' ? {} : creditsOf(credits)),
  }
}

/** The credits of `append_to_response=credits`, where a detail came with them. */
function creditsOf(credits: unknown): Pick<CatalogRecord, 'casts_info' | 'crews_info'> {
  const { cast = [], crew = [] } = (credits ?? {}) as { cast?: Json[]; crew?: Json[] }
  return {
    casts_info: cast.map((c) => ({
      person_id: c.id,
      known_for_department: c.known_for_department ?? null,
      cast_id: c.cast_id ?? null,
      character: c.character ?? null,
      credit_id: c.credit_id ?? null,
    })),
    crews_info: crew.map((c) => ({
      person_id: c.id,
      known_for_department: c.known_for_department ?? null,
      department: c.department ?? null,
      job: c.job ?? null,
      credit_id: c.credit_id ?? null,
    })),
  }
}

interface FlatCredit extends Json {
  readonly type?: string
  readonly person_id?: unknown
}

/** A row with `plot`, `genre_ids` and `credits[{person_id, type, character | department, job}]`. */
function flatMovie(row: Json): Json {
  const id = wholeNumber(row.id)
  const credits = (row.credits ?? []) as FlatCredit[]
  const person = (c: FlatCredit) => ({ person_id: wholeNumber(c.person_id) })
  return {
    movie_id: id,
    movie_detail: {
      id,
      title: row.title,
      original_title: row.original_title ?? row.title,
      overview: row.plot,
      release_date: row.release_date,
      vote_average: row.rating,
      runtime: row.runtime,
      imdb_id: row.imdb_id,
      poster_path: lastPart(row.poster_url),
      genres: ((row.genre_ids ?? []) as unknown[]).map((genre) => ({
        id: Number(genre),
        name: GENRES[String(genre)] ?? null,
      })),
    },
    casts_info: credits
      .filter(({ type }) => type === 'cast')
      .map((c) => ({ ...person(c), character: c.character ?? null })),
    crews_info: credits
      .filter(({ type }) => type === 'crew')
      .map((c) => ({ ...person(c), department: c.department ?? null, job: c.job ?? null })),
  }
}

/** A row with `tvShow`, `seasons`, `genres` and `credits`. */
function shownSeries(row: Json): Json {
  const show = row.tvShow as Json
  const id = wholeNumber(show.tmdbId)
  const credits = (row.credits ?? []) as Json[]
  const isCast = (c: Json) => c.department === 'Acting' || c.job === 'Actor'
  return {
    tv_series_id: id,
    tv_series_detail: {
      id,
      name: show.name,
      original_name: show.originalName,
      overview: show.overview,
      first_air_date: show.firstAirDate,
      status: show.status,
      popularity: show.popularity,
      vote_average: show.voteAverage,
      vote_count: show.voteCount,
      poster_path: show.posterPath,
      number_of_seasons: ((row.seasons ?? []) as unknown[]).length,
      genres: ((row.genres ?? []) as Json[]).map((genre) => ({
        id: genre.tmdbId,
        name: genre.name,
      })),
    },
    casts_info: credits
      .filter(isCast)
      .map((c) => ({ person_id: c.tmdbPersonId, character: c.character ?? null })),
    crews_info: credits
      .filter((c) => !isCast(c))
      .map((c) => ({
        person_id: c.tmdbPersonId,
        department: c.department ?? null,
        job: c.job ?? null,
      })),
  }
}

/** Ids are numbers, also where a file writes them as text; what is none is left as it came, for the front door to refuse. */
const wholeNumber = (id: unknown) => (typeof id === 'string' && /^\d+$/.test(id) ? Number(id) : id)

const lastPart = (url: unknown) => (typeof url === 'string' ? `/${url.split('/').at(-1)}` : null)
