import type { Columns } from '../../model/column.ts'
import { RECORD_COLUMNS, type Relation } from '../../model/relation.ts'
import type { FilterStep, MapStep } from '../../model/step.ts'

/** A record that a step threw an error for. */
export interface FailedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly reason: 'step_failed'
  readonly message: string
}

/** What one group of steps made of a relation. */
export interface StepOutcome {
  readonly relation: Relation
  readonly failed: readonly FailedRecord[]
}

/** A step that is the user's own TypeScript. */
export type RowStep = MapStep | FilterStep

/** The columns that a relation has beside the record columns. */
export function ownColumns(columns: Columns): Columns {
  const record = new Set<string>(RECORD_COLUMNS.map((column) => column.name))
  return columns.filter((column) => !record.has(column.name))
}
