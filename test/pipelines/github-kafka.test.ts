import { rmSync } from 'node:fs'
import path from 'node:path'
import { Consumer } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mekong, newHome, startMekong } from '../cli/run-mekong.ts'
import { ensureService, type ServiceHandle } from '../services.ts'

// github-events on Apache Kafka. Goal: one message an event, in Avro, with the repository as its key; and when the broker goes away the door keeps
// accepting, and afterwards every event is a row, once, each repository's in the order in which they were sent.

const CONFIG = path.join(import.meta.dirname, 'github-events', 'mekong.config.ts')
const REPO_COUNT = 5

describe('on Apache Kafka', { timeout: 240_000 }, () => {
  const home = newHome()
  const run = `kafka-${Date.now()}`
  let kafka: ServiceHandle | undefined
  beforeAll(async () => {
    const service = await ensureService('kafka', { instance: 'github-away' })
    if (!('skip' in service)) kafka = service
  }, 300_000)
  afterAll(async () => {
    await kafka?.stop()
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })

  test('events are accepted while it is away, and are one row each afterwards, in order', async (context) => {
    if (kafka === undefined) return context.skip()
    const args = ['up', '--json', '--home', home, '--config', CONFIG]
    const child = startMekong(args, kafka.environment)
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const line = await new Promise<string>((resolve) =>
      child.stdout!.once('data', (chunk) => resolve(String(chunk))),
    )
    const { url } = JSON.parse(line)
    const send = async (from: number, count: number) => {
      const events = Array.from({ length: count }, (_, index) => event(run, from + index))
      const answer = await fetch(`${url}/collect`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: events.map((each) => JSON.stringify(each)).join('\n'),
      })
      expect(answer.status).toBe(202)
      const body = (await answer.json()) as { records: { partition: number | null }[] }
      return body.records.filter(({ partition }) => partition === null).length
    }
    try {
      expect(await send(0, 40)).toBe(0)
      await kafka.kill()
      let spilled = 0
      for (let from = 40; from < 120; from += 20) spilled += await send(from, 20)
      // The same again, while nobody can look whether they are there.
      await send(100, 20)
      expect(spilled).toBe(80)
      await kafka.start()
      await send(120, 30)

      const rows = async (): Promise<
        { id: string; repo_id: number; kafka_partition: number }[]
      > => {
        const sql = `SELECT id, repo_id, kafka_partition FROM bronze.github_events WHERE starts_with(id, '${run}') ORDER BY kafka_partition, kafka_offset`
        const asked = ['sql', sql, '--json', '--home', home, '--config', CONFIG]
        return (await mekong(asked, kafka!.environment)).json()
      }
      await expect
        .poll(async () => (await rows()).length, { timeout: 120_000, interval: 1_000 })
        .toBe(150)
      const found = await rows()
      for (let repo = 0; repo < REPO_COUNT; repo += 1) {
        const ofRepo = found.filter(({ repo_id }) => repo_id === repo)
        const numbers = ofRepo.map(({ id }) => Number(id.split('-').at(-1)))
        expect(numbers).toEqual(Array.from({ length: 30 }, (_, n) => repo + n * REPO_COUNT))
        expect(new Set(ofRepo.map(({ kafka_partition }) => kafka_partition)).size).toBe(1)
      }
      const metrics = await (await fetch(`${url}/metrics`)).text()
      expect(metrics).toMatch(/mekong_log_spilled_records_total\{topic="github-events"\} [1-9]\d\d/)
      expect(metrics).toMatch(/mekong_log_moved_records_total\{topic="github-events"\} [1-9]\d\d/)
    } finally {
      child.kill('SIGTERM')
      await closed
    }

    const messages = await messagesOf(kafka.environment.KAFKA_BROKER!, run, 150)
    for (const { key, value } of messages) {
      expect([value[0], value[1]]).toEqual([0xc3, 0x01])
      expect(Number(key)).toBeLessThan(REPO_COUNT)
    }
    expect(messages).toHaveLength(150)
  })
})

/** What really lies on the topic, by Kafka's own client. */
async function messagesOf(broker: string, run: string, count: number) {
  const consumer = new Consumer({
    ...{ clientId: 'judge', groupId: run, bootstrapBrokers: [broker] },
  })
  const found: { key: string; value: Buffer }[] = []
  const stream = await consumer.consume({
    ...{ topics: ['github-events'], mode: 'earliest', autocommit: false },
  })
  for await (const { key, value } of stream) {
    if (!value.includes(run)) continue
    found.push({ key: key.toString(), value })
    if (found.length === count) break
  }
  await consumer.close(true)
  return found
}

const event = (run: string, n: number) => ({
  id: `${run}-${n}`,
  type: 'WatchEvent',
  actor: { id: 7, login: 'ada', gravatar_id: '', url: '', avatar_url: '' },
  repo: { id: n % REPO_COUNT, name: `ada/engine-${n % REPO_COUNT}`, url: '' },
  payload: { action: 'started' },
  public: true,
  created_at: '2015-03-01T17:00:00Z',
})
