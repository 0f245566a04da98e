-- The series that each TMDB id stands for now. A record counts when it is newer than what is there; of equally old ones the
-- one that arrived later, then the one with the higher offset. A series that TMDB dropped stays as a tombstone, so that a late record
-- does not bring it back. Fields that changed their type in TMDB's JSON are null; nothing stops.
WITH
-- By position alone, so that no raw text is sorted.
ranked AS (
  SELECT _topic, _partition, _offset, id_of_data_type, "timestamp", _arrived_at
  FROM incoming
  WHERE data_type = 'tv_series'
  QUALIFY row_number() OVER (
    PARTITION BY id_of_data_type ORDER BY "timestamp" DESC, _arrived_at DESC, _offset DESC, _topic DESC
  ) = 1
),
-- Against what is there before anything is parsed, so that only what counts is.
due AS (
  SELECT ranked._topic, ranked._partition, ranked._offset, ranked.id_of_data_type AS tv_series_id
  FROM ranked ANTI JOIN silver.tv_series AS known
    ON known.tv_series_id = ranked.id_of_data_type
    AND (known.record_timestamp, known.record_arrived_at, known.record_offset)
      >= (ranked."timestamp", ranked._arrived_at, ranked._offset)
),
-- Of what is there, that which they are compared with: looked up for these alone, so that the engine need not hold raw text to find it.
known AS (
  SELECT
    there.tv_series_id,
    there.vector_info_hash AS known_vector_info_hash,
    there.casts_elements_hash AS known_casts,
    there.crews_elements_hash AS known_crews
  FROM silver.tv_series AS there JOIN due USING (tv_series_id)
),
compared AS (SELECT * FROM due LEFT JOIN known USING (tv_series_id)),
newest AS (
  SELECT
    tv_series_id,
    incoming.data_label = 'delete' AS is_deleted,
    incoming."timestamp" AS record_timestamp,
    incoming._arrived_at AS record_arrived_at,
    incoming._offset AS record_offset,
    known_vector_info_hash, known_casts, known_crews,
    json_transform(incoming._raw, '{"tv_series_detail": {
      "name": "VARCHAR",
      "original_name": "VARCHAR",
      "overview": "VARCHAR",
      "tagline": "VARCHAR",
      "popularity": "DOUBLE",
      "first_air_date": "VARCHAR",
      "vote_average": "DOUBLE",
      "vote_count": "BIGINT",
      "status": "VARCHAR",
      "number_of_seasons": "BIGINT",
      "genres": [{"id": "BIGINT", "name": "VARCHAR"}],
      "production_countries": [{"iso_3166_1": "VARCHAR", "name": "VARCHAR"}],
      "spoken_languages": [{"iso_639_1": "VARCHAR", "name": "VARCHAR"}],
      "original_language": "VARCHAR",
      "poster_path": "VARCHAR"
      },
      "casts_info": [{"person_id": "BIGINT", "cast_id": "BIGINT", "credit_id": "VARCHAR", "character": "VARCHAR", "known_for_department": "VARCHAR"}],
      "crews_info": [{"person_id": "BIGINT", "credit_id": "VARCHAR", "department": "VARCHAR", "job": "VARCHAR", "known_for_department": "VARCHAR"}]
    }') AS whole
  FROM incoming JOIN compared USING (_topic, _partition, _offset)
),
parsed AS (
  SELECT
    tv_series_id, is_deleted, record_timestamp, record_arrived_at, record_offset,
    known_vector_info_hash, known_casts, known_crews,
    whole.tv_series_detail.name,
    whole.tv_series_detail.original_name,
    whole.tv_series_detail.overview,
    whole.tv_series_detail.tagline,
    whole.tv_series_detail.popularity,
    try_cast(whole.tv_series_detail.first_air_date AS DATE) AS first_air_date,
    whole.tv_series_detail.vote_average,
    whole.tv_series_detail.vote_count,
    whole.tv_series_detail.status,
    whole.tv_series_detail.number_of_seasons,
    whole.tv_series_detail.genres,
    whole.tv_series_detail.production_countries,
    whole.tv_series_detail.spoken_languages,
    whole.tv_series_detail.original_language,
    whole.tv_series_detail.poster_path,
    -- A credit without an id is named after what it says, its series included.
    [{
      'credit_id': coalesce(c.credit_id, 'c' || md5(concat_ws(chr(31), 'tv_series', tv_series_id, 'cast', c.person_id, c.cast_id, c."character"))),
      'person_id': c.person_id, 'cast_id': c.cast_id, 'character': c."character", 'known_for_department': c.known_for_department
    } FOR c IN coalesce(whole.casts_info, []) IF c.person_id IS NOT NULL] AS all_casts,
    [{
      'credit_id': coalesce(c.credit_id, 'w' || md5(concat_ws(chr(31), 'tv_series', tv_series_id, 'crew', c.person_id, c.department, c.job))),
      'person_id': c.person_id, 'department': c.department, 'job': c.job, 'known_for_department': c.known_for_department
    } FOR c IN coalesce(whole.crews_info, []) IF c.person_id IS NOT NULL] AS all_crews
  FROM newest
),
credited AS (
  SELECT
    *,
    [c.credit_id FOR c IN all_casts] AS cast_ids,
    [c.credit_id FOR c IN all_crews] AS crew_ids
  FROM parsed
),
once AS (
  SELECT
    *,
    list_filter(all_casts, lambda c, i: list_position(cast_ids, c.credit_id) = i) AS casts,
    list_filter(all_crews, lambda c, i: list_position(crew_ids, c.credit_id) = i) AS crews,
    CASE WHEN NOT is_deleted THEN concat_ws(
      ' | ', name, nullif(overview, ''), nullif(tagline, ''), nullif(list_aggregate([g.name FOR g IN genres], 'string_agg', ', '), '')
    ) END AS embedding_text
  FROM credited
),
hashed AS (
  SELECT
    *,
    [{'id': c.credit_id, 'hash': md5(to_json(c)::VARCHAR)} FOR c IN casts] AS casts_elements_hash,
    [{'id': c.credit_id, 'hash': md5(to_json(c)::VARCHAR)} FOR c IN crews] AS crews_elements_hash
  FROM once
),
tracked AS (
  SELECT
    *,
    ('0x' || md5(coalesce(embedding_text, ''))[1:13])::BIGINT AS vector_info_hash,
    ('0x' || md5(coalesce(list_aggregate(list_sort([e.hash FOR e IN casts_elements_hash]), 'string_agg', ','), ''))[1:13])::BIGINT AS casts_total_hash,
    ('0x' || md5(coalesce(list_aggregate(list_sort([e.hash FOR e IN crews_elements_hash]), 'string_agg', ','), ''))[1:13])::BIGINT AS crews_total_hash
  FROM hashed
)
SELECT
  tv_series_id,
  name,
  original_name,
  overview,
  tagline,
  popularity,
  first_air_date,
  vote_average,
  vote_count,
  status,
  number_of_seasons,
  genres,
  production_countries,
  spoken_languages,
  original_language,
  poster_path,
  casts,
  crews,
  embedding_text,
  vector_info_hash,
  known_vector_info_hash IS DISTINCT FROM vector_info_hash AS vector_info_hash_diff,
  casts_elements_hash,
  casts_total_hash,
  to_json({
    'added': [e.id FOR e IN casts_elements_hash IF NOT list_contains(coalesce(known_casts, []), e)],
    'removed': [e.id FOR e IN coalesce(known_casts, []) IF NOT list_contains(casts_elements_hash, e)]
  })::VARCHAR AS casts_diff,
  crews_elements_hash,
  crews_total_hash,
  to_json({
    'added': [e.id FOR e IN crews_elements_hash IF NOT list_contains(coalesce(known_crews, []), e)],
    'removed': [e.id FOR e IN coalesce(known_crews, []) IF NOT list_contains(crews_elements_hash, e)]
  })::VARCHAR AS crews_diff,
  is_deleted,
  record_timestamp,
  record_arrived_at,
  record_offset,
  greatest(
    (SELECT coalesce(max(batch_version), 0) + 1 FROM silver.tv_series),
    (SELECT max(epoch_us(_arrived_at)) FROM incoming)
  )::BIGINT AS batch_version
FROM tracked
