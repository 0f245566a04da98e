import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { SinkConfigError } from '../../../src/serve/errors.ts'
import {
  type EmbeddedPostgres,
  findEmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/serve/postgres/embedded.ts'
import { queryPostgres } from '../../../src/serve/postgres/query.ts'

// One session behind the door, many clients in front of it: none may notice the others, except by waiting.

const run = promisify(execFile)
const IDLE_MS_MAX = 400

let folder: string
let embedded: EmbeddedPostgres
const notices: string[] = []

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-postgres-'))
  embedded = await startEmbeddedPostgres({
    folder,
    port: 0,
    limits: { idleInTransactionMsMax: IDLE_MS_MAX },
    onNotice: (line) => notices.push(line),
  })
})
afterAll(async () => {
  await embedded.close()
  rmSync(folder, { recursive: true })
})

async function client(context: TestContext, extra: pg.ClientConfig = {}): Promise<pg.Client> {
  const { host, port, user, database } = embedded.config
  const made = new pg.Client({ host, port, user, database, ssl: false, ...extra })
  made.on('error', () => {})
  await made.connect()
  context.onTestFinished(() => made.end().catch(() => {}))
  return made
}

const psql = (...args: string[]) =>
  run('psql', ['-X', '-h', '127.0.0.1', '-p', String(embedded.config.port), '-U', 'me', ...args])

describe('turns', () => {
  test('a transaction is whole: others wait until it ends', async (context) => {
    const [one, two] = [await client(context), await client(context)]
    await one.query('CREATE TABLE accounts (name text, amount int)')
    await one.query('BEGIN')
    await one.query("INSERT INTO accounts VALUES ('a', 1)")
    const seen = two.query('SELECT count(*)::int AS n FROM accounts')
    const inserted = two.query("INSERT INTO accounts VALUES ('b', 2)")
    await one.query("INSERT INTO accounts VALUES ('a', 3)")
    await one.query('ROLLBACK')
    expect((await seen).rows).toEqual([{ n: 0 }])
    await inserted
    expect((await one.query('SELECT name FROM accounts')).rows).toEqual([{ name: 'b' }])
  })

  test('many clients with parameters at once get their own answers', async (context) => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => client(context)))
    const answers = clients.map(async (each, number) => {
      for (let round = 0; round < 20; round += 1) {
        const { rows } = await each.query('SELECT $1::int * 1000 + $2::int AS n', [number, round])
        expect(rows).toEqual([{ n: number * 1000 + round }])
      }
    })
    await Promise.all(answers)
  })

  test('who is silent inside a transaction while others wait is rolled back and sent away', async (context) => {
    const [forgotten, other] = [await client(context), await client(context)]
    const lost = new Promise<{ code?: string }>((resolve) => forgotten.once('error', resolve))
    await forgotten.query('CREATE TABLE blocked (n int)')
    await forgotten.query('BEGIN; INSERT INTO blocked VALUES (1)')
    const startMs = performance.now()
    expect((await other.query('SELECT count(*)::int AS n FROM blocked')).rows).toEqual([{ n: 0 }])
    expect(performance.now() - startMs).toBeGreaterThan(IDLE_MS_MAX * 0.8)
    expect((await lost).code).toBe('25P03')
  })

  test('silence is no matter as long as nobody waits', async (context) => {
    const alone = await client(context)
    await alone.query('BEGIN')
    await sleep(IDLE_MS_MAX * 1.5)
    expect((await alone.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await alone.query('COMMIT')
  })

  test('a client that dies inside a transaction leaves nothing and blocks nobody', async (context) => {
    const [dying, other] = [await client(context), await client(context)]
    await dying.query('CREATE TABLE orphaned (n int)')
    await dying.query('BEGIN; INSERT INTO orphaned VALUES (1)')
    const { stream } = (dying as unknown as { connection: { stream: { destroy(): void } } })
      .connection
    stream.destroy()
    expect((await other.query('SELECT count(*)::int AS n FROM orphaned')).rows).toEqual([{ n: 0 }])
  })
})

describe('sessions', () => {
  test('settings stay with their client', async (context) => {
    const one = await client(context, { application_name: 'one', options: '-c work_mem=7MB' })
    const two = await client(context, { application_name: 'two' })
    await one.query("SET TIME ZONE 'Asia/Ho_Chi_Minh'")
    const show = async (each: pg.Client) => {
      const { rows } = await each.query(
        "SELECT current_setting('TimeZone') z, current_setting('work_mem') m, current_setting('application_name') a",
      )
      return rows[0]
    }
    for (let round = 0; round < 3; round += 1) {
      expect(await show(two)).toEqual({ z: 'UTC', m: '4MB', a: 'two' })
      expect(await show(one)).toEqual({ z: 'Asia/Ho_Chi_Minh', m: '7MB', a: 'one' })
    }
  })

  test('prepared statements of the same name are different statements', async (context) => {
    const clients = [await client(context), await client(context)]
    for (let round = 0; round < 3; round += 1) {
      for (const [number, each] of clients.entries()) {
        const { rows } = await each.query({ name: 's', text: `SELECT ${number} AS n`, values: [] })
        expect(rows).toEqual([{ n: number }])
      }
    }
  })

  test('a role is not left to the next client', async (context) => {
    const [one, two] = [await client(context), await client(context)]
    await one.query('CREATE ROLE reader')
    await one.query('SET ROLE reader')
    const who = async (each: pg.Client) => (await each.query('SELECT current_user AS u')).rows[0].u
    expect(await who(two)).toBe('postgres')
    expect(await who(one)).toBe('reader')
  })
})

