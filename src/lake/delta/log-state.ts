import type {
  CommitInfoAction,
  DomainMetadataAction,
  MetadataAction,
  ProtocolAction,
  RemoveAction,
  TransactionAction,
} from './actions.ts'
import type { FileView } from './file-table.ts'
import type { CheckpointFiles } from './log-segment.ts'

/**
 * What a replay of the log gives at one version (PROTOCOL.md, "Action Reconciliation"). Never changes; the next
 * version's state shares what the commit left alone.
 */
export interface LogState {
  readonly version: number
  readonly protocol: ProtocolAction
  readonly metadata: MetadataAction
  readonly transactions: ReadonlyMap<string, TransactionAction>
  readonly domains: ReadonlyMap<string, DomainMetadataAction>
  readonly files: FileView
  /** Removals since `base`, newest of each logical file last. Older ones are in the checkpoint. */
  readonly tombstones: readonly RemoveAction[]
  /** The checkpoint that the replay began from. */
  readonly base: CheckpointFiles | undefined
  /** Commits replayed since `base`. */
  readonly commitsSinceBase: number
  /** Of the commit at `version`; absent when that commit was not read. */
  readonly commitInfo: CommitInfoAction | undefined
}
