import { chart, dashboard, float64, int32, int64, record, text } from 'mekong'

const TITLES = `(SELECT title, release_date AS day, vote_average, vote_count, genres FROM silver.movies
  UNION ALL SELECT name, first_air_date, vote_average, vote_count, genres FROM silver.tv_series)`

/** Titles and the people behind them. */
export const catalogDashboard = dashboard('Catalog', [
  chart('Movies', {
    sql: 'SELECT count(*) AS movies FROM silver.movies',
    rows: record({ movies: int64() }),
    show: { kind: 'number', value: 'movies' },
  }),
  chart('Series', {
    sql: 'SELECT count(*) AS series FROM silver.tv_series',
    rows: record({ series: int64() }),
    show: { kind: 'number', value: 'series' },
  }),
  chart('People', {
    sql: 'SELECT count(*) AS people FROM silver.people',
    rows: record({ people: int64() }),
    show: { kind: 'number', value: 'people' },
  }),
  chart('Rating', {
    about: 'Mean over titles with ten votes or more.',
    sql: `SELECT avg(vote_average) AS rating FROM ${TITLES} WHERE vote_count >= 10`,
    rows: record({ rating: float64() }),
    show: { kind: 'number', value: 'rating' },
  }),
  chart('Titles by year', {
    sql: `SELECT year(day)::INTEGER AS year, count(*) AS titles FROM ${TITLES} WHERE day IS NOT NULL GROUP BY year ORDER BY year`,
    rows: record({ year: int32(), titles: int64() }),
    show: { kind: 'bar', x: 'year', y: 'titles' },
    width: 8,
  }),
  chart('Genres', {
    sql: `SELECT genre.name AS genre, count(*) AS titles FROM (SELECT unnest(genres) AS genre FROM ${TITLES}) GROUP BY genre.name ORDER BY titles DESC, genre LIMIT 12`,
    rows: record({ genre: text(), titles: int64() }),
    show: { kind: 'bar', x: 'genre', y: 'titles', lies: true },
    width: 4,
  }),
  chart('Best loved', {
    sql: `SELECT title, vote_average AS rating, vote_count AS votes FROM ${TITLES} WHERE vote_count >= 10 ORDER BY rating DESC, votes DESC, title LIMIT 12`,
    rows: record({ title: text(), rating: float64(), votes: int64() }),
    show: { kind: 'table' },
  }),
  chart('Most connected people', {
    sql: `SELECT name, count(DISTINCT title) AS titles FROM (
        SELECT unnest(casts).person_id AS person_id, 'movie ' || movie_id AS title FROM silver.movies
        UNION ALL SELECT unnest(crews).person_id, 'movie ' || movie_id FROM silver.movies
        UNION ALL SELECT unnest(casts).person_id, 'series ' || tv_series_id FROM silver.tv_series)
      JOIN silver.people USING (person_id) GROUP BY name ORDER BY titles DESC, name LIMIT 12`,
    rows: record({ name: text(), titles: int64() }),
    show: { kind: 'bar', x: 'name', y: 'titles', lies: true },
  }),
])
