-- Where most was done.
SELECT repo_name, count(*) AS events, count(DISTINCT actor_id) AS users, sum(push_commits_count) AS commits,
  count(*) FILTER (pr_merged) AS merged_pull_requests
FROM silver.github_events
GROUP BY repo_name
ORDER BY events DESC, repo_name
LIMIT 20
