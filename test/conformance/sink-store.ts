import type { Columns } from '../../src/model/column.ts'
import type { Sink } from '../../src/serve/sink.ts'
import type { MemoryRow } from '../memory-row-set.ts'

/** A store under test. */
export interface SinkStore {
  /** On 127.0.0.1. */
  readonly port: number
  /** What a client sends when it commits. */
  readonly commitBytes: Buffer
  newTarget(options: TargetOptions): Promise<SinkTarget>
  stop(): Promise<void>
}

export interface TargetOptions {
  readonly columns: Columns
  /** Text columns that take no more than so many characters. */
  readonly lengthMax?: Readonly<Record<string, number>>
  /** A column whose values are unique. */
  readonly unique?: string
}

/** A table of its own, not there before the first `open`. */
export interface SinkTarget {
  /** A new sink for the table; several may live at once. */
  sink(port: number): Sink
  /** The same table with other expectations: a sink that must not open. */
  sinkExpecting(port: number, columns: Columns): Sink
  /** All rows ordered by the first column, in the form of `RowSet.chunks`. */
  rows(): Promise<readonly MemoryRow[]>
}
