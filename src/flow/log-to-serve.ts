import type { Columns } from '../model/column.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import type { LogRecord } from '../model/record-batch.ts'
import type { RejectedRow, RowSet, Sink } from '../serve/sink.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { relationRows } from '../sql/duckdb/row-set.ts'
import type { TargetPort } from '../stream/ports.ts'
import type { PlannedHop } from './pipeline-hops.ts'

export interface ServeTargetOptions {
  readonly pipeline: string
  readonly hop: PlannedHop & { readonly kind: 'serve' }
  readonly sink: Sink
  readonly engine: ComputeEngine
}

/**
 * A serving store as a hop's target. The store's own transaction holds the rows and the cursor: either both are there or neither. The
 * store is opened when it is first needed, so that one that is away is waited for like any other trouble.
 */
export function serveTarget({ pipeline, hop, sink, engine }: ServeTargetOptions): TargetPort {
  const { columns } = hop.serve.target
  let opened: Promise<void> | undefined
  const open = () => {
    opened ??= sink.open().catch((error) => {
      opened = undefined
      throw error
    })
    return opened
  }

  return {
    async cursor() {
      await open()
      return sink.cursor(hop.consumer)
    },

    async skip(ranges) {
      const staged = await sink.stage(noRows(columns))
      return staged.commit(hop.consumer, ranges)
    },

    async stage({ relation }, signal) {
      const rows = relationRows(engine, { relation, columns, signal })
      const staged = await sink.stage(rows, signal)
      const records = await rows.records(staged.rejected.map(({ index }) => index))
      return {
        rejected: staged.rejected.map((row, index) =>
          deadLetter(pipeline, hop.name, row, records[index]!),
        ),
        commit: (ranges) => staged.commit(hop.consumer, ranges),
        abort: () => staged.abort(),
      }
    },
  }
}

function noRows(columns: Columns): RowSet {
  const nothing = async function* () {}
  return { columns, count: 0, csv: nothing, chunks: nothing }
}

function deadLetter(
  pipeline: string,
  hop: string,
  { reason, message }: RejectedRow,
  { id, ...record }: LogRecord,
): DeadLetter {
  return { pipeline, hop, ...record, recordId: id, reason, message }
}
