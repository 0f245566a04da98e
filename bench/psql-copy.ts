import { execFile } from 'node:child_process'
import { createWriteStream, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { userEventText } from './user-event.ts'

const MIGRATIONS = path.join(path.dirname(import.meta.dirname), 'pipelines/user-events/migrations')
const COLUMNS = 'user_id, movie_id, event_type, event_timestamp, processed_at'

/** Where a server is. */
export interface PsqlTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Run one command with `psql`. Returns what it printed. */
export async function psql(target: PsqlTarget, sql: string): Promise<string> {
  const { host, port, user, database } = target
  const { stdout } = await promisify(execFile)(
    'psql',
    ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1']
      .concat(['-h', host, '-p', String(port), '-U', user, '-d', database])
      .concat(['-c', sql]),
    { env: { ...process.env, PGPASSWORD: target.password } },
  )
  return stdout.trim()
}

/** The table of user-events with its indexes, its view and its functions. */
export function userEventsDdl(): string {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'))
  return files
    .sort()
    .map((name) => readFileSync(path.join(MIGRATIONS, name), 'utf8'))
    .join('\n')
}

/** The rows of the first `eventCount` events as `\copy` takes them. */
export async function writeRowsCsv(file: string, eventCount: number): Promise<void> {
  const out = createWriteStream(file, { highWaterMark: 1 << 20 })
  const processedAt = new Date().toISOString()
  for (let n = 0; n < eventCount; n += 1) {
    const event = JSON.parse(userEventText(n))
    const at = new Date(event.timestamp).toISOString()
    const line = `${event.user_id},${event.movie_id},${event.event_type},${at},${processedAt}\n`
    if (!out.write(line)) await new Promise<void>((resolve) => out.once('drain', resolve))
  }
  out.end()
  await finished(out)
}

/** Milliseconds that `psql` takes to copy a file into an existing table, its own start included. */
export async function copyWithPsql(target: PsqlTarget, file: string): Promise<number> {
  const startMs = performance.now()
  await psql(target, `\\copy user_events (${COLUMNS}) FROM '${file}' (FORMAT csv)`)
  return performance.now() - startMs
}
