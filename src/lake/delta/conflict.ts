import { type Action, type AddAction, deletionVectorId } from './actions.ts'
import type { LogState } from './log-state.ts'

/** Why a commit cannot follow what others committed since its snapshot. */
export type ConflictReason =
  | 'protocol_changed'
  | 'metadata_changed'
  | 'transaction_moved'
  | 'domain_changed'
  | 'read_files_changed'
  | 'removed_files_changed'
  | 'contention'

export interface Conflict {
  readonly reason: ConflictReason
  /** What was found and where, for people. */
  readonly message: string
}

/** What a commit has looked at and changes: all that others could spoil. */
export interface CommitIntent {
  /** What decided the commit's content: nothing at all (a blind append), everything that the table held, or some of it. */
  readonly read: 'nothing' | 'everything' | ReadScope
  /** Logical files that it removes, as `checkWinner`'s `keyOf` names them. */
  readonly removes: ReadonlySet<string>
  readonly changesMetadata: boolean
  readonly transactions: readonly TransactionUpdate[]
  readonly domains: ReadonlySet<string>
}

/** The part of a table that a statement looked at. */
export interface ReadScope {
  /** Logical files, as `checkWinner`'s `keyOf` names them. */
  readonly files: ReadonlySet<string>
  /** Whether a new file may hold rows that the statement would have looked at. */
  readonly mayMatch: (add: AddAction) => boolean
  /**
   * Which new files matter: with `serializable` all, with `write_serializable` those of commits that themselves read the
   * table, with `snapshot` none, because our commit changes no rows.
   */
  readonly isolation: 'serializable' | 'write_serializable' | 'snapshot'
}

/** An application's progress, committed with the data (PROTOCOL.md, "Transaction Identifiers"). */
export interface TransactionUpdate {
  readonly appId: string
  /** 0 to 2^53 - 1. */
  readonly version: number
  /**
   * The version that must be there until then; `null` for none. Default: whatever it was in the snapshot that
   * the commit starts from, so that two writers of one application never both win.
   */
  readonly expected?: number | null
}

/** What an append looks at: nothing but its transactions. */
export const appendIntent = (transactions: readonly TransactionUpdate[]): CommitIntent => ({
  read: 'nothing',
  removes: new Set(),
  changesMetadata: false,
  transactions,
  domains: new Set(),
})

/** Whether every transaction stands where its writer expects it. Pure. */
export function checkTransactions(
  state: LogState,
  transactions: readonly TransactionUpdate[],
): Conflict | undefined {
  for (const { appId, expected } of transactions) {
    if (expected === undefined) continue
    const found = state.transactions.get(appId)?.version ?? null
    if (found === expected) continue
    return {
      reason: 'transaction_moved',
      message:
        `transaction ${appId} stands at ${found ?? 'nothing'} in version ${state.version}, ` +
        `and not at ${expected ?? 'nothing'} as expected`,
    }
  }
  return undefined
}

/**
 * Whether a commit that won in between leaves ours valid on top of it (the rules of Delta's optimistic concurrency). Pure.
 * Transactions with an expectation are left to `checkTransactions`, which looks at the state and not at the way there.
 */
export function checkWinner(
  intent: CommitIntent,
  winner: { readonly version: number; readonly actions: readonly Action[] },
  keyOf: (path: string, vectorId: string) => string,
): Conflict | undefined {
  const at = `version ${winner.version}, committed meanwhile,`
  const appIds = new Set(
    intent.transactions.filter((t) => t.expected === undefined).map((t) => t.appId),
  )
  for (const { protocol, metaData, txn, domainMetadata, add, remove } of winner.actions) {
    if (protocol)
      return { reason: 'protocol_changed', message: `${at} changed the table's protocol` }
    if (metaData)
      return {
        reason: 'metadata_changed',
        message: `${at} changed the table's schema or properties`,
      }
    if (txn && appIds.has(txn.appId))
      return { reason: 'transaction_moved', message: `${at} moved transaction ${txn.appId}` }
    if (domainMetadata && intent.domains.has(domainMetadata.domain))
      return { reason: 'domain_changed', message: `${at} changed domain ${domainMetadata.domain}` }
    if (remove) {
      const key = keyOf(remove.path, deletionVectorId(remove.deletionVector))
      if (intent.removes.has(key))
        return { reason: 'removed_files_changed', message: `${at} removed ${remove.path} too` }
      // Rows that were only moved are what they were when we read them.
      if (typeof intent.read === 'object' && remove.dataChange && intent.read.files.has(key))
        return {
          reason: 'read_files_changed',
          message: `${at} removed rows of ${remove.path}, which was read`,
        }
    }
    if (intent.read === 'everything' && (add?.dataChange || remove?.dataChange))
      return { reason: 'read_files_changed', message: `${at} changed rows that were read` }
  }
  if (typeof intent.read === 'object') {
    const added = firstReadAdd(intent.read, winner.actions)
    if (added !== undefined)
      return {
        reason: 'read_files_changed',
        message: `${at} added ${added.path}, which may hold rows that would have counted`,
      }
  }
  if (intent.changesMetadata && winner.actions.some((action) => action.add || action.remove))
    return { reason: 'metadata_changed', message: `${at} changed rows under the old schema` }
  return undefined
}

/** Delta's isolation levels: which of a winner's new files its loser should have read. */
function firstReadAdd(
  { isolation, mayMatch }: ReadScope,
  actions: readonly Action[],
): AddAction | undefined {
  if (isolation === 'snapshot') return undefined
  const isBlind = actions.find((action) => action.commitInfo)?.commitInfo?.isBlindAppend === true
  if (isolation === 'write_serializable' && isBlind) return undefined
  // A file that is there again with another deletion vector has lost rows, not gained any.
  const before = new Set(actions.flatMap(({ remove }) => (remove ? [remove.path] : [])))
  return actions.find(({ add }) => add?.dataChange && !before.has(add.path) && mayMatch(add))?.add
}
