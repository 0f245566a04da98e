import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { seeded, seedOfRun } from '../../crash/seeded.ts'
import { createServerDatabase, type ServerDatabase } from '../../crash/server-database.ts'
import { ensureService } from '../../services.ts'
import { type FollowedItems, followItems, type Version } from './followed-items.ts'

// A table in a real PostgreSQL, followed through a replication slot: every version of every row is in the lake once, whatever is killed on the way.

const server = await ensureService('postgres', { instance: 'replication' })

describe.skipIf('skip' in server)('a table followed by replication', { timeout: 120_000 }, () => {
  if ('skip' in server) return
  let database: ServerDatabase
  let client: pg.Client
  let folder: string
  let items: FollowedItems | undefined
  beforeAll(async () => {
    database = await createServerDatabase(server)
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
  }, 120_000)
  afterEach(async () => {
    await items?.stop()
    items = undefined
    const { rows } = await client.query(
      'SELECT slot_name FROM pg_replication_slots WHERE NOT active AND database = current_database()',
    )
    for (const { slot_name } of rows)
      await client.query('SELECT pg_drop_replication_slot($1)', [slot_name])
    await client.query(
      'DROP SCHEMA IF EXISTS mekong CASCADE; DROP TABLE IF EXISTS item; DROP FUNCTION IF EXISTS touch_item; DROP PUBLICATION IF EXISTS mekong_shop_items',
    )
    rmSync(folder, { recursive: true, force: true })
  })
  afterAll(async () => {
    await client?.end()
    await database?.drop()
  })
  const open = async (again = false) => {
    if (!again) folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-reference-'))
    items = await followItems({ folder, variables: database.variables() })
    await items.reference.ready
    return items
  }
  const version = (
    id: number,
    note: string | null,
    holds: boolean,
    more: Partial<Version> = {},
  ) => ({
    ...{ id, note, large: null, price: '1.0000', holds },
    ...more,
  })

  test('first all rows, then every change as a version of its own', async () => {
    const { reference, versions, joined, notices } = await open()
    await client.query(`INSERT INTO item (id, note, price) VALUES (1, 'a', 1), (2, 'b', 1)`)
    await reference.sync()
    for (const note of ['a2', 'a2', null, 'a3'])
      await client.query('UPDATE item SET note = $1 WHERE id = 1', [note])
    await client.query('DELETE FROM item WHERE id = 2')
    await reference.sync()
    const expected = [
      version(1, 'a', false),
      version(1, 'a2', false),
      version(1, null, false),
      version(1, 'a3', true),
      version(2, 'b', false),
    ]
    expect(await versions()).toEqual(expected)
    expect(await joined()).toEqual(expected)
    await client.query(`INSERT INTO item (id, note, price) VALUES (2, 'back', 1)`)
    await reference.sync()
    expect((await versions()).slice(4)).toEqual([version(2, 'b', false), version(2, 'back', true)])
    expect(notices).toEqual([])
  })

  test('a change arrives without being asked for', async () => {
    const { versions } = await open()
    await client.query(`INSERT INTO item (id, note, price) VALUES (1, 'a', 1)`)
    await expect.poll(versions, { timeout: 20_000 }).toEqual([version(1, 'a', true)])
  })

  test('large values that stay are not sent, and are not lost, also when the key changes', async () => {
    const { reference, versions } = await open()
    const large = 'x'.repeat(20_000)
    await client.query(`INSERT INTO item (id, note, large, price) VALUES (1, 'a', $1, 1)`, [large])
    await reference.sync()
    await client.query(`UPDATE item SET note = 'b' WHERE id = 1`)
    await client.query(`UPDATE item SET id = 5 WHERE id = 1`)
    await client.query(`UPDATE item SET id = 6, note = 'c' WHERE id = 5`)
    await client.query(`UPDATE item SET large = NULL WHERE id = 6`)
    await reference.sync()
    expect(await versions()).toEqual([
      version(1, 'a', false, { large }),
      version(1, 'b', false, { large }),
      version(5, 'b', false, { large }),
      version(6, 'c', false, { large }),
      version(6, 'c', true),
    ])
  })

  test('a transaction is whole or not there, and what is rolled back never was', async () => {
    const { reference, versions } = await open()
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO item (id, note, price) SELECT n, 'n', 1 FROM generate_series(1, 60000) n`,
    )
    await client.query('ROLLBACK')
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO item (id, note, price) SELECT n, 'n', 1 FROM generate_series(1, 60000) n`,
    )
    await client.query(`UPDATE item SET note = 'twice' WHERE id <= 2`)
    await reference.sync()
    expect(await versions()).toHaveLength(0)
    await client.query('COMMIT')
    await reference.sync()
    expect(await versions()).toHaveLength(60_002)
    await client.query('TRUNCATE item')
    await client.query(`INSERT INTO item (id, note, price) VALUES (3, 'new', 1)`)
    await reference.sync()
    const found = await versions()
    expect(found).toHaveLength(60_003)
    expect(found.filter(({ holds }) => holds)).toEqual([version(3, 'new', true)])
  })

  test('what changed while nobody was there comes afterwards, every version of it', async () => {
    const first = await open()
    await client.query(`INSERT INTO item (id, note, price) VALUES (1, 'a', 1)`)
    await first.reference.sync()
    await first.stop()
    for (const note of ['b', 'c']) await client.query('UPDATE item SET note = $1', [note])
    await client.query('DELETE FROM item')
    const second = await open(true)
    await second.reference.sync()
    expect(await second.versions()).toEqual(['a', 'b', 'c'].map((note) => version(1, note, false)))
    expect(second.notices).toEqual([])
  })

  test('a slot that is gone is said, and all rows are read anew', async () => {
    const first = await open()
    await client.query(`INSERT INTO item (id, note, price) VALUES (1, 'a', 1), (2, 'b', 1)`)
    await first.reference.sync()
    await first.stop()
    await client.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`,
    )
    await client.query(`UPDATE item SET note = 'unseen' WHERE id = 1`)
    await client.query(`UPDATE item SET note = 'seen' WHERE id = 1`)
    await client.query('DELETE FROM item WHERE id = 2')
    const second = await open(true)
    expect(second.notices).toEqual([expect.stringContaining('is gone. All rows are read anew')])
    expect(await second.versions()).toEqual([
      version(1, 'a', false),
      version(1, 'seen', true),
      version(2, 'b', false),
    ])
  })

  test('a slot that the server has given up is said, and all rows are read anew', async () => {
    const first = await open()
    await client.query(`INSERT INTO item (id, note, price) VALUES (1, 'a', 1)`)
    await first.reference.sync()
    await first.stop()
    await client.query(`ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'`)
    try {
      await client.query('SELECT pg_reload_conf()')
      await client.query(`UPDATE item SET note = 'b'`)
      for (let segment = 0; segment < 4; segment += 1) {
        await client.query(`SELECT pg_logical_emit_message(false, 'test', 'x')`)
        await client.query('SELECT pg_switch_wal()')
      }
      await client.query('CHECKPOINT')
    } finally {
      await client.query('ALTER SYSTEM RESET max_slot_wal_keep_size')
      await client.query('SELECT pg_reload_conf()')
    }
    const second = await open(true)
    expect(second.notices).toEqual([expect.stringContaining('was invalidated, because the server')])
    expect(await second.versions()).toEqual([version(1, 'a', false), version(1, 'b', true)])
    await client.query(`UPDATE item SET note = 'c'`)
    await second.reference.sync()
    expect(await second.versions()).toHaveLength(3)
  })

  test('where the server refuses, the table is asked for changes, and a person is told why', async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-reference-'))
    const role = `plain_${Date.now().toString(36)}`
    await client.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'plain'; GRANT ALL ON SCHEMA public TO ${role}; GRANT CREATE ON DATABASE ${database.variables().POSTGRES_DB} TO ${role}`,
    )
    try {
      const variables = { ...database.variables(), POSTGRES_USER: role, POSTGRES_PASSWORD: 'plain' }
      items = await followItems({ folder, variables })
      await items.reference.ready
      await client.query(`INSERT INTO item (id, note, price) VALUES (1, 'a', 1)`)
      await items.reference.sync()
      expect(await items.versions()).toEqual([version(1, 'a', true)])
      expect(items.notices).toEqual([
        expect.stringMatching(/does not let item be followed.*asked for changes every 200 ms/),
      ])
      await items.stop()
      items = await followItems({ folder, variables, follow: 'replication' })
      await items.reference.ready
      expect(items.notices).toEqual([expect.stringContaining('The reference items waits')])
    } finally {
      await items?.stop()
      items = undefined
      await client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
    }
  })

  test('a table whose deletes would say nothing is never published', async () => {
    const first = await open()
    await first.stop()
    await client.query(
      'DROP PUBLICATION mekong_shop_items; ALTER TABLE item DROP CONSTRAINT item_pkey',
    )
    const second = await open(true)
    expect(second.notices).toEqual([expect.stringContaining('make id the primary key')])
    await client.query(`INSERT INTO item (id, note, price) VALUES (1, 'a', 1)`)
    await client.query('DELETE FROM item')
  })

  test('asking meanwhile and replication afterwards do not bring old values back', async () => {
    const first = await open()
    await client.query(`INSERT INTO item (id, note, price) VALUES (1, 'a', 1)`)
    await first.reference.sync()
    await first.stop()
    await client.query(`UPDATE item SET note = 'b'`)
    await client.query(`UPDATE item SET note = 'c'`)
    items = await followItems({ folder, variables: database.variables(), follow: 'polling' })
    await items.reference.ready
    await items.stop()
    const third = await open(true)
    await third.reference.sync()
    expect(await third.versions()).toEqual([version(1, 'a', false), version(1, 'c', true)])
  })

  test('sixty transactions under kill -9 of follower and server: each version once', async () => {
    const chance = seeded(seedOfRun('replication under kills'))
    folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-reference-'))
    let child = await spawnFollower(folder, database)
    const expected = new Map<number, string[]>()
    const held = new Map<number, string>()
    for (let n = 0; n < 60; n += 1) {
      await client.query('BEGIN')
      for (let change = 0; change < 3; change += 1) {
        const id = chance.integer(1, 6)
        const note = `${n}/${change}`
        if (held.has(id) && chance.next() < 0.25) {
          await client.query('DELETE FROM item WHERE id = $1', [id])
          held.delete(id)
          continue
        }
        await client.query(
          'INSERT INTO item (id, note, price) VALUES ($1, $2, 1) ON CONFLICT (id) DO UPDATE SET note = excluded.note',
          [id, note],
        )
        held.set(id, note)
        expected.set(id, [...(expected.get(id) ?? []), note])
      }
      await client.query('COMMIT')
      await sleep(chance.integer(0, 60))
      if (n % 10 !== 5) continue
      child.kill('SIGKILL')
      await once(child, 'close')
      if (n === 35) {
        await client.end()
        await server.kill()
        await server.start()
        client = new pg.Client({ connectionString: database.url })
        await client.connect()
      }
      child = await spawnFollower(folder, database)
    }
    child.kill('SIGKILL')
    await once(child, 'close')
    const last = await open(true)
    await last.reference.sync()
    const found = await last.versions()
    const notes = new Map<number, (string | null)[]>()
    for (const { id, note } of found) notes.set(id, [...(notes.get(id) ?? []), note])
    expect(notes).toEqual(new Map([...expected].sort(([a], [b]) => a - b)))
    expect(new Map(found.filter(({ holds }) => holds).map(({ id, note }) => [id, note]))).toEqual(
      new Map([...held].sort(([a], [b]) => a - b)),
    )
    expect(await last.joined()).toEqual(found)
  })
})

async function spawnFollower(folder: string, database: ServerDatabase): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'follow-until-killed.ts'), folder],
    { env: { ...database.variables() }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout!, 'data')
  return child
}
