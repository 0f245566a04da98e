"""The numbers of github-events worked out again with pandas, from the files of GH Archive and nothing of ours.

python independent.py FILE... prints one JSON object: counts by type and category, the total score, and every user's day.
"""
import gzip, json, sys
from collections import Counter, defaultdict
import pandas as pd

CATEGORY = {
    'PushEvent': 'code_change',
    'PullRequestEvent': 'pull_request', 'PullRequestReviewEvent': 'pull_request', 'PullRequestReviewCommentEvent': 'pull_request',
    'IssuesEvent': 'issue', 'IssueCommentEvent': 'issue',
    'WatchEvent': 'social', 'ForkEvent': 'social',
    'CreateEvent': 'repo_management', 'DeleteEvent': 'repo_management',
    'ReleaseEvent': 'release',
}
FLAT = {'IssuesEvent': 3, 'ForkEvent': 2}


def flat(event):
    payload = event['payload']
    kind = event['type']
    merged = bool((payload.get('pull_request') or {}).get('merged'))
    commits = payload.get('size') if isinstance(payload.get('size'), int) else None
    if kind == 'PushEvent':
        score = 2 * (1 if commits is None else commits)
    elif kind == 'PullRequestEvent':
        score = 10 if merged else 5
    else:
        score = FLAT.get(kind, 1)
    at = pd.Timestamp(event['created_at'])
    return {
        'id': event['id'], 'type': kind, 'category': CATEGORY.get(kind, 'other'), 'at': at, 'date': at.strftime('%Y-%m-%d'), 'hour': at.hour,
        'actor_id': event['actor']['id'], 'login': event['actor']['login'].strip().lower(),
        'repo_id': event['repo']['id'], 'repo': event['repo']['name'].strip(),
        'commits': commits or 0, 'score': score, 'merged': merged, 'public': event['public'],
        'main': payload.get('ref') in ('refs/heads/main', 'refs/heads/master'),
    }


def most(counts):
    best = max(counts.values())
    return min(value for value, count in counts.items() if count == best), best


def level(score):
    return 'highly_active' if score >= 50 else 'active' if score >= 20 else 'moderate' if score >= 5 else 'low_activity'


def specialization(share):
    if share('code_change') > 0.6:
        return 'developer'
    for category, name in (('pull_request', 'reviewer'), ('issue', 'issue_manager'), ('social', 'community_member')):
        if share(category) > 0.4:
            return name
    return 'generalist'


def day_of_user(rows):
    kinds, categories = Counter(row.type for row in rows), Counter(row.category for row in rows)
    score = sum(row.score for row in rows)
    top_repo, top_count = most(Counter(row.repo for row in rows))
    return {
        'actor_login': max(rows, key=lambda row: (row.at, row.id)).login,
        'total_events': len(rows), 'unique_events': len({row.id for row in rows}), 'repos_contributed_to': len({row.repo_id for row in rows}),
        'push_events': kinds['PushEvent'], 'pull_request_events': kinds['PullRequestEvent'], 'issue_events': kinds['IssuesEvent'],
        'issue_comment_events': kinds['IssueCommentEvent'], 'watch_events': kinds['WatchEvent'], 'fork_events': kinds['ForkEvent'],
        'create_events': kinds['CreateEvent'], 'delete_events': kinds['DeleteEvent'],
        'code_change_events': categories['code_change'], 'pull_request_related_events': categories['pull_request'],
        'issue_related_events': categories['issue'], 'social_events': categories['social'],
        'total_commits': sum(row.commits for row in rows), 'merged_pull_requests': sum(row.merged for row in rows),
        'main_branch_events': sum(row.main for row in rows),
        'public_events': sum(row.public for row in rows), 'private_events': sum(not row.public for row in rows),
        'total_activity_score': score, 'avg_activity_score': score / len(rows),
        'most_active_hour': most(Counter(row.hour for row in rows))[0], 'top_repo': top_repo, 'top_repo_event_count': top_count,
        'user_activity_level': level(score), 'user_specialization': specialization(lambda category: categories[category] / len(rows)),
    }


def trends(users):
    """Sums so far, and means over seven calendar days of which the missing ones are zero; one column a user, one row a day."""
    users['day'] = pd.to_datetime(users.date)
    for name in ('events', 'commits'):
        daily = users.pivot(index='day', columns='actor_id', values=f'total_{name}').asfreq('D').fillna(0)
        for column, values in ((f'{name}_7day_avg', daily.rolling(7, min_periods=1).sum() / 7), (f'cumulative_{name}', daily.cumsum())):
            users[column] = [values.at[day, actor] for day, actor in zip(users.day, users.actor_id)]
    return users.drop(columns='day')


def main(files):
    lines = [line for file in files for line in gzip.open(file, 'rt', encoding='utf8')]
    events = pd.DataFrame(flat(json.loads(line)) for line in lines).drop_duplicates('id')
    of_user = defaultdict(list)
    for row in events.itertuples():
        of_user[row.actor_id, row.date].append(row)
    users = trends(pd.DataFrame({'actor_id': actor, 'date': date, **day_of_user(rows)} for (actor, date), rows in of_user.items()))
    print(json.dumps({
        'by_type': events.type.value_counts().to_dict(),
        'by_category': events.category.value_counts().to_dict(),
        'total_score': int(events.score.sum()),
        'users': json.loads(users.sort_values(['actor_id', 'date']).to_json(orient='records')),
    }))


main(sys.argv[1:])
