import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { WireError } from './errors.ts'
import { migrate } from './layout.ts'
import { type OperationName, runOperation } from './operations.ts'
import { statementsOf } from './statements.ts'

// The store's own thread: the only writer of the state file. Calls that arrive while a commit waits for the disk are
// taken together into the next one, so a hundred at once cost one fsync. A call is answered after its commit.

/** From the store to its thread. */
export type StateRequest =
  | {
      readonly kind: 'call'
      readonly callId: number
      readonly name: OperationName
      readonly nowMs: number
      readonly args: readonly unknown[]
    }
  | { readonly kind: 'close' }

/** From the thread to the store. */
export type StateReply =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'done'; readonly callId: number; readonly result: unknown }
  | { readonly kind: 'refused'; readonly callId: number; readonly error: WireError }

export interface StateThreadData {
  readonly statePath: string
}

/** So many calls share a transaction at most; the first of them waits for the last. */
const GROUP_CALL_COUNT_MAX = 1000

// Importing this file anywhere but as the thread does nothing.
if (parentPort !== null && (workerData as StateThreadData | null)?.statePath !== undefined)
  serve(parentPort, (workerData as StateThreadData).statePath)

function serve(port: NonNullable<typeof parentPort>, path: string): void {
  const reply = (message: StateReply) => port.postMessage(message)
  let database: DatabaseSync
  try {
    database = openForWriting(path)
  } catch (error) {
    reply({ kind: 'failed', error: wireError(error) })
    port.close()
    return
  }
  const sql = statementsOf(database)
  let waiting: (StateRequest & { kind: 'call' })[] = []
  let closing = false
  let scheduled = false

  const drain = () => {
    scheduled = false
    while (waiting.length > 0) {
      const group = waiting.slice(0, GROUP_CALL_COUNT_MAX)
      waiting = waiting.slice(GROUP_CALL_COUNT_MAX)
      for (const answer of commitGroup(group)) reply(answer)
    }
    if (!closing) return
    database.close()
    port.close()
  }

  const commitGroup = (group: typeof waiting): readonly StateReply[] => {
    try {
      database.exec('BEGIN IMMEDIATE')
      const answers = group.map(runOne)
      database.exec('COMMIT')
      return answers
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      const failure = wireError(error)
      return group.map(({ callId }) => ({ kind: 'refused', callId, error: failure }))
    }
  }

  /** One call inside the group's transaction: it leaves everything it did or nothing. */
  const runOne = ({ callId, name, nowMs, args }: (typeof waiting)[number]): StateReply => {
    database.exec('SAVEPOINT one')
    try {
      const result = runOperation(sql, name, nowMs, args)
      database.exec('RELEASE one')
      return { kind: 'done', callId, result }
    } catch (error) {
      // A full disk may have rolled everything back already; then the whole group fails.
      if (!database.isTransaction) throw error
      database.exec('ROLLBACK TO one')
      database.exec('RELEASE one')
      return { kind: 'refused', callId, error: wireError(error) }
    }
  }

  port.on('message', (request: StateRequest) => {
    if (request.kind === 'close') closing = true
    else waiting.push(request)
    if (scheduled) return
    scheduled = true
    setImmediate(drain)
  })
  reply({ kind: 'open' })
}

function openForWriting(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 })
  try {
    migrate(database)
    database.exec('PRAGMA journal_mode = WAL')
    // Every commit is fsynced: what was said to be recorded survives a power cut.
    database.exec('PRAGMA synchronous = FULL')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function wireError(error: unknown): WireError {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: String(error) }
}
