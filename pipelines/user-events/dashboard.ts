import { chart, dashboard, float64, int32, int64, record, text, timestamp } from 'mekong'

/** What people do with movies, as it happens. */
export const userEventsDashboard = dashboard('User events', [
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
  chart('Events per hour', {
    sql: `SELECT time_bucket(INTERVAL 1 HOUR, "timestamp") AS hour, count(*) AS events
      FROM bronze.user_events
      WHERE "timestamp" > (SELECT max("timestamp") FROM bronze.user_events) - INTERVAL 48 HOUR
      GROUP BY hour ORDER BY hour`,
    rows: record({ hour: timestamp(), events: int64() }),
    show: { kind: 'area', x: 'hour', y: 'events' },
    width: 8,
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
  }),
  chart('Newest events', {
    sql: 'SELECT "timestamp" AS at, user_id, movie_id, event_type FROM bronze.user_events ORDER BY _arrived_at DESC, _offset DESC LIMIT 12',
    rows: record({ at: timestamp(), user_id: int32(), movie_id: int32(), event_type: text() }),
    show: { kind: 'table' },
  }),
])
