import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type AppendCall, AppendQueue } from '../../src/log/append-queue.ts'
import type { WriteReport } from '../../src/log/log-watch.ts'

// Batches make themselves: an idle log writes at once what comes, a busy one writes together what came meanwhile. Past its limit
// it says so at once, and when to come back.

const record = (id: number) => ({
  ...{ id: String(id), idMayRepeat: false, key: null, value: new Uint8Array(100) },
})

interface Options {
  readonly writeMs: number
  readonly queueRecordCountMax?: number
  readonly writeRecordCountMax?: number
}

function queueOf({ writeMs, queueRecordCountMax = 1_000, writeRecordCountMax = 500 }: Options) {
  const writes: WriteReport[] = []
  const order: string[] = []
  const queue = new AppendQueue<string>({
    limits: { queueBytesMax: 1e9, queueRecordCountMax },
    writeRecordCountMax,
    writeBytesMax: 1e9,
    async write(calls: readonly AppendCall<string>[]) {
      await sleep(writeMs)
      for (const { records } of calls) order.push(...records.map(({ id }) => id))
      return () => {
        for (const { records, resolve } of calls)
          resolve({
            ...{ status: 'appended' },
            records: records.map(() => ({ status: 'appended', partition: 0, offset: 0 })),
          })
      }
    },
    onWrite: (write) => writes.push(write),
  })
  return { queue, writes, order }
}

test('an idle log writes a record at once and alone', async () => {
  const { queue, writes } = queueOf({ writeMs: 1 })
  for (let id = 0; id < 3; id += 1) await queue.append('t', [record(id)], 0)
  expect(writes.map(({ recordCount, appendCount }) => [recordCount, appendCount])).toEqual([
    [1, 1],
    [1, 1],
    [1, 1],
  ])
})

test('a busy log writes together what came while it wrote, in order and no more than fits', async () => {
  const { queue, writes, order } = queueOf({ writeMs: 20, writeRecordCountMax: 100 })
  const first = queue.append('t', [record(0)], 0)
  await sleep(5)
  const rest = Array.from({ length: 299 }, (_, index) => queue.append('t', [record(index + 1)], 0))
  await Promise.all([first, ...rest])
  expect(writes.map(({ recordCount }) => recordCount)).toEqual([1, 100, 100, 99])
  expect(order).toEqual(Array.from({ length: 300 }, (_, id) => String(id)))
})

test('past the limit the answer is no, at once, with a time to come back; afterwards it takes again', async () => {
  const { queue } = queueOf({ writeMs: 50, queueRecordCountMax: 10 })
  const taken = Array.from({ length: 10 }, (_, id) => queue.append('t', [record(id)], 0))
  const outcome = await queue.append('t', [record(10)], 0)
  expect(outcome).toMatchObject({ status: 'full', retryAfterMs: expect.any(Number) })
  await Promise.all(taken)
  expect(await queue.append('t', [record(10)], 0)).toMatchObject({ status: 'appended' })
})
