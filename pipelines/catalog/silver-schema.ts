import {
  boolean,
  date,
  float64,
  int64,
  list,
  nested,
  optional,
  record,
  text,
  timestamp,
} from 'mekong'

// The columns of the silver tables: one current row for each entity, with what it takes to see what changed.

const maybeText = () => optional(text())
const maybeNumber = () => optional(float64())
const maybeWhole = () => optional(int64())

const named = { id: maybeWhole(), name: maybeText() }
const countries = { iso_3166_1: maybeText(), name: maybeText() }
const languages = { iso_639_1: maybeText(), name: maybeText() }
const castMember = {
  credit_id: maybeText(),
  person_id: maybeWhole(),
  cast_id: maybeWhole(),
  character: maybeText(),
  known_for_department: maybeText(),
}
const crewMember = {
  credit_id: maybeText(),
  person_id: maybeWhole(),
  department: maybeText(),
  job: maybeText(),
  known_for_department: maybeText(),
}
const listOf = <const F extends Parameters<typeof nested>[0]>(fields: F) =>
  optional(list(optional(nested(fields))))
const elementHashes = listOf({ id: maybeText(), hash: maybeText() })

/** What every silver row ends with: which record it is, and in which batch it came. */
const standing = {
  is_deleted: boolean({ doc: 'TMDB has it no more; a tombstone against late records.' }),
  record_timestamp: timestamp({ doc: 'When TMDB said so.' }),
  record_arrived_at: timestamp({ doc: 'When the log took the record.' }),
  record_offset: int64({ doc: 'Of the record, in its partition.' }),
  batch_version: int64({
    doc: 'Of the batch that wrote the row: when its newest record arrived, in microseconds since 1970; always grows.',
  }),
}

/** Credits and embedded text with their hashes, and what the last batch changed in them, by credit id. */
const tracking = {
  casts: listOf(castMember),
  crews: listOf(crewMember),
  embedding_text: optional(text({ doc: 'What is embedded: title, overview, tagline, genres.' })),
  vector_info_hash: int64({ doc: 'Of embedding_text.' }),
  vector_info_hash_diff: boolean({ doc: 'Whether the last batch changed it.' }),
  casts_elements_hash: elementHashes,
  casts_total_hash: int64({ doc: 'Of all cast members, whatever their order.' }),
  casts_diff: text({ doc: 'JSON {added, removed}: credit ids.' }),
  crews_elements_hash: elementHashes,
  crews_total_hash: int64({ doc: 'Of all crew members, whatever their order.' }),
  crews_diff: text({ doc: 'JSON {added, removed}: credit ids.' }),
}

export const Movie = record({
  movie_id: int64(),
  title: maybeText(),
  original_title: maybeText(),
  overview: maybeText(),
  tagline: maybeText(),
  popularity: maybeNumber(),
  release_date: optional(date()),
  vote_average: maybeNumber(),
  vote_count: maybeWhole(),
  genres: listOf(named),
  belongs_to_collection: optional(nested(named)),
  production_countries: listOf(countries),
  spoken_languages: listOf(languages),
  original_language: maybeText(),
  status: maybeText(),
  runtime: maybeWhole(),
  poster_path: maybeText(),
  ...tracking,
  ...standing,
})

export const TvSeries = record({
  tv_series_id: int64(),
  name: maybeText(),
  original_name: maybeText(),
  overview: maybeText(),
  tagline: maybeText(),
  popularity: maybeNumber(),
  first_air_date: optional(date()),
  vote_average: maybeNumber(),
  vote_count: maybeWhole(),
  status: maybeText(),
  number_of_seasons: maybeWhole(),
  genres: listOf(named),
  production_countries: listOf(countries),
  spoken_languages: listOf(languages),
  original_language: maybeText(),
  poster_path: maybeText(),
  ...tracking,
  ...standing,
})

export const Person = record({
  person_id: int64(),
  name: maybeText(),
  gender: maybeWhole(),
  also_known_as: optional(list(optional(text()))),
  biography: maybeText(),
  birthday: optional(date()),
  deathday: optional(date()),
  place_of_birth: maybeText(),
  known_for_department: maybeText(),
  popularity: maybeNumber(),
  profile_path: maybeText(),
  ...standing,
})
