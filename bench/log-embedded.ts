import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts'
import type { Log } from '../src/log/log.ts'
import { measure, recordsOf } from './log-records.ts'

// How fast is the embedded log, and what does an append cost the main thread?
//   node bench/log-embedded.ts
// Every append is fsynced before it counts. Records are 140 bytes with a UUID as id.

async function singles(log: Log, count: number, concurrency: number, idMayRepeat: boolean) {
  let left = count
  const waits: number[] = []
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left > 0) {
        left -= 1
        const start = performance.now()
        const [record] = recordsOf(1, idMayRepeat)
        const outcome = await log.append('t', [record!])
        if (outcome.status !== 'appended') throw new Error(outcome.reason)
        waits.push(performance.now() - start)
      }
    }),
  )
  waits.sort((a, b) => a - b)
  console.log(
    `  p50 ${waits[waits.length >> 1]!.toFixed(2)} ms, p99 ${waits[Math.floor(waits.length * 0.99)]!.toFixed(2)} ms`,
  )
}

async function batches(log: Log, batchCount: number, idMayRepeat: boolean) {
  const made = Array.from({ length: batchCount }, () => recordsOf(5_000, idMayRepeat))
  await measure(
    `5,000 a call${idMayRepeat ? ', ids looked up' : ''}`,
    batchCount * 5_000,
    async () => {
      const running = new Set<Promise<unknown>>()
      for (const batch of made) {
        const done = log.append('t', batch).then((outcome) => {
          running.delete(done)
          if (outcome.status !== 'appended') throw new Error(outcome.reason)
        })
        running.add(done)
        if (running.size >= 4) await Promise.race(running)
      }
      await Promise.all(running)
    },
  )
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-bench-'))
const log = await openEmbeddedLog({ file: path.join(folder, 'log.sqlite') })
await log.ensureTopic({ name: 't', partitions: 3 })
for (let round = 0; round < 3; round += 1) {
  await measure('one a call, 64 at once', 40_000, () => singles(log, 40_000, 64, false))
  await measure('one a call, 64 at once, ids looked up', 20_000, () =>
    singles(log, 20_000, 64, true),
  )
  await measure('one a call, 1 at once', 500, () => singles(log, 500, 1, false))
  await batches(log, 100, false)
  await batches(log, 20, true)
}
let read = 0
const bounds = await log.bounds('t')
const total = bounds.reduce((sum, { offsetEnd }) => sum + offsetEnd, 0)
await measure('reading 10,000 at a time', total, async () => {
  for (const { partition, offsetEnd } of bounds) {
    for (let offset = 0; offset < offsetEnd; ) {
      const batch = await log.read({
        topic: 't',
        partition,
        offset,
        recordCountMax: 10_000,
        bytesMax: 1e7,
      })
      offset = batch.offsetEnd
      read += batch.offsets.length
    }
  }
})
if (read !== total) throw new Error(`read ${read} of ${total}`)
await log.close()
rmSync(folder, { recursive: true })
