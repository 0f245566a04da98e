import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Admin } from '@platformatic/kafka'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPlatformProcess } from '../crash/platform-process.ts'
import { ensureService, type ServiceHandle } from '../services.ts'

// The user-events pipeline as its users meet it: the command line and HTTP, from the POST to the row. First on the embedded parts, then
// the same on Apache Kafka and a PostgreSQL server, which must give the same rows.

const ROOT = path.resolve(import.meta.dirname, '..', '..')
const MAIN = path.join(ROOT, 'src', 'cli', 'main.ts')
const RATINGS = globSync('../shared/data/user-events/*.csv.gz', { cwd: ROOT }).map((file) =>
  path.resolve(ROOT, file),
)
const EXAMPLE = '{"user_id":123,"movie_id":456,"event_type":"click","timestamp":1701234567890}'

type Variables = Readonly<Record<string, string>>

async function mekong(
  variables: Variables,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, MEKONG_PORT: '0', ...variables },
      maxBuffer: 64 * 1024 * 1024,
    })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

async function rows(
  variables: Variables,
  home: string,
  ...args: string[]
): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await mekong(variables, 'sql', '--home', home, '--json', ...args)
  expect(code, err).toBe(0)
  return JSON.parse(out)
}

const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })

/** Everything that must be true wherever the records and rows live. */
function describeUserEvents(name: string, variablesOf: () => Promise<Variables | undefined>): void {
  describe(name, { timeout: 180_000 }, () => {
    let home: string
    let variables: Variables | undefined

    beforeAll(async () => {
      home = mkdtempSync(path.join(tmpdir(), 'mekong-user-events-'))
      variables = await variablesOf()
    }, 300_000)
    afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))

    test("the README's event is the README's row", async (context) => {
      if (variables === undefined) return context.skip()
      const platform = await startPlatformProcess({ home, variables })
      try {
        const answers = [
          await post(platform.url, EXAMPLE, { 'idempotency-key': 'readme' }),
          await post(platform.url, EXAMPLE, { 'idempotency-key': 'readme' }),
        ]
        expect(answers.map(({ status }) => status)).toEqual([202, 202])
        const [first, second] = (await Promise.all(answers.map((a) => a.json()))) as Record<
          string,
          unknown
        >[]
        expect(first).toMatchObject({ id: 'readme', status: 'accepted', topic: 'user-events' })
        expect(second).toEqual({ ...first, status: 'duplicate' })
        const expected = [
          {
            user_id: 123,
            movie_id: 456,
            event_type: 'click',
            event_timestamp: '2023-11-29 05:09:27.89+00',
          },
        ]
        const recent =
          'select user_id, movie_id, event_type, event_timestamp from get_recent_events(1)'
        await expect
          .poll(() => rows(variables!, home, '--on', 'postgres', recent), {
            timeout: 20_000,
            interval: 500,
          })
          .toEqual(expected)
        const inLake =
          'select user_id, movie_id, event_type, "timestamp" as event_timestamp from bronze.user_events'
        await expect
          .poll(() => rows(variables!, home, inLake), { timeout: 60_000, interval: 500 })
          .toEqual(expected)
        const byUser = await rows(
          variables,
          home,
          '--on',
          'postgres',
          'select movie_id, event_timestamp from get_user_events(123)',
        )
        expect(byUser).toEqual([{ movie_id: 456, event_timestamp: '2023-11-29 05:09:27.89+00' }])
      } finally {
        platform.signal('SIGTERM')
      }
      expect(await platform.ended).toEqual({ code: 0, signal: null })
    })

    test('64,069 real ratings: bronze, PostgreSQL and the ledger agree to the row; again adds nothing', async (context) => {
      if (variables === undefined) return context.skip()
      if (RATINGS.length === 0) {
        console.log('skipped: ../shared/data/user-events is not beside the project')
        return context.skip()
      }
      const load = () =>
        mekong(variables!, 'load', 'user-events', ...RATINGS, '--home', home, '--json')
      const first = JSON.parse((await load()).out)
      expect(first).toMatchObject({
        ok: true,
        balanced: true,
        produced: 64_069,
        accepted: 64_069,
        duplicates: 0,
        dead: 0,
      })
      const again = JSON.parse((await load()).out)
      expect(again).toMatchObject({
        ok: true,
        balanced: true,
        produced: 64_069,
        accepted: 0,
        duplicates: 64_069,
        dead: 0,
      })

      const perUser = (table: string, time: string) =>
        `select user_id, count(*) as n, sum(movie_id)::bigint as movies, min(${time}) as first, max(${time}) as last
         from ${table} where event_type = 'rate' group by user_id order by user_id`
      const bronze = await rows(
        variables,
        home,
        '--rows',
        '100000',
        perUser('bronze.user_events', '"timestamp"'),
      )
      const served = await rows(
        variables,
        home,
        '--rows',
        '100000',
        perUser('serve.user_events', 'event_timestamp'),
      )
      expect(bronze.reduce((sum, { n }) => sum + (n as number), 0)).toBe(64_069)
      expect(served).toEqual(bronze)
    })
  })
}

