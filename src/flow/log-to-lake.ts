import type { ConsumedRange, Cursor, PartitionCursor } from '../model/consumed.ts'
import { advance } from '../model/consumed.ts'
import type { CommitOutcome, TargetPort } from '../stream/ports.ts'
import type { HopTable, StagedRows } from './lake-table.ts'
import type { PlannedHop } from './pipeline-hops.ts'

export interface LakeTargetOptions {
  readonly hop: PlannedHop & { readonly kind: 'table' }
  /** Opens the table, making it if need be; asked once it is first needed, and again after a failure. */
  readonly open: () => Promise<HopTable>
}

/** The totals of a cursor line, each an application id of its own beside the offset's. */
const TOTALS = ['rows', 'dead', 'filtered'] as const

/**
 * A lake table as a hop's target. The commit that adds the data files carries the cursor, so that readers see the rows and the next writer
 * sees the cursor, or neither does: in a Delta table as `txn` actions (Delta protocol, "Transaction Identifiers"), in an Iceberg table in the
 * snapshot's summary (`lake/iceberg/transactions.ts`). A writer that started from an older cursor finds another version than it expects, and conflicts.
 */
export function lakeTarget({ hop, open }: LakeTargetOptions): TargetPort {
  let opened: Promise<HopTable> | undefined
  const table = () => {
    opened ??= open().catch((error) => {
      opened = undefined
      throw error
    })
    return opened
  }
  // What `cursor` last answered, moved on by each commit: what the next commit expects to find.
  let known: Cursor = []

  const commit = async (
    ranges: readonly ConsumedRange[],
    staged: StagedRows,
  ): Promise<CommitOutcome> => {
    const moved = advance(known, ranges)
    const transactions = ranges.flatMap((range) => {
      const before = lineOf(known, range)
      if ((before?.offset ?? 0) !== range.offsetStart) return []
      return transactionsOf(hop.consumer, before, lineOf(moved, range)!)
    })
    if (transactions.length !== ranges.length * (TOTALS.length + 1)) {
      return { status: 'conflict', reason: 'the cursor does not stand where the batch begins' }
    }
    const outcome = await staged.commit(transactions)
    if (outcome.status === 'committed') known = moved
    return outcome
  }

  return {
    async cursor() {
      const state = await (await table()).state()
      known = cursorOf(hop.consumer, state.transactions())
      return known
    },

    skip: async (ranges) => commit(ranges, await (await table()).stage(undefined)),

    async stage({ relation, ranges: read }) {
      // What comes by the topic itself is new; what comes again comes by the replay topic.
      const mayBeThere = read.some((range) => range.topic === hop.replayTopic && range.read > 0)
      const rows = relation.rowCount === 0 ? undefined : relation
      const staged = await (await table()).stage(rows, { mayBeThere })
      return {
        rejected: [],
        commit: (ranges) => commit(ranges, staged),
        // The files stay behind, unseen, until orphans are removed.
        abort: async () => {},
      }
    },
  }
}

/** The cursor that a table's application ids hold for a consumer. */
export function cursorOf(
  consumer: string,
  transactions: Iterable<readonly [appId: string, version: number]>,
): Cursor {
  const prefix = `mekong/${consumer}/`
  const versions = new Map([...transactions].filter(([appId]) => appId.startsWith(prefix)))
  return [...versions].flatMap(([appId, offset]): PartitionCursor[] => {
    const place = /^(?<topic>[^/]+)\/(?<partition>\d+)$/.exec(appId.slice(prefix.length))?.groups
    if (place === undefined) return []
    const total = (name: (typeof TOTALS)[number]) => versions.get(`${appId}/${name}`) ?? 0
    return [
      {
        topic: place.topic!,
        partition: Number(place.partition),
        offset,
        rows: total('rows'),
        dead: total('dead'),
        filtered: total('filtered'),
      },
    ]
  })
}

function transactionsOf(
  consumer: string,
  before: PartitionCursor | undefined,
  after: PartitionCursor,
) {
  const appId = `mekong/${consumer}/${after.topic}/${after.partition}`
  return [
    { appId, version: after.offset, expected: before?.offset ?? null },
    ...TOTALS.map((total) => ({
      appId: `${appId}/${total}`,
      version: after[total],
      expected: before?.[total] ?? null,
    })),
  ]
}

const lineOf = (cursor: Cursor, { topic, partition }: { topic: string; partition: number }) =>
  cursor.find((line) => line.topic === topic && line.partition === partition)
