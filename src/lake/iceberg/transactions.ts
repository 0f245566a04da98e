import { TableBrokenError } from '../errors.ts'
import type { TransactionUpdate } from '../transaction.ts'
import { type Snapshot, snapshotById, type TableMetadata } from './metadata.ts'

/**
 * Applications' progress, in the summary of every snapshot that we make: what our newest snapshot says holds, so that rows
 * and progress become visible together and are rolled back together. Other engines' snapshots on top say nothing;
 * then their ancestors are asked. Should the last that knew have expired, we stop rather than begin again.
 */
const PREFIX = 'mekong.txn.'
/** In every summary of ours, so that one without progress is told apart from one of another engine. */
const MARK = 'mekong.summary'
/** A table property that says that there is progress somewhere. */
const KEPT_PROPERTY = 'mekong.transactions'

/** Version that each application last committed, as of a snapshot. @throws TableBrokenError when that is no longer known */
export function transactionsAt(
  metadata: TableMetadata,
  snapshot: Snapshot | undefined,
  table: string,
): ReadonlyMap<string, number> {
  let at = snapshot
  while (at !== undefined && at.summary[MARK] === undefined) {
    const parentId: bigint | undefined = at['parent-snapshot-id']
    const parent: Snapshot | undefined =
      parentId === undefined ? undefined : snapshotById(metadata, parentId)
    if (parentId !== undefined && parent === undefined && metadata.properties[KEPT_PROPERTY])
      throw new TableBrokenError(
        `The progress of applications that write to ${table} is lost: it was in snapshot ${parentId} or before, which ` +
          'another engine has expired. Nothing was written. Find out what arrived, and record it with a commit that expects nothing.',
      )
    at = parent
  }
  const found = new Map<string, number>()
  for (const [name, value] of Object.entries(at?.summary ?? {}))
    if (name.startsWith(PREFIX)) found.set(name.slice(PREFIX.length), Number(value))
  return found
}

/** Which transaction does not stand where its writer expects it, in words; `undefined` when all do. Pure. */
export function movedTransaction(
  standing: ReadonlyMap<string, number>,
  transactions: readonly TransactionUpdate[],
): string | undefined {
  for (const { appId, expected } of transactions) {
    if (expected === undefined) continue
    const found = standing.get(appId) ?? null
    if (found !== expected)
      return `transaction ${appId} stands at ${found ?? 'nothing'}, and not at ${expected ?? 'nothing'} as expected`
  }
  return undefined
}

/** What a new snapshot's summary says: everything that stood, moved on by `transactions`. */
export function transactionEntries(
  standing: ReadonlyMap<string, number>,
  transactions: readonly TransactionUpdate[],
): Record<string, string> {
  const next = new Map(standing)
  for (const { appId, version } of transactions) next.set(appId, version)
  const entries: Record<string, string> = { [MARK]: '1' }
  for (const [appId, version] of next) entries[PREFIX + appId] = String(version)
  return entries
}

/** Whether a snapshot tells applications' progress; only in tables that have such progress does it matter. */
export const tellsTransactions = (snapshot: Snapshot): boolean =>
  snapshot.summary[MARK] !== undefined

export const hasTransactions = (metadata: TableMetadata): boolean =>
  metadata.properties[KEPT_PROPERTY] !== undefined

/** Properties that a commit with transactions must set. */
export function keptProperty(
  metadata: TableMetadata,
  transactions: readonly TransactionUpdate[],
): Readonly<Record<string, string>> | undefined {
  if (transactions.length === 0 || metadata.properties[KEPT_PROPERTY] !== undefined)
    return undefined
  return { [KEPT_PROPERTY]: 'snapshot-summary' }
}
