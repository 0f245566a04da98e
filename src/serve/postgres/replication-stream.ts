import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../model/errors.ts'
import { SinkConfigError, SinkUnavailableError } from '../errors.ts'
import { connectForReplication, type PostgresConnection } from './client.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import type { CopyBoth } from './copy-both.ts'
import { sinkError } from './errors.ts'
import { type ChangedCell, readPgoutput } from './pgoutput.ts'
import { lsnText } from './replication-slot.ts'

// The changes of one table as its transactions commit.
//
// In:   the server's messages. Out: changes in order, transaction by transaction, each closed by a `commit` with the place where to go on after it. Survives a
//       crash: what the server keeps for the slot, which is everything since the last `confirm`. Whoever reads more slowly than changes come
//       makes the server wait: at most `WAITING_BYTES_MAX` are held here.

export interface ReplicationStreamOptions {
  readonly slot: string
  readonly publication: string
  /** Transactions that committed before it are not wanted any more. */
  readonly afterLsn: bigint
  /** What of a row is wanted, in this order. */
  readonly columns: readonly string[]
  readonly key: string
}

export type TableChange =
  /** A row is there, or is changed. `keyBefore` when it had another key. */
  | {
      readonly kind: 'put'
      readonly atMicros: bigint
      readonly cells: readonly ChangedCell[]
      readonly keyBefore?: string
    }
  | { readonly kind: 'gone'; readonly atMicros: bigint; readonly key: string }
  /** All rows are gone. */
  | { readonly kind: 'emptied'; readonly atMicros: bigint }
  | { readonly kind: 'commit'; readonly endLsn: bigint }

export interface ReplicationStream {
  /** All transactions that committed before it have been handed out. */
  readonly readLsn: bigint
  /** Returns when something has arrived, or the stream has ended, or after so long. */
  wait(waitMs: number): Promise<void>
  /**
   * What has arrived. It is not handed out again.
   * @throws SinkUnavailableError when the stream has ended, SinkConfigError when the table has lost a column
   */
  take(): readonly TableChange[]
  /** Ask the server to say how far it has read, which moves `readLsn` also when nothing concerns the table. */
  ask(): void
  /** Everything before it is safe with us; the server may forget it. */
  confirm(lsn: bigint): void
  close(): Promise<void>
}

/** Cells waiting here, by their text. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024
/** The server gives up on us after `wal_sender_timeout`, a minute unless set otherwise. */
const STATUS_INTERVAL_MS = 10_000
const EPOCH_MS = 946_684_800_000

/** Begin to read. @throws SinkUnavailableError (also when somebody else reads from the slot), SinkConfigError */
export async function openReplicationStream(
  config: PostgresConfig,
  options: ReplicationStreamOptions,
  signal?: AbortSignal,
): Promise<ReplicationStream> {
  const connection = await connectForReplication(config, signal)
  try {
    // As everywhere else in this room, whatever the database's own settings are.
    for (const setting of [`timezone = 'UTC'`, `datestyle = 'ISO, YMD'`, 'extra_float_digits = 1'])
      await connection.run(`SET ${setting}`)
    const stream = new SlotStream(connection, config, options)
    await stream.begin()
    return stream
  } catch (error) {
    await connection.close()
    throw sinkError(`read the slot ${options.slot} in ${postgresName(config)}`, error)
  }
}

class SlotStream implements ReplicationStream {
  readonly #connection: PostgresConnection
  readonly #config: PostgresConfig
  readonly #options: ReplicationStreamOptions
  /** Where in a row of the server the wanted cells are, by relation. */
  readonly #places = new Map<number, readonly number[]>()
  #copy: CopyBoth | undefined
  #waiting: TableChange[] = []
  #waitingBytes = 0
  #wake = new AbortController()
  #ended: { readonly error: unknown } | undefined
  #atMicros = 0n
  #isOld = false
  #isInTransaction = false
  #arrivedLsn: bigint
  #readLsn: bigint
  #confirmedLsn: bigint
  #timer: NodeJS.Timeout | undefined

  constructor(
    connection: PostgresConnection,
    config: PostgresConfig,
    options: ReplicationStreamOptions,
  ) {
    this.#connection = connection
    this.#config = config
    this.#options = options
    this.#arrivedLsn = options.afterLsn
    this.#readLsn = options.afterLsn
    this.#confirmedLsn = options.afterLsn
  }

  get readLsn(): bigint {
    return this.#readLsn
  }

