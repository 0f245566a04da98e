import { chart, dashboard, date, float64, int32, int64, record, text } from 'mekong'

/** Who does what on GitHub, and when. */
export const githubEventsDashboard = dashboard(
  'GitHub events',
  [
    chart('Events', {
      sql: 'SELECT count(*) AS events FROM silver.github_events',
      rows: record({ events: int64() }),
      show: { kind: 'number', value: 'events' },
    }),
    chart('People', {
      sql: 'SELECT count(DISTINCT actor_id) AS people FROM gold.github_user_activity',
      rows: record({ people: int64() }),
      show: { kind: 'number', value: 'people' },
    }),
    chart('Commits', {
      sql: 'SELECT sum(total_commits)::BIGINT AS commits FROM gold.github_user_activity',
      rows: record({ commits: int64() }),
      show: { kind: 'number', value: 'commits' },
    }),
    chart('Score of activity', {
      sql: 'SELECT sum(total_activity_score)::BIGINT AS score FROM gold.github_user_activity',
      rows: record({ score: int64() }),
      show: { kind: 'number', value: 'score' },
    }),
    chart('By hour of the day (UTC)', {
      sql: 'SELECT event_hour, event_category, count(*) AS events FROM silver.github_events GROUP BY ALL ORDER BY ALL',
      rows: record({ event_hour: int32(), event_category: text(), events: int64() }),
      show: { kind: 'line', x: 'event_hour', y: 'events', series: 'event_category' },
      width: 8,
    }),
    chart('Categories', {
      sql: 'SELECT event_category, count(*) AS events FROM silver.github_events GROUP BY event_category ORDER BY events DESC',
      rows: record({ event_category: text(), events: int64() }),
      show: { kind: 'bar', x: 'event_category', y: 'events', lies: true },
      width: 4,
    }),
    chart('How active people are', {
      sql: 'SELECT user_activity_level AS level, count(*) AS people FROM gold.github_user_activity GROUP BY level ORDER BY people DESC',
      rows: record({ level: text(), people: int64() }),
      show: { kind: 'bar', x: 'level', y: 'people', lies: true },
    }),
    chart('What they are', {
      sql: 'SELECT user_specialization AS kind, count(*) AS people FROM gold.github_user_activity GROUP BY kind ORDER BY people DESC',
      rows: record({ kind: text(), people: int64() }),
      show: { kind: 'bar', x: 'kind', y: 'people', lies: true },
    }),
    chart('Most active people', {
      sql: `SELECT actor_login AS login, sum(total_events)::BIGINT AS events, sum(total_commits)::BIGINT AS commits, sum(total_activity_score)::BIGINT AS score
      FROM gold.github_user_activity GROUP BY actor_login ORDER BY score DESC, login LIMIT 12`,
      rows: record({ login: text(), events: int64(), commits: int64(), score: int64() }),
      show: { kind: 'table' },
    }),
    chart('Busiest repositories', {
      sql: 'SELECT repo_name AS repository, count(*) AS events FROM silver.github_events GROUP BY repo_name ORDER BY events DESC, repository LIMIT 12',
      rows: record({ repository: text(), events: int64() }),
      show: { kind: 'bar', x: 'repository', y: 'events', lies: true },
    }),
    chart('Seven days', {
      about:
        'Events of the newest 60 days that have any, and the mean of the seven days up to each.',
      sql: `SELECT activity_date, events, average FROM (
        SELECT activity_date, sum(total_events)::DOUBLE AS events,
          avg(sum(total_events)) OVER (ORDER BY activity_date RANGE BETWEEN INTERVAL 6 DAY PRECEDING AND CURRENT ROW) AS average
        FROM gold.github_user_activity GROUP BY activity_date ORDER BY activity_date DESC LIMIT 60)
      WHERE activity_date > (SELECT max(activity_date) - 60 FROM gold.github_user_activity) ORDER BY activity_date`,
      rows: record({ activity_date: date(), events: float64(), average: float64() }),
      show: { kind: 'line', x: 'activity_date', y: ['events', 'average'] },
      width: 6,
    }),
    chart('Rising and falling in seven days', {
      about:
        'People whose daily events are furthest from their own mean of seven days, on the newest day.',
      sql: `SELECT actor_login AS login, total_events AS events, round(events_7day_avg, 1) AS average, round(total_events - events_7day_avg, 1) AS difference
      FROM gold.github_user_activity WHERE activity_date = (SELECT max(activity_date) FROM gold.github_user_activity)
      ORDER BY abs(total_events - events_7day_avg) DESC, login LIMIT 10`,
      rows: record({ login: text(), events: int64(), average: float64(), difference: float64() }),
      show: { kind: 'table' },
    }),
  ],
  {
    words: {
      vi: {
        'GitHub events': 'Sự kiện GitHub',
        Events: 'Sự kiện',
        People: 'Người dùng',
        Commits: 'Commit',
        'Score of activity': 'Điểm hoạt động',
        'By hour of the day (UTC)': 'Theo giờ trong ngày (UTC)',
        Categories: 'Nhóm sự kiện',
        'How active people are': 'Mức độ hoạt động',
        'What they are': 'Chuyên môn',
        'Most active people': 'Người hoạt động nhiều nhất',
        'Busiest repositories': 'Kho mã bận rộn nhất',
        'Seven days': 'Bảy ngày',
        'Events of the newest 60 days that have any, and the mean of the seven days up to each.':
          'Sự kiện của 60 ngày gần nhất có dữ liệu, và trung bình bảy ngày tính đến mỗi ngày.',
        'Rising and falling in seven days': 'Tăng giảm trong bảy ngày',
        'People whose daily events are furthest from their own mean of seven days, on the newest day.':
          'Người có số sự kiện trong ngày gần nhất lệch nhiều nhất so với trung bình bảy ngày của chính họ.',
        login: 'tài khoản',
        events: 'sự kiện',
        commits: 'commit',
        score: 'điểm',
        people: 'người',
        average: 'trung bình',
        difference: 'chênh lệch',
        repository: 'kho mã',
      },
    },
  },
)
