import type { Columns } from '../../model/column.ts'

/** What every version of a row carries beside the row. In the engine an open end is infinity; in the lake it is null. */
export const VERSION_COLUMNS = [
  { name: 'valid_from', type: 'timestamp', nullable: false, doc: 'Inclusive.' },
  { name: 'valid_to', type: 'timestamp', nullable: true, doc: 'Exclusive; null while it holds.' },
  { name: 'known_at', type: 'timestamp', nullable: false, doc: 'When this was written.' },
] as const satisfies Columns

/** The first version of a row holds for all time before it, so that orders older than the platform find it. */
export const BEGINNING_SQL = `TIMESTAMPTZ '1900-01-01 00:00:00+00'`
export const OPEN_SQL = `'infinity'::TIMESTAMPTZ`

export interface ReferenceFacts {
  readonly name: string
  readonly key: string
  readonly columns: Columns
}
