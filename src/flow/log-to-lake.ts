import type { DeltaTable } from '../lake/delta/table.ts'
import type { ConsumedRange, Cursor, PartitionCursor } from '../model/consumed.ts'
import { advance } from '../model/consumed.ts'
import { messageOf } from '../model/errors.ts'
import type { CommitOutcome, TargetPort } from '../stream/ports.ts'
import type { PlannedHop } from './pipeline-hops.ts'

export interface LakeTargetOptions {
  readonly hop: PlannedHop & { readonly kind: 'table' }
  /** Opens the table, making it if need be; asked once it is first needed, and again after a failure. */
  readonly open: () => Promise<DeltaTable>
}

/** The totals of a cursor line, each an application id of its own beside the offset's. */
const TOTALS = ['rows', 'dead', 'filtered'] as const

/**
 * A Delta table as a hop's target. The commit that adds the data files carries the cursor as `txn` actions, so that readers see the rows and the next writer
 * sees the cursor, or neither does (Delta protocol, "Transaction Identifiers"). A writer that started from an
 * older cursor finds another version than it expects, and conflicts.
 */
export function lakeTarget({ hop, open }: LakeTargetOptions): TargetPort {
  let opened: Promise<DeltaTable> | undefined
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
    prepared: Awaited<ReturnType<DeltaTable['prepareAppend']>> | undefined,
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
    const outcome = await (await table()).commitAppend(prepared, { transactions })
    switch (outcome.status) {
      case 'committed':
        known = moved
        return outcome
      case 'conflict':
        return { status: 'conflict', reason: outcome.message }
      case 'unknown':
        return { status: 'unknown', reason: messageOf(outcome.cause) }
    }
  }

  return {
    async cursor() {
      const snapshot = await (await table()).snapshot()
      known = cursorOf(hop.consumer, snapshot.transactions())
      return known
    },

    skip: (ranges) => commit(ranges, undefined),

    async stage({ relation }) {
      const prepared =
        relation.rowCount === 0 ? undefined : await (await table()).prepareAppend(relation)
      return {
        rejected: [],
        commit: (ranges) => commit(ranges, prepared),
        // The files stay behind, unseen, for vacuum.
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
