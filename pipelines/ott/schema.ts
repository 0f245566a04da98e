import { int64, optional, record, text, timestamp } from 'mekong'

/** One line of a content log: how long a device of a contract used an app on one day. */
export const ContentLog = record({
  log_id: optional(text({ doc: 'Id of the line in the export; unique within a day.' })),
  contract: optional(text({ doc: 'Contract of the customer; "0" stands for none.' })),
  mac: optional(text({ doc: 'Address of the device, 12 hexadecimal digits.' })),
  app_name: optional(text({ doc: 'App as the logs call it.' })),
  duration_s: optional(int64({ min: 0, max: 86_400, doc: 'Seconds.' })),
})

/** One search of one user. */
export const SearchLog = record({
  event_id: optional(text({ doc: 'Id of the event; unique within a day.' })),
  user_id: optional(text({ doc: 'Who searched; the text NULL stands for nobody.' })),
  keyword: optional(text({ doc: 'What was typed, as it was.' })),
  category: optional(text({ doc: 'Where the user was searching.' })),
  platform: optional(text()),
  network_type: optional(text()),
  action: optional(text()),
  searched_at_text: optional(text({ doc: 'Time as the client wrote it.' })),
  searched_at: optional(timestamp({ doc: 'The same as an instant, where it is one.' })),
})
