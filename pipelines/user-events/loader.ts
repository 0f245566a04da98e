import type { LoaderPlan } from 'mekong'

/**
 * Movie ratings as CSV with the columns user_id, imdb_id, rating, ts: each becomes a `rate` event. The id says who
 * rated what and when, so loading a file twice adds nothing.
 */
export const ratings: LoaderPlan = {
  description: 'Ratings in CSV (user_id, imdb_id, rating, ts) as rate events',
  path: '/events',
  format: 'csv',
  matches: /\.csv(\.gz)?$/,
  event: ({ user_id, imdb_id, rating, ts }) => ({
    user_id: Number(user_id),
    movie_id: Number(String(imdb_id).replace(/^tt/, '')),
    event_type: 'rate',
    timestamp: Number(ts),
    rating: Number(rating),
    event_id: `rate-${user_id}-${imdb_id}-${ts}-${rating}`,
  }),
}
