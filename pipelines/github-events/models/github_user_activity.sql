-- What every user did on every day they did something. A user is an actor's id; the login is the last one seen that day.
-- Ties: of hours the earliest, of repositories the first by name, of logins that of the later event by id.
WITH events AS (
  SELECT * FROM silver.github_events WHERE event_date IN (SELECT activity_date FROM touched)
),
days AS (
  SELECT
    actor_id,
    event_date AS activity_date,
    arg_max(actor_login, (created_at, event_id)) AS actor_login,
    count(*) AS total_events,
    count(DISTINCT event_id) AS unique_events,
    count(DISTINCT repo_id) AS repos_contributed_to,
    count(*) FILTER (event_type = 'PushEvent') AS push_events,
    count(*) FILTER (event_type = 'PullRequestEvent') AS pull_request_events,
    count(*) FILTER (event_type = 'IssuesEvent') AS issue_events,
    count(*) FILTER (event_type = 'IssueCommentEvent') AS issue_comment_events,
    count(*) FILTER (event_type = 'WatchEvent') AS watch_events,
    count(*) FILTER (event_type = 'ForkEvent') AS fork_events,
    count(*) FILTER (event_type = 'CreateEvent') AS create_events,
    count(*) FILTER (event_type = 'DeleteEvent') AS delete_events,
    count(*) FILTER (event_category = 'code_change') AS code_change_events,
    count(*) FILTER (event_category = 'pull_request') AS pull_request_related_events,
    count(*) FILTER (event_category = 'issue') AS issue_related_events,
    count(*) FILTER (event_category = 'social') AS social_events,
    CAST(coalesce(sum(push_commits_count), 0) AS BIGINT) AS total_commits,
    count(*) FILTER (pr_merged) AS merged_pull_requests,
    count(*) FILTER (is_main_branch) AS main_branch_events,
    count(*) FILTER (public) AS public_events,
    count(*) FILTER (NOT public) AS private_events,
    CAST(sum(activity_score) AS BIGINT) AS total_activity_score,
    avg(activity_score) AS avg_activity_score
  FROM events
  GROUP BY actor_id, event_date
),
hours AS (
  SELECT actor_id, event_date, event_hour
  FROM events
  GROUP BY actor_id, event_date, event_hour
  QUALIFY row_number() OVER (PARTITION BY actor_id, event_date ORDER BY count(*) DESC, event_hour) = 1
),
repos AS (
  SELECT actor_id, event_date, repo_name, count(*) AS event_count
  FROM events
  GROUP BY actor_id, event_date, repo_name
  QUALIFY row_number() OVER (PARTITION BY actor_id, event_date ORDER BY count(*) DESC, repo_name) = 1
),
-- Trends need the days before, of these users alone. Days without events are not there, and count as zero.
history AS (
  SELECT actor_id, event_date, count(*) AS events, coalesce(sum(push_commits_count), 0) AS commits
  FROM silver.github_events
  WHERE actor_id IN (SELECT actor_id FROM days)
  GROUP BY actor_id, event_date
),
trends AS (
  SELECT
    actor_id,
    event_date,
    sum(events) OVER week / 7.0 AS events_7day_avg,
    sum(commits) OVER week / 7.0 AS commits_7day_avg,
    CAST(sum(events) OVER before AS BIGINT) AS cumulative_events,
    CAST(sum(commits) OVER before AS BIGINT) AS cumulative_commits
  FROM history
  WINDOW
    week AS (PARTITION BY actor_id ORDER BY event_date RANGE BETWEEN INTERVAL 6 DAYS PRECEDING AND CURRENT ROW),
    before AS (PARTITION BY actor_id ORDER BY event_date)
)
SELECT
  days.actor_id,
  days.actor_login,
  days.activity_date,
  days.total_events,
  days.unique_events,
  days.repos_contributed_to,
  days.push_events,
  days.pull_request_events,
  days.issue_events,
  days.issue_comment_events,
  days.watch_events,
  days.fork_events,
  days.create_events,
  days.delete_events,
  days.code_change_events,
  days.pull_request_related_events,
  days.issue_related_events,
  days.social_events,
  days.total_commits,
  days.merged_pull_requests,
  days.main_branch_events,
  days.public_events,
  days.private_events,
  days.total_activity_score,
  days.avg_activity_score,
  hours.event_hour AS most_active_hour,
  repos.repo_name AS top_repo,
  repos.event_count AS top_repo_event_count,
  CAST(trends.events_7day_avg AS DOUBLE) AS events_7day_avg,
  CAST(trends.commits_7day_avg AS DOUBLE) AS commits_7day_avg,
  trends.cumulative_events,
  trends.cumulative_commits,
  CASE
    WHEN days.total_activity_score >= 50 THEN 'highly_active'
    WHEN days.total_activity_score >= 20 THEN 'active'
    WHEN days.total_activity_score >= 5 THEN 'moderate'
    ELSE 'low_activity'
  END AS user_activity_level,
  CASE
    WHEN days.code_change_events > 0.6 * days.total_events THEN 'developer'
    WHEN days.pull_request_related_events > 0.4 * days.total_events THEN 'reviewer'
    WHEN days.issue_related_events > 0.4 * days.total_events THEN 'issue_manager'
    WHEN days.social_events > 0.4 * days.total_events THEN 'community_member'
    ELSE 'generalist'
  END AS user_specialization,
  run_time() AS created_at
FROM days
JOIN hours ON hours.actor_id = days.actor_id AND hours.event_date = days.activity_date
JOIN repos ON repos.actor_id = days.actor_id AND repos.event_date = days.activity_date
JOIN trends ON trends.actor_id = days.actor_id AND trends.event_date = days.activity_date
