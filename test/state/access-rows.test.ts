import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditEntry, SessionRow } from '../../src/model/access.ts'
import { auditRows } from '../../src/state/audit-rows.ts'
import { openStateFile } from '../../src/state/state-layout.ts'
import { openStateStore, type StateStore } from '../../src/state/state-store.ts'

let folder: string
let store: StateStore
let nowMs = 1_700_000_000_000

const file = () => path.join(folder, 'state.sqlite')
const open = () => openStateStore({ file: file(), clock: { nowMs: () => nowMs } })

const entry = (parts: Partial<AuditEntry> = {}): Omit<AuditEntry, 'atMs'> => ({
  ...{ actor: 'ops', by: 'key', session: null, role: 'operate', address: '127.0.0.1' },
  ...{ action: 'run.begin', subject: '/v1/runs', outcome: 'begun', status: null, detail: null },
  ...parts,
})

const session = (parts: Partial<SessionRow> = {}): SessionRow => ({
  ...{ id: 's1', hash: 'sha256:00', keyName: 'ops', createdMs: nowMs, seenMs: nowMs },
  ...{ expiresMs: nowMs + 1_000, endedMs: null, address: '127.0.0.1', agent: 'a browser' },
  ...parts,
})

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mekong-access-'))
  store = await open()
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the audit log', () => {
  test('says what was begun, how it ended, and what was only begun; after a restart too', async () => {
    const id = await store.addAudit(entry())
    await store.addAudit(entry({ action: 'run.cancel', actor: 'an' }))
    await store.endAudit(id, {
      ...({ outcome: 'done', status: 200, detail: null } as const),
      subject: '/v1/runs: gold.x',
    })
    await store.close()
    store = await open()
    const [cancel, begin] = await store.audit()
    expect(cancel).toMatchObject({ action: 'run.cancel', outcome: 'begun', status: null })
    expect(begin).toEqual({
      ...entry({ outcome: 'done', status: 200, subject: '/v1/runs: gold.x' }),
      ...{ id, atMs: nowMs },
    })
  })

  test('is read page by page, by actor, by action or its family, by outcome', async () => {
    for (const [actor, action] of [
      ['a', 'run.begin'],
      ['b', 'run.cancel'],
      ['b', 'runner'],
      ['b', 'key.create'],
    ] as const)
      await store.addAudit(entry({ actor, action }))
    const actions = async (page: Parameters<StateStore['audit']>[0]) =>
      (await store.audit(page)).map(({ action }) => action)
    expect(await actions({ limit: 2 })).toEqual(['key.create', 'runner'])
    const [, last] = await store.audit({ limit: 2 })
    expect(await actions({ limit: 9, before: last!.id })).toEqual(['run.cancel', 'run.begin'])
    expect(await actions({ actor: 'a' })).toEqual(['run.begin'])
    expect(await actions({ action: 'run' })).toEqual(['run.cancel', 'run.begin'])
    expect(await actions({ action: 'run.begin' })).toEqual(['run.begin'])
    expect(await actions({ outcome: 'done' })).toEqual([])
  })

  test('is bounded, and refusals push out refusals only', async () => {
    await store.close()
    const database = openStateFile(file(), false)
    const rows = auditRows(database, (work) => work())
    const insert = (outcome: string, count: number) =>
      database.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
         INSERT INTO audit (at_ms, actor, by, action, subject, outcome) SELECT i, 'a', 'key', 'x', 'y', '${outcome}' FROM n`,
      )
    const counts = () =>
      Object.fromEntries(
        database
          .prepare('SELECT outcome, count(*) AS n FROM audit GROUP BY outcome')
          .all()
          .map(({ outcome, n }) => [outcome, n]),
      )
    /** Pruning happens once in a hundred entries. */
    const someMore = () => {
      for (let i = 0; i < 100; i += 1) rows.addAudit({ ...entry({ outcome: 'refused' }), atMs: 1 })
    }
    insert('done', 500)
    insert('refused', 20_000)
    someMore()
    expect(counts().done).toBe(500)
    expect(counts().refused).toBeLessThanOrEqual(10_100)
    insert('done', 100_000)
    someMore()
    const { done = 0, refused = 0 } = counts() as Record<string, number>
    expect(done + refused).toBeLessThanOrEqual(100_100)
    expect(done).toBeGreaterThan(99_000)
    database.close()
    store = await open()
  })

  test('cuts what is long', async () => {
    await store.addAudit(entry({ subject: 'x'.repeat(10_000) }))
    expect((await store.audit())[0]!.subject.length).toBeLessThan(600)
  })
})

describe('sessions', () => {
  test('are found by id, touched and ended once', async () => {
    await store.addSession(session())
    nowMs += 10
    await store.touchSession('s1')
    expect(await store.findSession('s1')).toEqual({
      ...session({ createdMs: nowMs - 10, expiresMs: nowMs + 990 }),
      seenMs: nowMs,
    })
    expect(await store.findSession('s2')).toBeUndefined()
    expect([await store.endSession('s1'), await store.endSession('s1')]).toEqual([true, false])
    expect((await store.findSession('s1'))!.endedMs).toBe(nowMs)
  })

  test('that are over are forgotten when another begins, and there are never too many', async () => {
    await store.addSession(session({ id: 'over', expiresMs: nowMs }))
    await store.addSession(session({ id: 'ended', endedMs: nowMs }))
    await store.addSession(session({ id: 'one' }))
    expect((await store.sessions()).map(({ id }) => id)).toEqual(['one'])
    await store.close()
    const database = new DatabaseSync(file())
    database.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
       INSERT INTO sessions SELECT 'n' || i, '', 'k', i, i, ${nowMs + 9_999}, NULL, NULL, NULL FROM n`,
    )
    database.close()
    store = await open()
    await store.addSession(session({ id: 'newest' }))
    const ids = (await store.sessions()).map(({ id }) => id)
    expect(ids.length).toBe(1_000)
    expect(ids).toContain('newest')
    expect(ids).not.toContain('n1')
  })
})
