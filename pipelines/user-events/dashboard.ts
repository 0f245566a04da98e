import { chart, dashboard, float64, int32, int64, record, text, timestamp } from 'mekong'

/** What people do with movies, as it happens. */
export const userEventsDashboard = dashboard(
  'User events',
  [
    chart('Events', {
      sql: 'SELECT count(*) AS events FROM bronze.user_events',
      rows: record({ events: int64() }),
      show: { kind: 'number', value: 'events' },
    }),
    chart('People', {
      sql: 'SELECT count(DISTINCT user_id) AS people FROM bronze.user_events',
      rows: record({ people: int64() }),
      show: { kind: 'number', value: 'people' },
    }),
    chart('Movies', {
      sql: 'SELECT count(DISTINCT movie_id) AS movies FROM bronze.user_events',
      rows: record({ movies: int64() }),
      show: { kind: 'number', value: 'movies' },
    }),
    chart('From the event to the door', {
      about: 'Median time between an event and its arrival, of the newest thousand.',
      sql: `SELECT median(epoch(_arrived_at) - epoch("timestamp")) AS seconds
      FROM (SELECT * FROM bronze.user_events ORDER BY _arrived_at DESC LIMIT 1000)`,
      rows: record({ seconds: float64() }),
      show: { kind: 'number', value: 'seconds', unit: 's' },
    }),
    chart('Events per minute', {
      about: 'The two hours up to the newest event.',
      sql: `SELECT minute, count(e."timestamp") AS events
      FROM (SELECT unnest(generate_series(newest - INTERVAL 2 HOUR, newest, INTERVAL 1 MINUTE)) AS minute
        FROM (SELECT time_bucket(INTERVAL 1 MINUTE, max("timestamp")) AS newest FROM bronze.user_events))
      LEFT JOIN bronze.user_events e ON time_bucket(INTERVAL 1 MINUTE, e."timestamp") = minute
      GROUP BY minute ORDER BY minute`,
      rows: record({ minute: timestamp(), events: int64() }),
      show: { kind: 'area', x: 'minute', y: 'events' },
      width: 6,
    }),
    chart('Events per hour', {
      about: 'The two days up to the newest event.',
      sql: `SELECT time_bucket(INTERVAL 1 HOUR, "timestamp") AS hour, count(*) AS events
      FROM bronze.user_events
      WHERE "timestamp" > (SELECT max("timestamp") FROM bronze.user_events) - INTERVAL 48 HOUR
      GROUP BY hour ORDER BY hour`,
      rows: record({ hour: timestamp(), events: int64() }),
      show: { kind: 'area', x: 'hour', y: 'events' },
      width: 6,
    }),
    chart('Types', {
      sql: 'SELECT event_type, count(*) AS events FROM bronze.user_events GROUP BY event_type ORDER BY events DESC, event_type LIMIT 12',
      rows: record({ event_type: text(), events: int64() }),
      show: { kind: 'bar', x: 'event_type', y: 'events', lies: true },
      width: 4,
    }),
    chart('Movies that move people', {
      sql: 'SELECT movie_id::VARCHAR AS movie, count(*) AS events FROM bronze.user_events GROUP BY movie_id ORDER BY events DESC, movie_id LIMIT 10',
      rows: record({ movie: text(), events: int64() }),
      show: { kind: 'bar', x: 'movie', y: 'events', lies: true },
      width: 4,
    }),
    chart('Time to the door', {
      about:
        'Seconds between an event and its arrival, events by hour of arrival: half of them, and 95 of 100, are faster.',
      sql: `SELECT time_bucket(INTERVAL 1 HOUR, _arrived_at) AS hour, quantile_cont(waited, 0.5) AS half, quantile_cont(waited, 0.95) AS most
      FROM (SELECT _arrived_at, epoch(_arrived_at) - epoch("timestamp") AS waited FROM bronze.user_events
        WHERE _arrived_at > (SELECT max(_arrived_at) FROM bronze.user_events) - INTERVAL 48 HOUR)
      GROUP BY hour ORDER BY hour`,
      rows: record({ hour: timestamp(), half: float64(), most: float64() }),
      show: { kind: 'bar', x: 'hour', y: ['half', 'most'], unit: 's' },
      width: 4,
    }),
    chart('Newest events', {
      sql: `SELECT "timestamp" AS at, user_id, movie_id, event_type, round(epoch(_arrived_at) - epoch("timestamp"), 3) AS seconds
      FROM bronze.user_events ORDER BY _arrived_at DESC, _offset DESC LIMIT 12`,
      rows: record({
        at: timestamp(),
        user_id: int32(),
        movie_id: int32(),
        event_type: text(),
        seconds: float64(),
      }),
      show: { kind: 'table' },
      width: 12,
    }),
  ],
  {
    words: {
      vi: {
        'User events': 'Sự kiện người dùng',
        Events: 'Sự kiện',
        People: 'Người dùng',
        Movies: 'Phim',
        'From the event to the door': 'Từ lúc xảy ra đến lúc nhận',
        'Median time between an event and its arrival, of the newest thousand.':
          'Trung vị thời gian từ khi sự kiện xảy ra đến khi được nhận, tính trên một nghìn sự kiện mới nhất.',
        'Events per minute': 'Sự kiện mỗi phút',
        'The two hours up to the newest event.': 'Hai giờ tính đến sự kiện mới nhất.',
        'Events per hour': 'Sự kiện mỗi giờ',
        'The two days up to the newest event.': 'Hai ngày tính đến sự kiện mới nhất.',
        Types: 'Loại sự kiện',
        'Movies that move people': 'Phim được quan tâm nhất',
        'Time to the door': 'Thời gian đến cửa nhận',
        'Seconds between an event and its arrival, events by hour of arrival: half of them, and 95 of 100, are faster.':
          'Số giây từ khi xảy ra đến khi nhận, theo giờ nhận: một nửa, và 95 trên 100 sự kiện, nhanh hơn mức này.',
        'Newest events': 'Sự kiện mới nhất',
        at: 'lúc',
        user_id: 'người dùng',
        movie_id: 'phim',
        event_type: 'loại',
        seconds: 'giây',
        events: 'sự kiện',
        half: 'một nửa',
        most: '95 trên 100',
      },
    },
  },
)
