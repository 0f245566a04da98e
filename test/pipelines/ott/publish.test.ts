import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mysql, { type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import ott from '../../../pipelines/ott/pipeline.ts'
import { publishLedger } from '../../../src/flow/publish-ledger.ts'
import { connect } from '../../../src/serve/postgres/client.ts'
import { POSTGRES_DEFAULTS } from '../../../src/serve/postgres/config.ts'
import { startEmbeddedPostgres } from '../../../src/serve/postgres/embedded.ts'
import { postgresPublisher } from '../../../src/serve/postgres/publisher.ts'
import { queryPostgres } from '../../../src/serve/postgres/query.ts'
import type { TablePublisher } from '../../../src/serve/table-publisher.ts'
import { ensureService } from '../../services.ts'
import { openOttHome } from './ott-home.ts'

// Whole tables in a serving store: readers see the old one or the new one, also when whoever fills it is killed.

const CONTRACT_COUNT = 30_000
/** Contracts that only their case, an accent or a space at the end tells apart are different ones. */
const ODD = ['hnh1', 'HNH1', 'HNH1 ', 'hñh1', 'x'.repeat(300), "o'brien\\", '🎬']
const day = (name: string, seconds: number, count = CONTRACT_COUNT) => ({
  path: `${name}.json`,
  rows: [...ODD, ...Array.from({ length: count }, (_, i) => `C${i}`)].map((Contract) => ({
    ...{ Contract, Mac: 'M', TotalDuration: seconds, AppName: 'VOD' },
  })),
})
const searches = (name: string, userCount: number) => ({
  path: `${name}/part.parquet`,
  rows: Array.from({ length: userCount }, (_, i) => ({
    ...{ eventID: `${name}-${i}`, user_id: `u${i}`, keyword: `phim ${(i * 7) % 40} tập ${name}` },
  })),
})
const LAKE = `SELECT "Contract", "Phim Truyen", "Active", "MostWatch", "Taste" FROM gold.customer_content_stats`
const LAKE_SEARCH = 'SELECT * FROM gold.customer_search_stats'
const asText = (rows: readonly (readonly unknown[])[]) =>
  rows.map((row) => row.map(String).join('|')).sort()

describe('on MariaDB', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mekong-publish-'))
  let environment: Readonly<Record<string, string>> | undefined
  let connection: mysql.Connection
  beforeAll(async () => {
    const service = await ensureService('mariadb')
    if ('skip' in service) return
    const database = `ott_${process.pid}`
    environment = { ...service.environment, MYSQL_DATABASE: database }
    connection = await mysql.createConnection({
      ...{ host: environment.MYSQL_HOST!, port: Number(environment.MYSQL_PORT) },
      ...{ user: environment.MYSQL_USER!, password: environment.MYSQL_PASSWORD! },
      ...{ charset: 'utf8mb4_unicode_ci', rowsAsArray: true, supportBigNumbers: true },
    })
    await connection.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`)
    await connection.query(`USE ${database}`)
  })
  afterAll(async () => {
    if (environment !== undefined) {
      await connection.query(`DROP DATABASE ${environment.MYSQL_DATABASE}`)
      await connection.end()
    }
    rmSync(folder, { recursive: true, force: true })
  })

  const publish = () =>
    spawn(process.execPath, [path.join(import.meta.dirname, 'publish-child.ts'), folder], {
      env: { ...process.env, ...environment },
      stdio: 'inherit',
    })
  const ended = (child: ReturnType<typeof publish>) =>
    new Promise<number | null>((resolve) => child.once('exit', resolve))
  const rows = async (sql: string) =>
    (await connection.query<RowDataPacket[]>(sql))[0] as unknown as unknown[][]
  const served = async () => ({
    content: asText(
      await rows(
        'SELECT `Contract`, `Phim Truyen`, `Active`, `MostWatch`, `Taste` FROM customer_content_stats',
      ),
    ),
    search: asText(await rows('SELECT * FROM customer_search_stats')),
  })
  const lake = async () => {
    await using home = await openOttHome(folder)
    const search = asText(await home.rows(LAKE_SEARCH))
    return { content: asText(await home.rows(LAKE)), search }
  }
  const loaded = async (files: readonly { path: string; rows: readonly object[] }[]) => {
    await using home = await openOttHome(folder)
    await home.load(await home.write(files))
  }
  /** Kills whoever publishes as soon as the first rows of a table are in the store. */
  const killedWhileFilling = async (table: string) => {
    const killed = publish()
    for (let filled = false; !filled; ) {
      await sleep(5)
      const found = await rows(`SELECT COUNT(*) FROM ${table}__new`).catch(() => [[0]])
      filled = Number(found[0]![0]) > 0
    }
    killed.kill('SIGKILL')
    await ended(killed)
  }

  test('kill -9 in the middle of either table: readers keep the old one, and the next run makes both equal to the lake', {
    timeout: 240_000,
  }, async () => {
    if (environment === undefined) return
    await loaded([day('20220401', 100), searches('20220601', CONTRACT_COUNT)])
    expect(await ended(publish())).toBe(0)
    const before = await lake()
    expect([before.content.length, before.search.length]).toEqual([
      ...[CONTRACT_COUNT + ODD.length, CONTRACT_COUNT],
    ])
    expect(await served()).toEqual(before)
    await loaded([day('20220402', 7), searches('20220701', CONTRACT_COUNT + 500)])
    await killedWhileFilling('customer_content_stats')
    expect(await served()).toEqual(before)
    await killedWhileFilling('customer_search_stats')
    const after = await lake()
    expect(after.content).not.toEqual(before.content)
    expect(after.search).not.toEqual(before.search)
    expect(await served()).toEqual({ content: after.content, search: before.search })
    expect(await ended(publish())).toBe(0)
    expect(await served()).toEqual(after)
    expect((await rows('SHOW TABLES')).flat()).toEqual([
      ...['customer_content_stats', 'customer_search_stats'],
    ])
  })

  test('types, keys and characters are as they should be', async () => {
    if (environment === undefined) return
    const [[, sql]] = (await rows('SHOW CREATE TABLE customer_content_stats')) as [[string, string]]
    expect(sql).toContain('PRIMARY KEY (`Contract`)')
    expect(sql).toContain('`Phim Truyen` bigint')
    expect(sql).toMatch(/KEY `by_1` \(`MostWatch`\)/)
    expect(sql).toContain('utf8mb4')
    const [[, search]] = (await rows('SHOW CREATE TABLE customer_search_stats')) as [
      [string, string],
    ]
    expect(search).toContain('PRIMARY KEY (`user_id`)')
    expect(search).toMatch(/KEY `by_2` \(`category_m7`\)/)
  })
})

describe('on the embedded PostgreSQL', () => {
  test('the table is replaced in one step and says which version it holds', async () => {
    await using home = await openOttHome()
    const postgres = await startEmbeddedPostgres({ folder: path.join(home.folder, 'pg'), port: 0 })
    try {
      const publisher = () => postgresPublisher({ ...POSTGRES_DEFAULTS, ...postgres.config })
      const run = async () => (await home.run({ publisher }))['publish/ott/customer_content_stats']!
      const served = async () =>
        (
          await queryPostgres(postgres.config, {
            sql: 'SELECT "Contract", "Phim Truyen", "Active", "MostWatch", "Taste" FROM customer_content_stats',
            rowCountMax: 100_000,
          })
        ).rows
      await home.load(await home.write([day('20220401', 100, 2_000)]))
      expect(await run()).toMatchObject({ status: 'done', facts: { rows: 2_000 + ODD.length } })
      expect(asText(await served())).toEqual(asText(await home.rows(LAKE)))
      expect((await run()).status).toBe('nothing_new')
      await home.load(await home.write([day('20220402', 7, 1_000)]))
      expect((await run()).status).toBe('done')
      expect(asText(await served())).toEqual(asText(await home.rows(LAKE)))
    } finally {
      await postgres.close()
    }
  })

  test('the ledger compares what the lake has, what was published and what is there', async () => {
    await using home = await openOttHome()
    const postgres = await startEmbeddedPostgres({ folder: path.join(home.folder, 'pg'), port: 0 })
    const publisher = () => postgresPublisher({ ...POSTGRES_DEFAULTS, ...postgres.config })
    const line = async (of: () => TablePublisher = publisher) =>
      (await publishLedger({ plan: ott, lake: home.lake, publisher: of })).find(
        ({ hop }) => hop === 'publish.customer_content_stats',
      )
    const change = async (sql: string) => {
      const connection = await connect(postgres.config)
      await connection.run(sql).finally(() => connection.close())
    }
    try {
      expect(await line()).toBeUndefined()
      await home.load(await home.write([day('20220401', 100, 50)]))
      await home.run()
      const first = 50 + ODD.length
      expect(await line()).toMatchObject({ in: first, out: 0, inFlight: first, balanced: true })
      await home.run({ publisher })
      expect(await line()).toMatchObject({ in: first, out: first, inFlight: 0, balanced: true })
      await home.load(await home.write([day('20220402', 7, 80)]))
      await home.run()
      expect(await line()).toMatchObject({
        ...{ in: 80 + ODD.length, out: first, inFlight: 30, balanced: true },
      })
      await home.run({ publisher })
      await change(`DELETE FROM customer_content_stats WHERE "Contract" = 'C7'`)
      const all = 80 + ODD.length
      expect(await line()).toMatchObject({
        ...{ in: all, out: all, missing: 0, balanced: false },
        disagreement: `${all} rows were published and ${all - 1} are there`,
      })
      const away = { ...POSTGRES_DEFAULTS, ...postgres.config, port: 1 }
      expect(await line(() => postgresPublisher(away))).toBeUndefined()
    } finally {
      await postgres.close()
    }
  })
})
