import { globSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mekong, mekongUp, newHome, type RunningUp } from '../cli/run-mekong.ts'

// The front half of github-events as its users meet it: two hours of GH Archive, then events over HTTP, broken and old ones among them.

const ROOT = path.resolve(import.meta.dirname, '..', '..')
const HOURS = globSync('../shared/data/github-events/*.json.gz', { cwd: ROOT }).map((file) =>
  path.resolve(ROOT, file),
)
const CONFIG = path.join(import.meta.dirname, 'github-events', 'mekong.config.ts')
const homes: string[] = []
const newOwnHome = () => {
  homes.push(newHome())
  return homes.at(-1)!
}
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true, maxRetries: 5 })
})

const runJson = async <T = Record<string, unknown>>(home: string, ...args: string[]) =>
  (await mekong([...args, '--home', home, '--config', CONFIG, '--json'])).json<T>()
const ask = (home: string, sql: string) => runJson<Record<string, unknown>[]>(home, 'sql', sql)

describe.skipIf(HOURS.length === 0)('two hours of GH Archive', () => {
  test('all of it is in bronze, and loading it again adds nothing', async () => {
    const home = newOwnHome()
    const question = `select count(*) n, count(distinct id) ids,
      md5(string_agg(id || created_at || payload, '' order by id)) digest from bronze.github_events`
    const first = await runJson(home, 'load', 'github-events', ...HOURS)
    expect(first).toMatchObject({ ok: true, accepted: 15_129, bronze: 15_129, balanced: true })
    const [rows] = await ask(home, question)
    expect(rows).toMatchObject({ n: 15_129, ids: 15_129 })
    const again = await runJson(home, 'load', 'github-events', ...HOURS)
    expect(again).toMatchObject({ ok: true, accepted: 0, duplicates: 15_129, bronze: 15_129 })
    expect((await ask(home, question))[0]).toEqual(rows)
  })
})
if (HOURS.length === 0) console.log('skipped: no GH Archive files beside the project')

