// The thread of the embedded PostgreSQL. Statements run here from beginning to end without giving way, so they must never run
// on the thread that answers HTTP. Started by `embedded.ts`; speaks to it in `WorkerNotice`s.

import { mkdirSync } from 'node:fs'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { PGlite } from '@electric-sql/pglite'
import { openDatabase } from './embedded-files.ts'
import { lockFolder } from './embedded-lock.ts'
import { EmbeddedServer, type EmbeddedServerLimits } from './embedded-server.ts'
import { message } from './wire.ts'

export interface WorkerOptions {
  readonly folder: string
  /** Tried first. */
  readonly port: number
  /** How many ports after it are tried when it is taken. */
  readonly portTryCount: number
  readonly limits: EmbeddedServerLimits
}

export type WorkerNotice =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'refused'; readonly reason: 'locked' | 'ports-taken' }

async function serve(parent: MessagePort, options: WorkerOptions): Promise<void> {
  const say = (notice: WorkerNotice) => parent.postMessage(notice)
  mkdirSync(options.folder, { recursive: true })
  const lock = lockFolder(options.folder)
  if (lock === null) return say({ kind: 'refused', reason: 'locked' })
  const database = await openDatabase(options.folder)
  const execute = (bytes: Buffer) => runMessages(database, bytes)
  const server = new EmbeddedServer({
    execute,
    greeting: await execute(FIRST_MESSAGE),
    limits: options.limits,
    // Nothing of the database in this thread can be trusted any more; its files can. `embedded.ts` starts another thread.
    onBroken: (error) => {
      throw error
    },
  })
  const listening = await listenNear(server, options)
  if (!listening) {
    await database.close()
    lock.release()
    return say({ kind: 'refused', reason: 'ports-taken' })
  }
  parent.once('message', async () => {
    await server.close()
    await database.close()
    lock.release()
    parent.close()
  })
  lock.announce(server.port)
  say({ kind: 'listening', port: server.port })
}

/** What a client would open with; the answer tells the server's parameters. */
const FIRST_MESSAGE = (() => {
  const body = Buffer.from('\0\x03\0\0user\0postgres\0database\0postgres\0\0', 'latin1')
  // Without its type byte it is a first message.
  return message(' ', body).subarray(1)
})()

async function runMessages(database: PGlite, bytes: Buffer): Promise<Buffer> {
  const parts: Buffer[] = []
  await database.execProtocolRawStream(bytes, {
    // A view of the database's own memory, overwritten by the next part.
    onRawData: (part) => void parts.push(Buffer.from(part)),
  })
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

async function listenNear(
  server: EmbeddedServer,
  { port, portTryCount }: WorkerOptions,
): Promise<boolean> {
  for (let tried = 0; tried <= portTryCount; tried += 1) {
    try {
      await server.listen(port === 0 ? 0 : port + tried)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
  return false
}

if (parentPort !== null) await serve(parentPort, workerData as WorkerOptions)