describe('psql', () => {
  test('reads, describes and copies while a client writes', async (context) => {
    const writer = await client(context)
    await writer.query('CREATE TABLE notes (n int, note text)')
    const csv = path.join(folder, 'notes.csv')
    writeFileSync(csv, Array.from({ length: 5_000 }, (_, n) => `${n},"note, ${n}"\n`).join(''))
    let writing = true
    const written = (async () => {
      let count = 0
      for (; writing; count += 1) {
        await writer.query('BEGIN')
        await writer.query('INSERT INTO notes VALUES ($1, $2)', [-1, 'from the platform'])
        await writer.query('COMMIT')
      }
      return count
    })()
    await psql('-c', `\\copy notes FROM '${csv}' (FORMAT csv)`)
    const described = await psql('-c', '\\d notes')
    expect(described.stdout).toContain('note')
    const counted = await psql('-At', '-c', 'SELECT count(*), max(n) FROM notes WHERE n >= 0')
    expect(counted.stdout.trim()).toBe('5000|4999')
    writing = false
    const own = await psql('-At', '-c', 'SELECT count(*) FROM notes WHERE n = -1')
    expect(Number(own.stdout)).toBe(await written)
  })

  test('hears of a COPY that fails, and goes on', async () => {
    const script =
      'CREATE TABLE only_numbers (n int);\nCOPY only_numbers FROM STDIN;\n1\nx\n\\.\nCOPY absent FROM STDIN;\n1\n\\.\nSELECT count(*) FROM only_numbers;\n'
    const file = path.join(folder, 'copy.sql')
    writeFileSync(file, script)
    const { stdout, stderr } = await psql('-At', '-f', file)
    expect(stderr).toContain('invalid input syntax for type integer: "x"')
    expect(stderr).toContain('relation "absent" does not exist')
    expect(stdout.trim().split('\n').at(-1)).toBe('0')
  })

  test('is told what does not work instead of hanging', async (context) => {
    const each = await client(context)
    const refused = expect.objectContaining({ code: '0A000' })
    await each.query('CREATE TABLE target (n int)')
    await expect(each.query('SELECT 1; COPY target FROM STDIN')).rejects.toEqual(refused)
    await expect(
      each.query({ text: 'COPY target FROM STDIN', values: [], name: 'c' }),
    ).rejects.toEqual(refused)
    const text = "SELECT 'copy target from stdin' AS words"
    expect((await each.query(text)).rows).toEqual([{ words: 'copy target from stdin' }])
  })
})

test('a broken session is replaced by a new thread on the same port', async (context) => {
  const each = await client(context)
  await each.query('CREATE TABLE kept (n int)')
  await each.query('INSERT INTO kept VALUES (1)')
  // With this setting an error ends the whole session, which in PGlite is the whole database.
  await each.query('SET exit_on_error = on')
  await expect(each.query('SELECT 1 / 0')).rejects.toThrow()
  const rows = async () =>
    (await queryPostgres(embedded.config, { sql: 'SELECT n FROM kept' })).rows
  await expect.poll(() => rows().catch(() => null), { timeout: 15_000 }).toEqual([[1]])
  expect(notices.join()).toContain('Starting it again')
})

test('a commit is synced, not just written', async () => {
  const sql =
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'wal_sync_method') ORDER BY 1"
  expect((await queryPostgres(embedded.config, { sql })).rows).toEqual([
    ['fsync', 'on'],
    // The one method that reaches the disk through PGlite's file layer.
    ['wal_sync_method', 'fsync'],
  ])
})

test('the folder has one owner at a time, and tells others its port', async () => {
  expect(findEmbeddedPostgres(folder)).toEqual(embedded.config)
  const refusal = await startEmbeddedPostgres({ folder, port: 0 }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(SinkConfigError)
  expect(String(refusal)).toContain('in use by another process')
})

test('a taken port is passed over', async () => {
  const second = mkdtempSync(path.join(os.tmpdir(), 'mekong-postgres-'))
  const { port } = embedded.config
  const neighbour = await startEmbeddedPostgres({ folder: second, port })
  expect(neighbour.config.port).toBeGreaterThan(port)
  await neighbour.close()
  expect(findEmbeddedPostgres(second)).toBeNull()
  rmSync(second, { recursive: true })
})

test('the main thread is free while a statement runs', async (context) => {
  const each = await client(context)
  let ticks = 0
  const ticking = setInterval(() => {
    ticks += 1
  }, 10)
  await each.query('SELECT pg_sleep(0.5)')
  clearInterval(ticking)
  expect(ticks).toBeGreaterThan(20)
})

test('what was committed survives kill -9, with its cursor', async (context) => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'mekong-postgres-'))
  context.onTestFinished(() => rmSync(home, { recursive: true }))
  const program = path.join(import.meta.dirname, 'commit-until-killed.ts')
  let said = 0
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, [program, home], { stdio: ['ignore', 'pipe', 'inherit'] })
    const killed = new Promise((resolve) => child.once('exit', resolve))
    let killAfter = Number.POSITIVE_INFINITY
    for await (const bytes of child.stdout) {
      for (const line of String(bytes).trim().split('\n')) said = Number(line)
      if (killAfter === Number.POSITIVE_INFINITY) killAfter = said + 20 + round * 7
      if (said >= killAfter) child.kill('SIGKILL')
    }
    await killed
  }
  const again = await startEmbeddedPostgres({ folder: home, port: 0 })
  const ask = async (sql: string) => (await queryPostgres(again.config, { sql })).rows[0]
  const [count, last] = (await ask('SELECT count(*), max(n) FROM numbers')) as [bigint, number]
  const cursor = await ask('SELECT offset_end, rows FROM mekong.cursors')
  await again.close()
  expect(Number(count)).toBeGreaterThanOrEqual(said)
  expect(last).toBe(Number(count) - 1)
  expect(cursor).toEqual([count, count])
}, 120_000)