describeUserEvents('user-events on the embedded parts', async () => ({}))

describeUserEvents('user-events on Apache Kafka and a PostgreSQL server', async () => {
  const kafka = await ensureService('kafka')
  const postgres = await ensureService('postgres')
  if ('skip' in kafka || 'skip' in postgres) return undefined
  await forgetTopics(kafka)
  return { ...kafka.environment, ...postgres.environment, POSTGRES_DB: await newDatabase(postgres) }
})

/** The servers outlive a test run; what an earlier one left must not count as known. */
async function forgetTopics({ environment }: ServiceHandle): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [environment.KAFKA_BROKER!] })
  try {
    const topics = (await admin.listTopics()).filter((name) => name.startsWith('user-events'))
    if (topics.length > 0) await admin.deleteTopics({ topics })
    while ((await admin.listTopics()).some((name) => topics.includes(name))) await sleep(100)
  } finally {
    await admin.close()
  }
}

async function newDatabase({ environment }: ServiceHandle): Promise<string> {
  const { POSTGRES_HOST, POSTGRES_PORT, POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD } =
    environment
  const client = new pg.Client({
    host: POSTGRES_HOST,
    port: Number(POSTGRES_PORT),
    database: POSTGRES_DB,
    user: POSTGRES_USER,
    password: POSTGRES_PASSWORD,
  })
  await client.connect()
  const name = `user_events_${Date.now()}`
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return name
}

describe('a new user', { timeout: 180_000 }, () => {
  test('is told what is wrong with the configuration, every part of it', async () => {
    const missing = await mekong(
      { MEKONG_POSTGRES: 'server', MEKONG_LOG: 'kafka', POSTGRES_USER: 'u' },
      'up',
    )
    expect(missing.code).toBe(3)
    for (const name of ['KAFKA_BROKER', 'POSTGRES_HOST', 'POSTGRES_DB', 'POSTGRES_PASSWORD']) {
      expect(missing.err).toContain(`${name} is not set`)
    }
    expect(missing.err).not.toContain('POSTGRES_USER is not set')
  })

  test('is told which pipelines and files there are', async () => {
    const unknown = await mekong({}, 'load', 'user-event', 'x.csv')
    expect([unknown.code, unknown.err]).toEqual([
      2,
      expect.stringMatching(/Name a pipeline: .*user-events/),
    ])
    const noFile = await mekong({}, 'load', 'user-events', 'no-such-file.csv')
    expect([noFile.code, noFile.err]).toEqual([2, expect.stringContaining('There is no file')])
    const wrong = await mekong({}, 'load', 'user-events', MAIN)
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('Ratings in CSV')])
  })

  test('sees every saved query run', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'mekong-queries-'))
    try {
      const demo = JSON.parse(
        (await mekong({}, 'demo', '--exit', '--json', '--events', '500', '--home', home)).out,
      )
      expect(demo).toMatchObject({
        ok: true,
        pipelines: { 'user-events': { produced: 500, balanced: true } },
      })
      const platform = await startPlatformProcess({ home })
      try {
        const queries = JSON.parse((await mekong({}, 'sql', '--query', 'list', '--json')).out) as {
          name: string
        }[]
        expect(queries.length).toBeGreaterThanOrEqual(8)
        for (const { name } of queries) {
          expect(await rows({}, home, '--query', name), name).not.toHaveLength(0)
        }
      } finally {
        platform.signal('SIGTERM')
        await platform.ended
      }
    } finally {
      if (existsSync(home)) rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    }
  })
})