  async begin(): Promise<void> {
    const { slot, publication, afterLsn } = this.#options
    const names = `"${publication.replaceAll('"', '""')}"`.replaceAll("'", "''")
    this.#copy = await this.#connection.copyBoth(
      `START_REPLICATION SLOT ${slot} LOGICAL ${lsnText(afterLsn)} (proto_version '1', publication_names '${names}')`,
      (bytes) => this.#receive(bytes),
      (error) => this.#end(error ?? new Error('the server ended it')),
    )
    this.#timer = setInterval(() => this.#sayWhere(false), STATUS_INTERVAL_MS)
    this.#timer.unref()
  }

  async wait(waitMs: number): Promise<void> {
    if (this.#waiting.length > 0 || this.#ended !== undefined) return
    await sleep(waitMs, undefined, { signal: this.#wake.signal }).catch(() => {})
  }

  take(): readonly TableChange[] {
    const taken = this.#waiting
    if (taken.length === 0 && this.#ended !== undefined) throw this.#endedError(this.#ended.error)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#wake = new AbortController()
    this.#readLsn = this.#arrivedLsn
    if (this.#ended === undefined) this.#copy?.resume()
    return taken
  }

  ask(): void {
    this.#sayWhere(true)
  }

  confirm(lsn: bigint): void {
    if (lsn > this.#confirmedLsn) this.#confirmedLsn = lsn
    this.#sayWhere(false)
  }

  async close(): Promise<void> {
    this.#sayWhere(false)
    this.#end(new Error('it was closed by us'))
    await this.#connection.close()
  }

  #end(error: unknown): void {
    this.#ended ??= { error }
    clearInterval(this.#timer)
    this.#wake.abort()
  }

  #endedError(error: unknown) {
    if (error instanceof SinkConfigError) return error
    return new SinkUnavailableError(
      `The stream of changes from the slot ${this.#options.slot} in ${postgresName(this.#config)} has ended: ${messageOf(error)}. It is begun again after what the lake has.`,
      { cause: error },
    )
  }

  /**
   * 'w' start (8), end (8), time (8), the plugin's message; 'k' end (8), time (8), whether to answer (1).
   * https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-XLOGDATA
   */
  #receive(bytes: Buffer): void {
    if (this.#ended !== undefined) return
    try {
      if (bytes[0] === 0x77) this.#read(bytes.subarray(25))
      if (bytes[0] !== 0x6b) return
      // Between transactions the server's own place says that nothing before it is still to come.
      if (!this.#isInTransaction) this.#arrive(bytes.readBigUInt64BE(1))
      if (bytes[17] === 1) this.#sayWhere(false)
    } catch (error) {
      this.#end(error)
    }
  }

  #arrive(lsn: bigint): void {
    if (lsn <= this.#arrivedLsn) return
    this.#arrivedLsn = lsn
    if (this.#waiting.length === 0) this.#readLsn = lsn
  }

  #read(bytes: Buffer): void {
    const message = readPgoutput(bytes)
    switch (message.kind) {
      case 'begin':
        this.#isInTransaction = true
        this.#atMicros = message.committedMicros
        // The server may send again what it has no word of; we know better.
        this.#isOld = message.commitLsn < this.#options.afterLsn
        return
      case 'commit':
        this.#isInTransaction = false
        this.#arrive(message.endLsn)
        if (!this.#isOld) this.#hand({ kind: 'commit', endLsn: message.endLsn }, bytes.length)
        return
      case 'relation':
        this.#learn(message.relation, message.columns)
        return
      case 'other':
        return
      default:
        if (!this.#isOld)
          for (const change of this.#changesOf(message)) this.#hand(change, bytes.length)
    }
  }

  #learn(relation: number, names: readonly string[]): void {
    const { columns, slot } = this.#options
    const missing = columns.filter((name) => !names.includes(name))
    if (missing.length > 0)
      throw new SinkConfigError(
        `The table that is followed through the slot ${slot} in ${postgresName(this.#config)} has no column ${missing.join(', ')} any more. Nothing after that is read; correct the table or the reference, then start again.`,
      )
    this.#places.set(
      relation,
      columns.map((name) => names.indexOf(name)),
    )
  }

  #changesOf(
    message: Extract<
      ReturnType<typeof readPgoutput>,
      { kind: 'insert' | 'update' | 'delete' | 'truncate' }
    >,
  ): readonly TableChange[] {
    const atMicros = this.#atMicros
    if (message.kind === 'truncate') return [{ kind: 'emptied', atMicros }]
    const places = this.#places.get(message.relation)
    // The server describes a relation before its first change.
    if (places === undefined) throw new Error(`relation ${message.relation} was not described`)
    const keyPlace = places[this.#options.columns.indexOf(this.#options.key)]!
    if (message.kind === 'delete')
      return [{ kind: 'gone', atMicros, key: String(message.old[keyPlace]) }]
    // An unchanged large value stands in the old row when the table's identity is full.
    const old = message.kind === 'update' ? message.old : undefined
    const cells = places.map((place) =>
      message.row[place] === undefined ? old?.[place] : message.row[place],
    )
    const before = old?.[keyPlace]
    if (before == null || before === message.row[keyPlace])
      return [{ kind: 'put', atMicros, cells }]
    return [
      { kind: 'put', atMicros, cells, keyBefore: before },
      { kind: 'gone', atMicros, key: before },
    ]
  }

  #hand(change: TableChange, bytes: number): void {
    this.#waiting.push(change)
    this.#waitingBytes += bytes
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.#copy?.pause()
    this.#wake.abort()
  }

  /** 'r' written, flushed, applied (8 each), our time (8), whether to answer (1). */
  #sayWhere(asksForAnswer: boolean): void {
    if (this.#ended !== undefined || this.#copy === undefined) return
    const status = Buffer.alloc(34)
    status.write('r', 0, 'latin1')
    for (const at of [1, 9, 17]) status.writeBigUInt64BE(this.#confirmedLsn, at)
    status.writeBigInt64BE(BigInt(Date.now() - EPOCH_MS) * 1_000n, 25)
    status[33] = asksForAnswer ? 1 : 0
    this.#copy.send(status)
  }
}
