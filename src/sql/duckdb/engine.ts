import { mkdir } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBMaterializedResult,
  DuckDBResult,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api'
import { DuckDBInstance, DuckDBTimestampTZValue } from '@duckdb/node-api'
import { assert } from '../../model/errors.ts'
import { EngineInterruptedError, EngineMemoryError, engineErrorOf } from './errors.ts'
import { quoteText } from './quote-identifier.ts'
import { Borrowings, type LocalStatement, type RemoteFiles } from './remote-files.ts'

// The compute engine: one DuckDB instance for the whole process, in memory, spilling to a folder.
// In: SQL text made by the pure functions of this folder. Out: relations (tables of the instance, named by us, seen by
// every connection), files, rows. Nothing in here survives a crash, and nothing has to: a micro-batch that was
// being staged is read from the log again. The spill folder may be emptied whenever no engine is open.
//
// One memory limit holds for everything that runs at once. Extensions are never installed or loaded from outside: the
// npm package carries what we use (core functions, ICU, JSON, Parquet). Rows without ORDER BY have no order, because keeping
// one costs a third of the speed of staging; whoever needs an order asks for it.

export interface ComputeEngineOptions {
  /** A folder of the engine's own for spilled data and staging files; made when missing. */
  readonly spillDirectory: string
  readonly memoryLimitBytes?: number
  readonly threads?: number
}

/** A third of the memory, at most 2 GiB: the same process also holds the log's buffers and the serving stores. */
export const DEFAULT_COMPUTE_ENGINE_OPTIONS = Object.freeze({
  memoryLimitBytes: Math.min(2 * 1024 ** 3, Math.floor(totalmem() / 3)),
  threads: availableParallelism(),
})

/**
 * An engine with less gives memory back after each statement that made many rows: what DuckDB's allocator keeps of a finished
 * statement is not counted, and comes on top of what the next one takes, up to half as much again.
 */
const GIVES_BACK_BELOW_BYTES = 512 * 1024 ** 2

/** Below this DuckDB cannot even scan a file with two threads. */
export const MEMORY_LIMIT_BYTES_MIN = 64 * 1024 ** 2

/** One DuckDB instance. Open one for each process, close it last. */
export class ComputeEngine {
  readonly spillDirectory: string
  readonly threads: number
  readonly #instance: DuckDBInstance
  readonly #memoryLimitBytes: number
  readonly #connections = new Set<EngineConnection>()
  /** Remote files that its statements read. */
  readonly borrowings = new Borrowings()
  #nameCount = 0
  #narrowCount = 0
  #closed = false

  constructor(
    instance: DuckDBInstance,
    { spillDirectory, threads, memoryLimitBytes }: Required<ComputeEngineOptions>,
  ) {
    this.#instance = instance
    this.#memoryLimitBytes = memoryLimitBytes
    this.spillDirectory = spillDirectory
    this.threads = threads
  }

  /** A connection for one run. Statements on one connection run one after another. */
  async connection(): Promise<EngineConnection> {
    const connection = new EngineConnection(this, await this.#instance.connect(), (gone) => {
      this.#connections.delete(gone)
      if (this.#closed && this.#connections.size === 0) this.#instance.closeSync()
    })
    this.#connections.add(connection)
    return connection
  }

  /** Statements may read remote files from now on, which come from there. */
  readRemote(remote: RemoteFiles): void {
    this.borrowings.readFrom(remote)
  }

  /** A relation name that nobody else has: `decoded_17`. */
  relationName(word: string): string {
    assert(/^[a-z_]+$/.test(word), `a relation's name begins with a plain word, not ${word}`)
    this.#nameCount += 1
    return `${word}_${this.#nameCount}`
  }

