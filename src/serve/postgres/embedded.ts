// A PostgreSQL without a server: PGlite, in a thread of its own, its data in a folder, open to every client on loopback.
//
// In:   a folder. Out: a configuration with which the sink, `psql` and any driver connect as to a real server.
// Survives a crash: every commit that was answered is on disk (`embedded-files.ts`). When the thread breaks, another one is
//       started on the same port and PostgreSQL recovers from its log; clients see a lost connection.
// Unlike a real server: one statement at a time; no cancelling and no `statement_timeout` (the thread cannot be interrupted);
//       no LISTEN across clients; temporary tables are seen by all; no password, this machine only.

import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../../model/errors.ts'
import { SinkConfigError, SinkUnavailableError } from '../errors.ts'
import { type PostgresConfig, postgresConfig } from './config.ts'
import { announcedPort } from './embedded-lock.ts'
import { EMBEDDED_SERVER_LIMITS, type EmbeddedServerLimits } from './embedded-server.ts'
import type { WorkerNotice, WorkerOptions } from './embedded-worker.ts'

export interface EmbeddedPostgresOptions {
  /** Created when it is not there; one process at a time. `<home>/serve/postgres`. */
  readonly folder: string
  /** Default 5433, beside where a real server would be; 0 for any. When taken, the next ones are tried. */
  readonly port?: number
  readonly limits?: Partial<EmbeddedServerLimits>
  /** Called when the thread broke and was replaced, or could not be. */
  readonly onNotice?: (line: string) => void
}

export interface EmbeddedPostgres {
  /** How to connect; `config.port` is the port it has. */
  readonly config: PostgresConfig
  /** A command for people: `psql -h 127.0.0.1 -p 5433 -U postgres`. */
  readonly psqlCommand: string
  /** Ends every connection, rolls back what was open, and closes the files. */
  close(): Promise<void>
}

const PORT_DEFAULT = 5433
/** Enough for a few platforms side by side on one machine. */
const PORT_TRY_COUNT = 50
/** Multiplied by how often it broke already: at once the first time. */
const RESTART_PAUSE_MS = 1_000
const RESTART_COUNT_MAX = 5
/** A thread that ran so long broke for a new reason. */
const RESTART_FORGOTTEN_MS = 60_000

/**
 * Open the database in a folder and listen. Takes some seconds the first time, a third of one later; the main thread is free meanwhile.
 * @throws SinkConfigError when another process has the folder, or no port is free; SinkUnavailableError when the files do not open
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const notice = options.onNotice ?? (() => {})
  const wanted: WorkerOptions = {
    folder: options.folder,
    port: options.port ?? PORT_DEFAULT,
    portTryCount: options.port === 0 ? 0 : PORT_TRY_COUNT,
    limits: { ...EMBEDDED_SERVER_LIMITS, ...options.limits },
  }
  let thread = await startThread(wanted)
  const { port } = thread
  let closing = false

  /** Replace the thread for as long as it breaks. Returns after `close`, or when it breaks too often. */
  const keepRunning = async () => {
    for (let restarts = 0; restarts <= RESTART_COUNT_MAX; restarts += 1) {
      const startedMs = performance.now()
      const reason = await thread.ended
      if (closing) return
      if (performance.now() - startedMs > RESTART_FORGOTTEN_MS) restarts = 0
      notice(`The embedded PostgreSQL ended: ${reason}. Starting it again on port ${port}.`)
      await sleep(RESTART_PAUSE_MS * restarts)
      // The same port, or the configuration that everybody holds would be wrong.
      thread = await startThread({ ...wanted, port, portTryCount: 0 }).catch(endedThread)
      if (closing) await thread.close()
    }
    notice('The embedded PostgreSQL keeps ending and stays down. Start the platform again.')
  }
  const running = keepRunning()

  return {
    config: embeddedConfig(port),
    psqlCommand: `psql -h 127.0.0.1 -p ${port} -U postgres`,
    async close() {
      closing = true
      await thread.close()
      await running
    },
  }
}

/** The embedded PostgreSQL that some process runs on a folder, for programs that only ask; `null` when none does. */
export function findEmbeddedPostgres(folder: string): PostgresConfig | null {
  const port = announcedPort(folder)
  return port === null ? null : embeddedConfig(port)
}

function embeddedConfig(port: number): PostgresConfig {
  return postgresConfig({
    host: '127.0.0.1',
    port,
    database: 'postgres',
    user: 'postgres',
    password: null,
  })
}

interface Thread {
  readonly port: number
  /** Resolves when the thread has ended, with the reason in words. */
  readonly ended: Promise<string>
  close(): Promise<void>
}

/** What stands for a thread that did not start. */
function endedThread(error: unknown): Thread {
  return { port: 0, ended: Promise.resolve(messageOf(error)), close: async () => {} }
}

async function startThread(options: WorkerOptions): Promise<Thread> {
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), {
    workerData: options,
    name: 'embedded-postgres',
  })
  let failure = 'its thread stopped'
  worker.on('error', (error) => {
    failure = messageOf(error)
  })
  // `events.once` would reject at 'error', which here only comes before 'exit'.
  const ended = new Promise<string>((resolve) => worker.once('exit', () => resolve(failure)))
  const heard = new Promise<WorkerNotice>((resolve) => worker.once('message', resolve))
  const first = await Promise.race([heard, ended])
  if (typeof first === 'string')
    throw new SinkUnavailableError(
      `The embedded PostgreSQL in ${options.folder} did not start: ${first}. Its files were not changed by us; free memory or disk space and start again.`,
    )
  if (first.kind === 'refused') throw refusal(first.reason, options)
  return {
    port: first.port,
    ended,
    async close() {
      worker.postMessage('close')
      await ended
    },
  }
}

function refusal(
  reason: 'locked' | 'ports-taken',
  { folder, port, portTryCount }: WorkerOptions,
): SinkConfigError {
  return new SinkConfigError(
    reason === 'locked'
      ? `The embedded PostgreSQL in ${folder} is in use by another process. Nothing was changed. Stop the other one, or choose another home folder.`
      : `The embedded PostgreSQL found no free port on 127.0.0.1 from ${port} to ${port + portTryCount}. Nothing was changed. Choose another port.`,
  )
}
