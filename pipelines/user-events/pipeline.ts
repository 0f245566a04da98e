import { day, int32, pipeline, postgres, processingTime, record, text, timestamp } from 'mekong'
import { userEventsDashboard } from './dashboard.ts'
import { ratings } from './loader.ts'
import { UserEvent } from './schema.ts'
import { simulator } from './simulator.ts'

/** Clicks and other events on movies: from a POST to a row in PostgreSQL and in a lake table, exactly once. */
export default pipeline('user-events', (p) => {
  const events = p.topic('user-events', {
    value: UserEvent,
    key: 'user_id',
    id: 'event_id',
    partitions: 3,
  })
  p.ingest('/events', events)

  p.table('bronze.user_events', { from: events, partitionBy: day('timestamp') })

  p.serve(
    events.select((e) => ({
      user_id: e.user_id,
      movie_id: e.movie_id,
      event_type: e.event_type,
      event_timestamp: e.timestamp,
      processed_at: processingTime(),
    })),
    postgres('user_events', {
      columns: record({
        user_id: int32(),
        movie_id: int32(),
        event_type: text({ max: 50 }),
        event_timestamp: timestamp(),
        processed_at: timestamp(),
      }),
      migrations: new URL('./migrations/', import.meta.url),
    }),
  )

  p.dashboard(userEventsDashboard)
  p.queries(new URL('./queries/', import.meta.url))
  p.simulate(simulator)
  p.load(ratings)
})
