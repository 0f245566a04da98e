import { TableBrokenError } from '../errors.ts'
import {
  type Action,
  type AddAction,
  type CommitInfoAction,
  type DomainMetadataAction,
  deletionVectorId,
  type MetadataAction,
  type ProtocolAction,
  type RemoveAction,
  type TransactionAction,
} from './actions.ts'
import { EMPTY_VIEW, extrasOf, type FileRow, type FileTable, type FileView } from './file-table.ts'
import type { CheckpointFiles } from './log-segment.ts'
import type { LogState } from './log-state.ts'
import { canonicalPath } from './table-path.ts'

/**
 * Builds the state of a table from its log, oldest first (PROTOCOL.md, "Action Reconciliation"): begin with nothing, a
 * checkpoint's rows or an earlier state, apply commits, finish. Pure but for the builder itself.
 */
export class LogReplay {
  readonly #tableUrl: string
  #version: number
  #protocol: ProtocolAction | undefined
  #metadata: MetadataAction | undefined
  readonly #transactions: Map<string, TransactionAction>
  readonly #domains: Map<string, DomainMetadataAction>
  #tombstones: RemoveAction[]
  readonly #base: CheckpointFiles | undefined
  #commitsSinceBase: number
  #commitInfo: CommitInfoAction | undefined
  readonly #files: LiveFiles

  /** @param from an earlier state, or the checkpoint that rows will come from */
  constructor(tableUrl: string, from: { state?: LogState; checkpoint?: CheckpointFiles }) {
    const { state, checkpoint } = from
    this.#tableUrl = tableUrl
    this.#version = state?.version ?? checkpoint?.version ?? -1
    this.#protocol = state?.protocol
    this.#metadata = state?.metadata
    this.#transactions = new Map(state?.transactions)
    this.#domains = new Map(state?.domains)
    this.#tombstones = [...(state?.tombstones ?? [])]
    this.#base = state?.base ?? checkpoint
    this.#commitsSinceBase = state?.commitsSinceBase ?? 0
    this.#commitInfo = state?.commitInfo
    this.#files = new LiveFiles(state?.files ?? EMPTY_VIEW())
  }

  /** The table that a checkpoint's rows go into. */
  get fileTable(): FileTable {
    return this.#files.table
  }

  /** A live file from a checkpoint, where every logical file appears once. */
  pushCheckpointFile(file: FileRow): void {
    this.#files.push({ ...file, path: canonicalPath(file.path, this.#tableUrl) })
  }

  /** The same, given as an action. */
  applyCheckpointAdd(add: AddAction): void {
    this.#files.push(this.#rowOf(add))
  }

  /** Actions other than `add` and `remove`, from a checkpoint. */
  applyCheckpointAction(action: Action): void {
    this.#applyOther(action)
  }

  /**
   * One commit, or one log compaction that stands for several. Order within a commit carries no meaning, so removals
   * go first: a file that is removed and added again, with another deletion vector, is there.
   */
  applyCommit(version: number, actions: readonly Action[]): void {
    this.#commitInfo = undefined
    const tombstones: RemoveAction[] = []
    for (const { remove } of actions) {
      if (remove === undefined) continue
      const path = canonicalPath(remove.path, this.#tableUrl)
      this.#files.remove(path, deletionVectorId(remove.deletionVector))
      tombstones.push({ ...remove, path })
    }
    for (const action of actions) {
      if (action.add !== undefined) this.#files.replace(this.#rowOf(action.add))
      else if (action.remove === undefined) this.#applyOther(action)
    }
    if (tombstones.length > 0) this.#tombstones.push(...tombstones)
    this.#commitsSinceBase += version - this.#version
    this.#version = version
  }

  /** @throws TableBrokenError when the log never said what protocol or schema the table has */
  finish(table: string): LogState {
    const protocol = this.#protocol
    const metadata = this.#metadata
    if (protocol === undefined || metadata === undefined) {
      const missing = protocol === undefined ? 'protocol' : 'metaData'
      throw new TableBrokenError(
        `The log of ${table} has no ${missing} action up to version ${this.#version}, ` +
          'so the table cannot be understood. Its log is incomplete or was written by a faulty program.',
      )
    }
    return {
      version: this.#version,
      protocol,
      metadata,
      transactions: this.#transactions,
      domains: this.#domains,
      files: this.#files.view(),
      tombstones: this.#tombstones,
      base: this.#base,
      commitsSinceBase: this.#commitsSinceBase,
      commitInfo: this.#commitInfo,
    }
  }

  #rowOf(add: AddAction): FileRow {
    const extras = extrasOf(add)
    return {
      path: canonicalPath(add.path, this.#tableUrl),
      size: add.size,
      modificationTime: add.modificationTime,
      stats: add.stats ?? null,
      partitionId: this.#files.table.partitionId(JSON.stringify(add.partitionValues)),
      ...(add.deletionVector === undefined ? {} : { deletionVector: add.deletionVector }),
      ...(extras === undefined ? {} : { extras }),
    }
  }

  #applyOther(action: Action): void {
    const { protocol, metaData, txn, domainMetadata, commitInfo } = action
    if (protocol) this.#protocol = protocol
    else if (metaData) this.#metadata = metaData
    else if (txn) this.#transactions.set(txn.appId, txn)
    else if (commitInfo) this.#commitInfo = commitInfo
    else if (domainMetadata?.removed) this.#domains.delete(domainMetadata.domain)
    else if (domainMetadata) this.#domains.set(domainMetadata.domain, domainMetadata)
  }
}

/** The growing end of a file table. Takes a table of its own when somebody else has grown the shared one. */
class LiveFiles {
  readonly table: FileTable
  #live: Uint8Array
  #count: number
  #bytes: number

  constructor(view: FileView) {
    this.table = view.rowEnd === view.table.rowCount ? view.table : view.table.fork(view.rowEnd)
    this.#live = new Uint8Array(view.rowEnd + 64)
    this.#live.set(view.live.subarray(0, view.rowEnd))
    this.#count = view.count
    this.#bytes = view.bytes
  }

  push(file: FileRow): void {
    const row = this.table.rowCount
    if (row >= this.#live.length) {
      const longer = new Uint8Array(this.#live.length * 2)
      longer.set(this.#live)
      this.#live = longer
    }
    this.table.push(file)
    this.#live[row] = 1
    this.#count += 1
    this.#bytes += file.size
  }

  /** The newest `add` of a path holds, whatever deletion vector it has. */
  replace(file: FileRow): void {
    const row = this.table.rowOf(file.path)
    if (row !== undefined) this.#kill(row)
    this.push(file)
  }

  remove(path: string, vectorId: string): void {
    const row = this.table.rowOf(path)
    if (row !== undefined && this.table.deletionVectorIdAt(row) === vectorId) this.#kill(row)
  }

  view(): FileView {
    const { table } = this
    return {
      table,
      rowEnd: table.rowCount,
      live: this.#live,
      count: this.#count,
      bytes: this.#bytes,
    }
  }

  #kill(row: number): void {
    if (this.#live[row] !== 1) return
    this.#live[row] = 0
    this.#count -= 1
    this.#bytes -= this.table.sizes[row]!
  }
}
