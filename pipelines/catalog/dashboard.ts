import { chart, dashboard, float64, int32, int64, record, text } from 'mekong'

const TITLES = `(SELECT title, release_date AS day, vote_average, vote_count, genres FROM silver.movies
  UNION ALL SELECT name, first_air_date, vote_average, vote_count, genres FROM silver.tv_series)`

/** Titles and the people behind them. */
export const catalogDashboard = dashboard(
  'Catalog',
  [
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
      about:
        'The five genres that have the most titles, and all others; a title with several genres counts in each.',
      sql: `WITH genred AS (SELECT year(day)::INTEGER AS year, unnest(genres).name AS genre FROM ${TITLES} WHERE day IS NOT NULL),
        main AS (SELECT genre FROM genred GROUP BY genre ORDER BY count(*) DESC, genre LIMIT 5)
      SELECT year, if(genre IN (SELECT genre FROM main), genre, 'other') AS genre, count(*) AS titles
      FROM genred GROUP BY ALL ORDER BY year, genre`,
      rows: record({ year: int32(), genre: text(), titles: int64() }),
      show: { kind: 'line', x: 'year', y: 'titles', series: 'genre' },
      width: 8,
    }),
    chart('Genres', {
      sql: `SELECT genre.name AS genre, count(*) AS titles FROM (SELECT unnest(genres) AS genre FROM ${TITLES}) GROUP BY genre.name ORDER BY titles DESC, genre LIMIT 12`,
      rows: record({ genre: text(), titles: int64() }),
      show: { kind: 'bar', x: 'genre', y: 'titles', lies: true },
      width: 4,
    }),
    chart('Ratings', {
      about: 'Titles with ten votes or more, by their mean vote.',
      sql: `SELECT floor(vote_average * 2) / 2 AS rating, count(*) AS titles FROM ${TITLES}
      WHERE vote_count >= 10 AND vote_average > 0 GROUP BY rating ORDER BY rating`,
      rows: record({ rating: float64(), titles: int64() }),
      show: { kind: 'bar', x: 'rating', y: 'titles' },
      width: 4,
    }),
    chart('Best loved', {
      sql: `SELECT title, vote_average AS rating, vote_count AS votes FROM ${TITLES} WHERE vote_count >= 10 ORDER BY rating DESC, votes DESC, title LIMIT 12`,
      rows: record({ title: text(), rating: float64(), votes: int64() }),
      show: { kind: 'table' },
      width: 4,
    }),
    chart('Most connected people', {
      about: 'By the titles that they played in or worked on.',
      sql: `WITH worked AS (
        SELECT unnest(casts).person_id AS person_id, 'movie ' || movie_id AS title FROM silver.movies
        UNION ALL SELECT unnest(crews).person_id, 'movie ' || movie_id FROM silver.movies
        UNION ALL SELECT unnest(casts).person_id, 'series ' || tv_series_id FROM silver.tv_series
        UNION ALL SELECT unnest(crews).person_id, 'series ' || tv_series_id FROM silver.tv_series),
        counted AS (SELECT person_id, name, count(DISTINCT title) AS titles FROM worked JOIN silver.people USING (person_id) GROUP BY ALL
          ORDER BY titles DESC, person_id LIMIT 12)
      SELECT if(count(*) OVER (PARTITION BY name) > 1, name || ' #' || person_id, name) AS name, titles FROM counted ORDER BY titles DESC, person_id`,
      rows: record({ name: text(), titles: int64() }),
      show: { kind: 'bar', x: 'name', y: 'titles', lies: true },
      width: 4,
    }),
  ],
  {
    words: {
      vi: {
        Catalog: 'Kho phim',
        Movies: 'Phim lẻ',
        Series: 'Phim bộ',
        People: 'Người',
        Rating: 'Điểm đánh giá',
        'Mean over titles with ten votes or more.':
          'Trung bình của những phim có từ mười lượt bình chọn.',
        'Titles by year': 'Phim theo năm và thể loại',
        'The five genres that have the most titles, and all others; a title with several genres counts in each.':
          'Năm thể loại nhiều phim nhất và phần còn lại; phim có nhiều thể loại được tính cho từng thể loại.',
        Genres: 'Thể loại',
        Ratings: 'Phân bố điểm',
        'Titles with ten votes or more, by their mean vote.':
          'Những phim có từ mười lượt bình chọn, theo điểm trung bình.',
        'Best loved': 'Được yêu thích nhất',
        'Most connected people': 'Người có nhiều mối liên hệ nhất',
        'By the titles that they played in or worked on.':
          'Theo số phim đã đóng hoặc tham gia làm.',
        title: 'tên',
        titles: 'phim',
        rating: 'điểm',
        votes: 'lượt bình chọn',
        year: 'năm',
        genre: 'thể loại',
      },
    },
  },
)
