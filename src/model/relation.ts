import type { Columns } from './column.ts'

/**
 * A named set of rows inside the compute engine. Batches travel between rooms as this value, never as
 * arrays of objects; only the engine that made it can read it.
 */
export interface Relation {
  /** A quoted-safe identifier that the engine resolves, unique within the process. */
  readonly name: string
  readonly columns: Columns
  readonly rowCount: number
}

/**
 * The columns that every relation of a stream carries beside the user's own, in this order. They say
 * which record a row came from, and end up in bronze tables as they are.
 */
export const RECORD_COLUMNS = [
  { name: '_topic', type: 'string', nullable: false, doc: 'Topic the record was read from.' },
  { name: '_partition', type: 'int32', nullable: false, doc: 'Partition of the topic.' },
  { name: '_offset', type: 'int64', nullable: false, doc: 'Offset within the partition.' },
  { name: '_id', type: 'string', nullable: false, doc: 'Stable id of the record.' },
  { name: '_key', type: 'string', nullable: true, doc: 'Key of the record.' },
  {
    name: '_arrived_at',
    type: 'timestamp',
    nullable: false,
    doc: 'When the log took the record, UTC.',
  },
  { name: '_headers', type: 'string', nullable: true, doc: 'Headers as a JSON object of strings.' },
  { name: '_raw', type: 'string', nullable: false, doc: 'The value as it was received.' },
] as const satisfies Columns
