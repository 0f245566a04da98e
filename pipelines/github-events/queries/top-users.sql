-- Who did most, by day.
SELECT activity_date, actor_login, total_events, total_commits, total_activity_score, user_activity_level, user_specialization, top_repo
FROM gold.github_user_activity
ORDER BY total_activity_score DESC, actor_id
LIMIT 20
