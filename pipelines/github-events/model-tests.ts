import type { UnitTest } from 'mekong'

// The models tried on a few rows, each for a rule that is easily broken: `mekong test`.

const ARRIVED = { kafka_partition: 0, public: true, created_at: '2015-03-01T17:00:00Z' }

export const parsedTests: readonly UnitTest[] = [
  {
    name: 'of an event that arrived twice the first counts',
    given: {
      incoming: [
        { ...ARRIVED, id: 'a', ingestion_timestamp: '2026-01-01T00:00:01Z', repo_name: 'second' },
        { ...ARRIVED, id: 'a', ingestion_timestamp: '2026-01-01T00:00:00Z', repo_name: 'first' },
      ],
    },
    expect: [{ event_id: 'a', repo_name: 'first', payload_action: null }],
  },
  {
    name: "an issue's number is its own, a pull request's too",
    given: {
      incoming: [
        {
          ...ARRIVED,
          id: 'issue',
          payload: '{"action":"opened","issue":{"number":7,"title":"T"}}',
        },
        {
          ...{ ...ARRIVED, id: 'pull' },
          payload:
            '{"number":8,"pull_request":{"id":9,"merged":true,"merged_at":"2015-03-01T16:00:00Z","state":"closed"}}',
        },
      ],
    },
    expect: [
      { event_id: 'issue', issue_number: 7, issue_title: 'T', pr_number: null, pr_merged: null },
      {
        event_id: 'pull',
        issue_number: null,
        pr_number: 8,
        pr_id: 9,
        pr_merged: true,
        pr_state: 'closed',
      },
    ],
  },
  {
    name: 'a payload that is a text holds JSON, and one that holds none is let be',
    given: {
      incoming: [
        { ...ARRIVED, id: 'text', payload: '"{\\"size\\":3}"' },
        { ...ARRIVED, id: 'words', payload: '"just words"' },
        { ...ARRIVED, id: 'odd', payload: '{"size":"many","number":1e30,"issue":5}' },
      ],
    },
    expect: [
      { event_id: 'text', push_size: 3 },
      { event_id: 'words', push_size: null },
      { event_id: 'odd', push_size: null, pr_number: null, issue_number: null },
    ],
  },
]

/** Events of a user as SQL: what a day's row is made from, and nothing else. */
const events = (...rows: readonly string[]) => `
  SELECT id AS event_id, 1 AS actor_id, login AS actor_login, CAST(day AS DATE) AS event_date, CAST(day || ' 10:00:00+00' AS TIMESTAMPTZ) AS created_at,
    10 AS event_hour, type AS event_type, category AS event_category, repo AS repo_name, 5 AS repo_id, commits AS push_commits_count, score AS activity_score,
    false AS pr_merged, false AS is_main_branch, true AS public
  FROM (VALUES ${rows.join(', ')}) AS t(id, login, day, type, category, repo, commits, score)`

const PUSHES = events(
  `('1', 'old-name', '2015-03-01', 'PushEvent', 'code_change', 'b/b', 3, 6)`,
  `('2', 'new-name', '2015-03-01', 'WatchEvent', 'social', 'a/a', NULL, 1)`,
  `('3', 'new-name', '2015-03-07', 'PushEvent', 'code_change', 'a/a', 4, 8)`,
  `('4', 'new-name', '2015-03-08', 'PushEvent', 'code_change', 'a/a', 4, 50)`,
)

export const activityTests: readonly UnitTest[] = [
  {
    name: 'averages are over calendar days, the login is the last one, ties go to the first name',
    given: { 'silver.github_events': PUSHES, incoming: PUSHES },
    expect: [
      {
        ...{ activity_date: '2015-03-01', actor_login: 'new-name', top_repo: 'a/a' },
        ...{ cumulative_events: 2, cumulative_commits: 3, commits_7day_avg: 3 / 7 },
        ...{ user_activity_level: 'moderate', user_specialization: 'community_member' },
      },
      {
        // Six days later the first still counts.
        ...{ activity_date: '2015-03-07', actor_login: 'new-name', top_repo: 'a/a' },
        ...{ cumulative_events: 3, cumulative_commits: 7, commits_7day_avg: 7 / 7 },
        ...{ user_activity_level: 'moderate', user_specialization: 'developer' },
      },
      {
        ...{ activity_date: '2015-03-08', actor_login: 'new-name', top_repo: 'a/a' },
        ...{ cumulative_events: 4, cumulative_commits: 11, commits_7day_avg: 8 / 7 },
        ...{ user_activity_level: 'highly_active', user_specialization: 'developer' },
      },
    ],
  },
  {
    name: 'a day with new events is made anew, and the later days of the same user',
    given: {
      'silver.github_events': PUSHES,
      incoming: events(`('3', 'new-name', '2015-03-07', 'PushEvent', 'code_change', 'a/a', 4, 8)`),
    },
    expect: [{ activity_date: '2015-03-07' }, { activity_date: '2015-03-08' }],
  },
]