  /**
   * Work with one thread, for a statement that had too little memory with all of them: most of what it holds, each thread holds once.
   * Everything else on the engine has one thread too meanwhile.
   */
  async withOneThread<T>(work: () => Promise<T>): Promise<T> {
    const set = async (threads: number) => {
      const connection = await this.connection()
      await connection.run(`SET GLOBAL threads = ${threads}`).finally(() => connection.close())
    }
    this.#narrowCount += 1
    try {
      if (this.#narrowCount === 1) await set(1)
      return await work()
    } finally {
      this.#narrowCount -= 1
      if (this.#narrowCount === 0 && !this.#closed) await set(this.threads)
    }
  }

  /** Give what statements have freed back to the system, where the engine has little: setting the limit is what makes DuckDB do so. */
  async giveBack(): Promise<void> {
    if (this.#memoryLimitBytes >= GIVES_BACK_BELOW_BYTES || this.#closed) return
    const connection = await this.connection()
    await connection
      .run(`SET GLOBAL memory_limit = '${inKiB(this.#memoryLimitBytes)}'`)
      // Others may hold all of it just now; the next statement tries again.
      .catch(() => {})
      .finally(() => connection.close())
  }

  /** Interrupts what still runs and frees everything, the instance with its last connection. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#connections.size === 0) this.#instance.closeSync()
    for (const connection of [...this.#connections]) connection.close()
  }
}

/** One connection to the engine, for one run or one query at a time. */
export class EngineConnection {
  readonly engine: ComputeEngine
  readonly #connection: DuckDBConnection
  readonly #onClose: (connection: EngineConnection) => void
  readonly #open = new Set<LocalStatement>()
  #closed = false
  #runningCount = 0
  #ending: NodeJS.Timeout | undefined

  constructor(
    engine: ComputeEngine,
    connection: DuckDBConnection,
    onClose: (connection: EngineConnection) => void,
  ) {
    this.engine = engine
    this.#connection = connection
    this.#onClose = onClose
  }

  /** The driver's own connection, for appenders and prepared statements. */
  get driver(): DuckDBConnection {
    return this.#connection
  }

  /** Run one statement to its end. @throws SqlError, EngineMemoryError, EngineInterruptedError, EngineIoError */
  async run(
    sql: string,
    options: { readonly values?: DuckDBValue[]; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<DuckDBMaterializedResult> {
    const { signal } = options
    const statement = await this.engine.borrowings.begin(sql, signal)
    let outcome: 'done' | 'failed' = 'failed'
    try {
      const result = await this.#guard(sql, signal, () =>
        this.#connection.run(statement.sql, options.values),
      )
      outcome = 'done'
      return result
    } catch (error) {
      if (error instanceof EngineMemoryError) await this.engine.giveBack()
      throw error
    } finally {
      await statement.end(outcome)
    }
  }

  /**
   * Run a statement that makes many rows and is all or nothing. Where memory is short, one thread does it; `again` says what it
   * does then. @throws as `run`
   */
  async make(
    sql: string,
    options: { readonly signal?: AbortSignal | undefined; readonly again?: () => Promise<string> },
  ): Promise<DuckDBMaterializedResult> {
    const { signal, again } = options
    const result = await this.run(sql, { signal }).catch(async (error: unknown) => {
      if (!(error instanceof EngineMemoryError)) throw error
      const narrow = (await again?.()) ?? sql
      return this.engine.withOneThread(() => this.run(narrow, { signal }))
    })
    await this.engine.giveBack()
    return result
  }

  /** All rows of a statement, as the driver's values. For small results. */
  async rows(sql: string, signal?: AbortSignal): Promise<DuckDBValue[][]> {
    const result = await this.run(sql, { signal })
    return result.getRows()
  }

  /** Chunks of up to 2,048 rows, fetched as they are asked for, in bounded memory. */
  async *stream(sql: string, signal?: AbortSignal): AsyncGenerator<DuckDBDataChunk> {
    const { chunks } = await this.open(sql, signal)
    yield* chunks
  }

  /** Start a statement and say what its columns are; its rows follow as they are asked for. */
  async open(
    sql: string,
    signal?: AbortSignal,
  ): Promise<{
    readonly names: readonly string[]
    readonly types: readonly DuckDBType[]
    readonly chunks: AsyncGenerator<DuckDBDataChunk>
  }> {
    const statement = await this.engine.borrowings.begin(sql, signal)
    this.#open.add(statement)
    const end = async () => {
      if (this.#open.delete(statement)) await statement.end('done')
    }
    let result: DuckDBResult
    try {
      result = await this.#guard(sql, signal, () => this.#connection.stream(statement.sql))
    } catch (error) {
      await end()
      throw error
    }
    const fetch = () => this.#guard(sql, signal, () => result.fetchChunk())
    async function* chunks() {
      try {
        while (true) {
          const chunk = await fetch()
          // An interrupted stream ends like a finished one; only the signal tells them apart.
          throwIfInterrupted(signal)
          if (chunk === null || chunk.rowCount === 0) return
          yield chunk
        }
      } finally {
        await end()
      }
    }
    return { names: result.columnNames(), types: result.columnTypes(), chunks: chunks() }
  }

  /** Interrupts what still runs. DuckDB does not survive losing a connection under a running statement, so freeing waits for its end. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#connection.interrupt()
    // A statement that has not reached its thread yet does not hear the first call.
    if (this.#runningCount > 0) this.#ending = setInterval(() => this.#connection.interrupt(), 20)
    this.#free()
  }

  #free(): void {
    if (!this.#closed || this.#runningCount > 0) return
    clearInterval(this.#ending)
    this.#connection.closeSync()
    // Streams that nobody read to their end.
    for (const statement of this.#open) void statement.end('done').catch(() => {})
    this.#open.clear()
    this.#onClose(this)
  }

  async #guard<T>(
    sql: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    // Its files may have come from afar meanwhile.
    if (this.#closed)
      throw new EngineInterruptedError('The connection was closed before the statement began.')
    this.#runningCount += 1
    try {
      return await this.#interruptible(sql, signal, work)
    } finally {
      this.#runningCount -= 1
      this.#free()
    }
  }

  async #interruptible<T>(
    sql: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    throwIfInterrupted(signal)
    if (signal === undefined) {
      try {
        return await work()
      } catch (error) {
        throw engineErrorOf(error, sql)
      }
    }
    let again: NodeJS.Timeout | undefined
    const stop = () => {
      this.#connection.interrupt()
      // A statement that has not reached its thread yet does not hear the first call.
      again = setInterval(() => this.#connection.interrupt(), 20)
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await work()
    } catch (error) {
      throw signal.aborted ? interrupted(signal) : engineErrorOf(error, sql)
    } finally {
      clearInterval(again)
      signal.removeEventListener('abort', stop)
    }
  }
}

/** Open the process's compute engine. */
export async function openComputeEngine(options: ComputeEngineOptions): Promise<ComputeEngine> {
  const { spillDirectory, memoryLimitBytes, threads } = {
    ...DEFAULT_COMPUTE_ENGINE_OPTIONS,
    ...options,
  }
  assert(
    memoryLimitBytes >= MEMORY_LIMIT_BYTES_MIN,
    `the compute engine needs at least ${MEMORY_LIMIT_BYTES_MIN} bytes of memory`,
  )
  await mkdir(spillDirectory, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', {
    access_mode: 'READ_WRITE',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    errors_as_json: 'true',
    memory_limit: inKiB(memoryLimitBytes),
    preserve_insertion_order: 'false',
    temp_directory: spillDirectory,
    threads: String(threads),
    // Freed memory is kept for the next batch of the same size instead of being asked from the system again.
    allocator_flush_threshold: inKiB(memoryLimitBytes),
  })
  // The driver would write instants in the machine's own zone.
  DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0
  const engine = new ComputeEngine(instance, { spillDirectory, threads, memoryLimitBytes })
  const connection = await engine.connection()
  await connection.run(`SET GLOBAL TimeZone = ${quoteText('UTC')}`)
  connection.close()
  return engine
}

const inKiB = (bytes: number) => `${Math.floor(bytes / 1024)}KiB`

/** The event loop runs at least so often while we compute in JavaScript. */
const TURN_MS_MAX = 2

/**
 * For loops over many rows: await what this returns every now and then, and the event loop gets its turn when
 * it is due. The turn throws EngineInterruptedError once `signal` has aborted.
 */
export function turnTaker(signal?: AbortSignal): () => Promise<void> {
  let startMs = performance.now()
  return async () => {
    if (performance.now() - startMs <= TURN_MS_MAX) return
    await nextTurn()
    throwIfInterrupted(signal)
    startMs = performance.now()
  }
}

/** @throws EngineInterruptedError when `signal` has aborted */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interrupted(signal)
}

function interrupted(signal: AbortSignal): EngineInterruptedError {
  return new EngineInterruptedError('The statement was stopped before it finished.', {
    cause: signal.reason,
  })
}
