import { pipeline } from 'mekong'
import { UserEvent } from '../../pipelines/user-events/schema.ts'

/** The front door of user-events and its topic, with nothing behind: what the gateway and the log cost by themselves. */
export default pipeline('door-only', (p) => {
  const events = p.topic('user-events', {
    value: UserEvent,
    key: 'user_id',
    id: 'event_id',
    partitions: 3,
  })
  p.ingest('/events', events)
})
