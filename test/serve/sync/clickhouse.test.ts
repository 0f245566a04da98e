import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clickhouseServer } from '../../../src/serve/clickhouse/client.ts'
import { CLICKHOUSE_DEFAULTS } from '../../../src/serve/clickhouse/config.ts'
import { loadChdb } from '../../../src/serve/clickhouse/embedded.ts'
import { clickhouseSyncTarget } from '../../../src/serve/clickhouse/sync-target.ts'
import { secret } from '../../../src/serve/postgres/config.ts'
import { describeSyncTarget } from '../../conformance/sync-target.ts'
import { type ChdbLike, type ClickHouseStandIn, startClickHouse } from './clickhouse-stand-in.ts'
import { ROWS, rowItem } from './subjects.ts'

// The same suite over HTTP, through the client that speaks to servers. What answers is ClickHouse's own engine (chDB) behind its HTTP protocol: the statements,
// the formats, the settings and the errors are the real ones. Users and rights, replication, a server's limits and its restarts are not shown.

const USER = { name: 'mekong', password: 'a password' }
const folder = mkdtempSync(path.join(tmpdir(), 'mekong-clickhouse-'))
const chdb = await loadChdb()
let standIn: ClickHouseStandIn
let session: (ChdbLike & { close(): void }) | undefined

beforeAll(async () => {
  if (chdb === undefined) return
  session = new chdb.Session(folder, { connectionArgs: ['--max_threads=1'] })
  standIn = await startClickHouse(session, USER)
})
afterAll(async () => {
  await standIn?.close()
  session?.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

const connect = (password = USER.password) =>
  clickhouseServer({
    ...{ ...CLICKHOUSE_DEFAULTS, url: standIn.url, user: USER.name },
    password: secret(password),
  })
const open = async (connection = connect()) =>
  clickhouseSyncTarget({
    ...{ connect: async () => connection, database: 'suite', consumer: 'suite/rows' },
    ...{ collections: [ROWS], nowMs: () => Date.now() },
  })

describeSyncTarget('ClickHouse over HTTP (its engine behind its protocol)', async () => {
  if (chdb === undefined) return { skip: 'the package chdb is not installed' }
  return { name: 'clickhouse', collections: [ROWS], item: rowItem, open }
})

describe.skipIf(chdb === undefined)('what a server says', () => {
  test('a wrong password is for a person, being too busy is for later, and a line that breaks is for later too', async () => {
    const wrong = await open(connect('wrong'))
    await expect(wrong.open()).rejects.toMatchObject({ code: 'SINK_MISCONFIGURED' })
    const target = await open()
    await target.open()
    standIn.fail(
      { code: 202, text: 'Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)' },
      1,
    )
    await expect(target.cursor('silver.movies')).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
    standIn.fail('hang up', 3)
    const row = { item: rowItem(1, 'one'), version: 1 }
    await expect(target.write({ puts: [row], removes: [] })).rejects.toMatchObject({
      code: 'SINK_UNAVAILABLE',
    })
    standIn.fail('hang up', 0)
    await target.write({ puts: [row], removes: [] })
  })

  test('a statement that is wrong is neither', async () => {
    await expect(connect().command('SELEKT 1')).rejects.toMatchObject({ code: 'SINK_FAILED' })
  })
})
