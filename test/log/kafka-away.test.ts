import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts'
import type { GroupLog } from '../../src/log/group.ts'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { spillingLog } from '../../src/log/spilling-log.ts'
import type { LogRecord } from '../../src/model/record-batch.ts'
import { append, readAll, record } from '../conformance/log.ts'
import { ensureService } from '../services.ts'

// What happens when the broker is taken away and comes back. A broker of its own, so that nobody
// else loses theirs.

const broker = await ensureService('kafka', { instance: 'away' })

if ('skip' in broker) describe('Kafka away', () => test.skip(broker.skip, () => {}))
else
  describe('Kafka away', () => {
    let folder: string
    let log: GroupLog | undefined
    let topic: string
    beforeEach(async () => {
      await broker.start()
      folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-away-'))
      topic = `t-${randomUUID().slice(0, 13)}`
    })
    afterEach(async () => {
      await log?.close()
      log = undefined
      rmSync(folder, { recursive: true })
    })

    const openKafka = () =>
      openKafkaLog({
        brokers: [`127.0.0.1:${broker.port}`],
        indexFile: path.join(folder, 'ids.sqlite'),
      })

    async function openSpilling(): Promise<GroupLog> {
      const spill = await openEmbeddedLog({ file: path.join(folder, 'spill.sqlite') })
      return spillingLog({ primary: await openKafka(), spill })
    }

    async function stored(): Promise<readonly LogRecord[]> {
      const bounds = await log!.bounds(topic)
      const parts = bounds.map(({ partition }) => readAll(log!, topic, partition))
      return (await Promise.all(parts)).flat()
    }

    test('an append says so quickly, and works again when the broker is back', async () => {
      log = await openKafka()
      await log.ensureTopic({ name: topic, partitions: 1 })
      await append(log, topic, [record('a')])
      await broker.kill()
      await sleep(100)
      const startMs = performance.now()
      const outcome = await log.append(topic, [record('b', { idMayRepeat: true })])
      expect(performance.now() - startMs).toBeLessThan(5_000)
      expect(outcome.status).toBe('unavailable')
      await broker.start()
      await append(log, topic, [record('b', { idMayRepeat: true })])
      expect((await stored()).map(({ id }) => id)).toEqual(['a', 'b'])
    })

    test('records appended by a process that was killed before it entered their ids are found', async () => {
      log = await openKafka()
      await log.ensureTopic({ name: topic, partitions: 2 })
      const ids = ['a', 'b', 'c', 'd']
      const first = await append(
        log,
        topic,
        ids.map((id) => record(id, { idMayRepeat: true })),
      )
      await log.close()
      // The index as it was before: as if the process had ended between the broker's answer and the
      // entry.
      rmSync(path.join(folder, 'ids.sqlite'))
      log = await openKafka()
      const again = await append(
        log,
        topic,
        ids.map((id) => record(id, { idMayRepeat: true })),
      )
      expect(again).toEqual(first.map((place) => ({ ...place, status: 'duplicate' })))
      expect(await stored()).toHaveLength(4)
    })

    test('ids that another producer wrote are found as well', async () => {
      log = await openKafka()
      await log.ensureTopic({ name: topic, partitions: 1 })
      await append(log, topic, [record('mine', { idMayRepeat: true })])
      const other = await openKafkaLog({
        brokers: [`127.0.0.1:${broker.port}`],
        indexFile: path.join(folder, 'other.sqlite'),
      })
      await append(other, topic, [record('theirs', { idMayRepeat: true })])
      await other.close()
      // The first append after it meets an offset it did not expect; from then on the other's ids
      // are known.
      await append(log, topic, [record('mine-2')])
      const [theirs] = await append(log, topic, [record('theirs', { idMayRepeat: true })])
      expect(theirs).toEqual({ status: 'duplicate', partition: 0, offset: 1 })
    })

    test('while the broker is away records spill, and are moved once, in order', async () => {
      log = await openSpilling()
      await log.ensureTopic({ name: topic, partitions: 3 })
      const statuses = new Set<string>()
      const answered: string[] = []
      const stop = new AbortController()
      const callers = Array.from({ length: 6 }, async (_, caller) => {
        for (let n = 0; !stop.signal.aborted; n += 1) {
          const records = Array.from({ length: 1 + (n % 3) }, (_, m) =>
            record(`${caller}.${n}.${m}`, { key: `caller-${caller}` }),
          )
          for (const { status } of await append(log!, topic, records)) statuses.add(status)
          answered.push(...records.map(({ id }) => id))
          await sleep(2)
        }
      })
      await sleep(300)
      await broker.kill()
      await sleep(1_500)
      await broker.start()
      await sleep(1_500)
      stop.abort()
      await Promise.all(callers)
      expect(statuses).toEqual(new Set(['appended', 'spilled']))
      await expect
        .poll(async () => (await stored()).length, { timeout: 20_000 })
        .toBe(answered.length)
      const records = await stored()
      expect(new Set(records.map(({ id }) => id))).toEqual(new Set(answered))
      const lastOf = new Map<string, number>()
      for (const { id, key } of records) {
        const [, n, m] = id.split('.').map(Number) as [number, number, number]
        expect(n * 10 + m).toBeGreaterThan(lastOf.get(key!) ?? -1)
        lastOf.set(key!, n * 10 + m)
      }
      const described = (await log.topics()).find(({ name }) => name === topic)
      expect(described?.duplicateCount).toBe(0)
      // The spill is empty, so the next record goes straight through.
      const [last] = await append(log, topic, [record('last')])
      expect(last?.status).toBe('appended')
    })

    test('what was spilled before a restart is moved after it, topics made while away included', async () => {
      await broker.kill()
      log = await openSpilling()
      await log.ensureTopic({ name: topic, partitions: 2 })
      const arrived = Date.now()
      const records = Array.from({ length: 50 }, (_, n) => record(`r${n}`, { key: 'k' }))
      for (const { status } of await append(log, topic, records)) expect(status).toBe('spilled')
      await log.close()
      log = await openSpilling()
      await sleep(300)
      await broker.start()
      await log.ensureTopic({ name: topic, partitions: 2 })
      await expect.poll(async () => (await stored()).length, { timeout: 20_000 }).toBe(50)
      const moved = await stored()
      expect(moved.map(({ id }) => id)).toEqual(records.map(({ id }) => id))
      for (const { arrivedMs } of moved) expect(arrivedMs - arrived).toBeLessThan(300)
    })
  })
