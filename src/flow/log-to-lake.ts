import type { PreparedAppend } from '../lake/delta/append.ts'
import type { EditOutcome } from '../lake/delta/edit-rows.ts'
import type { AppendOutcome, DeltaTable } from '../lake/delta/table.ts'
import type { TransactionUpdate } from '../lake/transaction.ts'
import type { ConsumedRange, Cursor, PartitionCursor } from '../model/consumed.ts'
import { advance } from '../model/consumed.ts'
import { messageOf } from '../model/errors.ts'
import type { CommitOutcome, TargetPort } from '../stream/ports.ts'
import type { PlannedHop } from './pipeline-hops.ts'
import type { UpsertRows } from './upsert-rows.ts'

export interface LakeTargetOptions {
  readonly hop: PlannedHop & { readonly kind: 'table' }
  /** Opens the table, making it if need be; asked once it is first needed, and again after a failure. */
  readonly open: () => Promise<DeltaTable>
  /** Writes a batch in which rows may come again, for tables that keep rows by key. */
  readonly upsert?: UpsertRows
}

type WriteOutcome = AppendOutcome | EditOutcome

/** The totals of a cursor line, each an application id of its own beside the offset's. */
const TOTALS = ['rows', 'dead', 'filtered'] as const

/**
 * A Delta table as a hop's target. The commit that adds the data files carries the cursor as `txn` actions, so that readers see the rows and the next writer
 * sees the cursor, or neither does (Delta protocol, "Transaction Identifiers"). A writer that started from an
 * older cursor finds another version than it expects, and conflicts.
 */
export function lakeTarget({ hop, open, upsert }: LakeTargetOptions): TargetPort {
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
    write: (transactions: readonly TransactionUpdate[]) => Promise<WriteOutcome>,
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
    const outcome = await write(transactions)
    switch (outcome.status) {
      case 'unchanged':
      case 'committed':
        known = moved
        return { status: 'committed' }
      case 'conflict':
        return { status: 'conflict', reason: outcome.message }
      case 'unknown':
        return { status: 'unknown', reason: messageOf(outcome.cause) }
    }
  }

  const append =
    (prepared: PreparedAppend | undefined) => async (transactions: readonly TransactionUpdate[]) =>
      (await table()).commitAppend(prepared, { transactions })

  return {
    async cursor() {
      const snapshot = await (await table()).snapshot()
      known = cursorOf(hop.consumer, snapshot.transactions())
      return known
    },

    skip: (ranges) => commit(ranges, append(undefined)),

    async stage({ relation, ranges }) {
      // What comes by the topic itself is new; what comes again comes by the replay topic.
      const comesAgain = ranges.some(({ topic, read }) => topic === hop.replayTopic && read > 0)
      if (upsert !== undefined && comesAgain && relation.rowCount > 0) {
        const at = await table()
        return {
          rejected: [],
          commit: (moved) => commit(moved, (transactions) => upsert(at, relation, transactions)),
          abort: async () => {},
        }
      }
      const prepared =
        relation.rowCount === 0 ? undefined : await (await table()).prepareAppend(relation)
      return {
        rejected: [],
        commit: (moved) => commit(moved, append(prepared)),
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