describe('over HTTP', () => {
  let home: string
  let running: RunningUp
  beforeAll(async () => {
    home = newOwnHome()
    running = await mekongUp(['--home', home, '--config', CONFIG])
  })
  afterAll(() => running.stop())

  const post = async (body: string, type = 'application/json', at = '/collect') => {
    const headers = { 'content-type': type, traceparent: TRACEPARENT }
    const answer = await fetch(`${running.url}${at}`, { method: 'POST', headers, body })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const inBronze = async (id: string) => {
    const sql = `select actor_id, actor_login, repo_name, created_at, trace_id, payload from bronze.github_events where id = '${id}'`
    await expect.poll(() => ask(home, sql), { timeout: 30_000, interval: 500 }).toHaveLength(1)
    return (await ask(home, sql))[0]!
  }
  const letters = async () =>
    (await runJson<{ dead_letters: Record<string, string>[] }>(home, 'dlq', 'list')).dead_letters

  test('one object, and both doors', async () => {
    const first = await post(JSON.stringify(event('e1')))
    expect(first).toMatchObject({ status: 202, body: { id: 'e1', status: 'accepted' } })
    const again = await post(JSON.stringify(event('e1')), undefined, '/v1/topics/github-events')
    expect(again.body).toMatchObject({ id: 'e1', status: 'duplicate' })
    expect(await inBronze('e1')).toEqual({
      actor_id: 7,
      actor_login: 'Ada',
      repo_name: 'ada/engine',
      created_at: '2015-03-01T17:00:00Z',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      payload: '{"size":2,"big":12345678901234567890}',
    })
  })

  test('an event that lacks something dies alone; its neighbours live', async () => {
    const { actor: _, ...actorless } = event('e3')
    const lines = [event('e2'), actorless, event('e4')].map((line) => JSON.stringify(line))
    const { status, body } = await post(lines.join('\n'), 'application/x-ndjson')
    expect([status, body]).toEqual([202, expect.objectContaining({ accepted: 2, rejected: 1 })])
    await inBronze('e2')
    await inBronze('e4')
    expect(await letters()).toContainEqual(
      expect.objectContaining({ reason: 'missing_field', record_id: 'e3' }),
    )
  })

  test('events from before 2015 are mapped where that is certain, and dead letters where it is not', async () => {
    const named = await post(JSON.stringify(timelineEvent({ forkee: { owner: ADA } })))
    expect(named.status).toBe(202)
    const id = String(named.body.id)
    expect(id).toMatch(/^timeline-[0-9a-f]{32}$/)
    expect(await inBronze(id)).toMatchObject({
      actor_id: 7,
      actor_login: 'Ada',
      repo_name: 'ada/engine',
      created_at: '2012-03-11T06:55:13Z',
    })
    const again = await post(JSON.stringify(timelineEvent({ forkee: { owner: ADA } })))
    expect(again.body).toMatchObject({ id, status: 'duplicate' })

    const unknown = await post(JSON.stringify(timelineEvent({ shas: [] })))
    expect(unknown.status).toBe(400)
    const homeless = await post(JSON.stringify({ ...timelineEvent({}), repository: undefined }))
    expect(homeless.status).toBe(400)
    const reasons = (await letters()).filter(({ reason }) => reason === 'old_schema')
    expect(reasons.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('does not tell the id of its actor "Ada"'),
        expect.stringContaining('names no repository'),
      ]),
    )
  })

  test('the metrics that the original names are there', async () => {
    const text = await (await fetch(`${running.url}/metrics`)).text()
    const named = {
      'queue size': /mekong_gateway_in_flight_records \d/,
      'queue capacity': /mekong_gateway_queue_capacity\{unit="records"\} \d/,
      'queue utilisation': /mekong_gateway_queue_fullness_ratio \d/,
      'requests by endpoint and status':
        /mekong_http_requests_total\{route="\/collect",status="202"\} [1-9]/,
      'request duration': /mekong_http_request_seconds_bucket\{route="\/collect"/,
      received: /mekong_gateway_records_total\{topic="github-events",outcome="accepted"\} [1-9]/,
      'rejected by reason':
        /mekong_gateway_rejected_records_total\{topic="github-events",reason="missing_field"\} [1-9]/,
      'batches sent': /mekong_log_writes_total\{outcome="written"\} [1-9]/,
      'batches failed': /mekong_log_writes_total\{outcome="failed"\} 0/,
      'batch size': /mekong_log_write_records_bucket/,
      'send duration': /mekong_log_write_seconds_count [1-9]/,
      'serialisation duration': /mekong_log_coding_seconds_count [1-9]/,
      'serialisation errors': /mekong_log_uncoded_values_total 0/,
      'worker uptime': /mekong_gateway_up_seconds [1-9]/,
      'worker active':
        /mekong_hop_running\{pipeline="github-events",hop="bronze.github_events"\} 1/,
    }
    const missing = Object.entries(named).filter(([, pattern]) => !pattern.test(text))
    expect(missing.map(([name]) => name)).toEqual([])
  })

  test('what is no event at all does not break anything', async () => {
    const answers = await Promise.all(
      ['7', '"text"', 'null', '{}', '[[]]', '{"id":'].map((b) => post(b)),
    )
    for (const { status } of answers) expect(status).toBe(400)
    expect((await post(JSON.stringify(event('e9')))).status).toBe(202)
  })
})

/** Part of JavaScript since 2025; TypeScript's library does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const ADA = { id: 7, login: 'Ada' }

function event(id: string) {
  const actor = { ...ADA, gravatar_id: '', url: 'https://example.com/a', avatar_url: '' }
  return {
    id,
    type: 'PushEvent',
    actor,
    repo: { id: 9, name: 'ada/engine', url: 'https://example.com/r' },
    // JavaScript would round the number; the platform keeps its digits.
    payload: { size: 2, big: rawJSON('12345678901234567890') },
    public: true,
    created_at: '2015-03-01T17:00:00Z',
    org: { id: 1 },
  }
}

const timelineEvent = (payload: object) => ({
  created_at: '2012/03/10 22:55:13 -0800',
  type: 'ForkEvent',
  public: true,
  actor: 'Ada',
  actor_attributes: { login: 'Ada', gravatar_id: 'abc', type: 'User' },
  repository: { id: 9, name: 'engine', owner: 'ada', url: 'https://github.com/ada/engine' },
  url: 'https://github.com/ada/engine',
  payload,
})
