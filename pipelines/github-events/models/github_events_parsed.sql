-- Every event once, with what its payload says in columns of their own. Rows are added and never changed.
-- A payload that is a text holds JSON once more; one that holds none has no columns.
WITH arrived AS (
  SELECT *,
    CASE WHEN json_type(payload) = 'VARCHAR' THEN json_extract_string(payload, '$') ELSE payload END AS document
  FROM incoming
  -- Of an event that arrived twice the first one counts.
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY ingestion_timestamp, kafka_partition, kafka_offset) = 1
),
opened AS (
  SELECT *,
    CASE WHEN json_valid(document) THEN
      json_extract_string(document, [
        '$.action', '$.ref', '$.ref_type', '$.size', '$.distinct_size', '$.head', '$.number',
        '$.pull_request.id', '$.pull_request.state', '$.pull_request.title', '$.pull_request.merged',
        '$.pull_request.merged_at', '$.issue.number', '$.issue.title', '$.issue.state'
      ])
    END AS found
  FROM arrived
)
SELECT
  id AS event_id,
  type AS event_type,
  CAST(created_at AS TIMESTAMPTZ) AS created_at,
  public,
  actor_id,
  actor_login,
  actor_url,
  actor_avatar_url,
  repo_id,
  repo_name,
  repo_url,
  ingestion_date,
  run_time() AS processed_at,
  found[1] AS payload_action,
  found[2] AS payload_ref,
  found[3] AS payload_ref_type,
  TRY_CAST(found[4] AS INTEGER) AS push_size,
  TRY_CAST(found[5] AS INTEGER) AS push_distinct_size,
  found[6] AS push_head_sha,
  TRY_CAST(found[7] AS INTEGER) AS pr_number,
  TRY_CAST(found[8] AS BIGINT) AS pr_id,
  found[9] AS pr_state,
  found[10] AS pr_title,
  TRY_CAST(found[11] AS BOOLEAN) AS pr_merged,
  TRY_CAST(found[12] AS TIMESTAMPTZ) AS pr_merged_at,
  TRY_CAST(found[13] AS INTEGER) AS issue_number,
  found[14] AS issue_title,
  found[15] AS issue_state
FROM opened
