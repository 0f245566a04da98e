import { type Body, epoch, int32, optional, record, text } from 'mekong'

/** One thing that one user did with one movie. Fields beyond these are kept in the bronze table as received. */
export const UserEvent = record({
  user_id: int32({ doc: 'Who did it.' }),
  movie_id: int32({ doc: 'With which movie.' }),
  event_type: text({ min: 1, max: 50, doc: 'What was done, such as click, watch or rate.' }),
  timestamp: epoch({ doc: 'When: epoch seconds, milliseconds, microseconds or nanoseconds.' }),
  event_id: optional(
    text({
      min: 1,
      max: 200,
      doc: 'Name of the event. Sending the same one again changes nothing.',
    }),
  ),
})

export type UserEvent = Body<typeof UserEvent>
