-- Events tidied up: one spelling of a login, the parts of a repository's name, what kind of work it was, and what it counts for.
-- The day and the hour are those of the event, in UTC, whenever it arrived.
SELECT
  event_id,
  event_type,
  created_at,
  CAST(created_at AT TIME ZONE 'UTC' AS DATE) AS event_date,
  CAST(hour(created_at AT TIME ZONE 'UTC') AS INTEGER) AS event_hour,
  public,
  actor_id,
  lower(trim(actor_login)) AS actor_login,
  actor_url,
  actor_avatar_url,
  repo_id,
  trim(repo_name) AS repo_name,
  split_part(trim(repo_name), '/', 1) AS repo_owner,
  split_part(trim(repo_name), '/', 2) AS repo_project,
  repo_url,
  payload_action,
  payload_ref,
  payload_ref_type,
  push_size AS push_commits_count,
  push_distinct_size AS push_distinct_count,
  push_head_sha,
  regexp_replace(payload_ref, '^refs/(heads|tags)/', '') AS branch_or_tag_name,
  coalesce(payload_ref IN ('refs/heads/main', 'refs/heads/master'), false) AS is_main_branch,
  pr_number,
  pr_id,
  pr_state,
  trim(pr_title) AS pr_title,
  pr_merged,
  pr_merged_at,
  issue_number,
  trim(issue_title) AS issue_title,
  issue_state,
  CASE
    WHEN event_type = 'PushEvent' THEN 'code_change'
    WHEN event_type IN ('PullRequestEvent', 'PullRequestReviewEvent', 'PullRequestReviewCommentEvent') THEN 'pull_request'
    WHEN event_type IN ('IssuesEvent', 'IssueCommentEvent') THEN 'issue'
    WHEN event_type IN ('WatchEvent', 'ForkEvent') THEN 'social'
    WHEN event_type IN ('CreateEvent', 'DeleteEvent') THEN 'repo_management'
    WHEN event_type = 'ReleaseEvent' THEN 'release'
    ELSE 'other'
  END AS event_category,
  CASE
    WHEN event_type = 'PushEvent' THEN 2 * coalesce(push_size, 1)
    WHEN event_type = 'PullRequestEvent' AND pr_merged THEN 10
    WHEN event_type = 'PullRequestEvent' THEN 5
    WHEN event_type = 'IssuesEvent' THEN 3
    WHEN event_type = 'ForkEvent' THEN 2
    ELSE 1
  END AS activity_score,
  ingestion_date,
  processed_at,
  run_time() AS processing_timestamp,
  'silver.github_events_parsed' AS source_table
FROM incoming
