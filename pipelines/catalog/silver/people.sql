-- The person that each TMDB id stands for now; which record counts is as in movies.sql.
WITH
ranked AS (
  SELECT _topic, _partition, _offset, id_of_data_type, "timestamp", _arrived_at
  FROM incoming
  WHERE data_type = 'person'
  QUALIFY row_number() OVER (
    PARTITION BY id_of_data_type ORDER BY "timestamp" DESC, _arrived_at DESC, _offset DESC, _topic DESC
  ) = 1
),
due AS (
  SELECT ranked._topic, ranked._partition, ranked._offset, ranked.id_of_data_type AS person_id
  FROM ranked ANTI JOIN silver.people AS known
    ON known.person_id = ranked.id_of_data_type
    AND (known.record_timestamp, known.record_arrived_at, known.record_offset)
      >= (ranked."timestamp", ranked._arrived_at, ranked._offset)
),
newest AS (
  SELECT
    person_id,
    incoming.data_label = 'delete' AS is_deleted,
    incoming."timestamp" AS record_timestamp,
    incoming._arrived_at AS record_arrived_at,
    incoming._offset AS record_offset,
    json_transform(incoming._raw, '{"person_detail": {
      "name": "VARCHAR",
      "gender": "BIGINT",
      "also_known_as": ["VARCHAR"],
      "biography": "VARCHAR",
      "birthday": "VARCHAR",
      "deathday": "VARCHAR",
      "place_of_birth": "VARCHAR",
      "known_for_department": "VARCHAR",
      "popularity": "DOUBLE",
      "profile_path": "VARCHAR"
    }}') AS whole
  FROM incoming JOIN due USING (_topic, _partition, _offset)
),
parsed AS (
  SELECT
    person_id, is_deleted, record_timestamp, record_arrived_at, record_offset,
    whole.person_detail.name,
    whole.person_detail.gender,
    whole.person_detail.also_known_as,
    whole.person_detail.biography,
    try_cast(whole.person_detail.birthday AS DATE) AS birthday,
    try_cast(whole.person_detail.deathday AS DATE) AS deathday,
    whole.person_detail.place_of_birth,
    whole.person_detail.known_for_department,
    whole.person_detail.popularity,
    whole.person_detail.profile_path
  FROM newest
)
SELECT
  person_id,
  name,
  gender,
  also_known_as,
  biography,
  birthday,
  deathday,
  place_of_birth,
  known_for_department,
  popularity,
  profile_path,
  is_deleted,
  record_timestamp,
  record_arrived_at,
  record_offset,
  greatest(
    (SELECT coalesce(max(batch_version), 0) + 1 FROM silver.people),
    (SELECT max(epoch_us(_arrived_at)) FROM incoming)
  )::BIGINT AS batch_version
FROM parsed
