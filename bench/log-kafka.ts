import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openKafkaLog } from '../src/log/kafka/kafka-log.ts'
import { measure, recordsOf } from './log-records.ts'

// How fast is the log in Kafka, and what does it cost the main thread? Needs KAFKA_BROKER
// (npm run services -- kafka). Every append is acknowledged by all in-sync replicas before it counts.

const brokers = (process.env.KAFKA_BROKER ?? '127.0.0.1:19092').split(',')
const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-bench-'))
const log = await openKafkaLog({ brokers, indexFile: path.join(folder, 'ids.sqlite') })
const topic = `bench-${Date.now()}`
await log.ensureTopic({ name: topic, partitions: 3 })

for (let round = 0; round < 3; round += 1) {
  for (const idMayRepeat of [false, true]) {
    const looked = idMayRepeat ? ', ids looked up' : ''
    let left = 10_000
    await measure(`one a call, 64 at once${looked}`, left, async () => {
      await Promise.all(
        Array.from({ length: 64 }, async () => {
          while (left > 0) {
            left -= 1
            await log.append(topic, recordsOf(1, idMayRepeat))
          }
        }),
      )
    })
    const batches = Array.from({ length: 20 }, () => recordsOf(5_000, idMayRepeat))
    await measure(`5,000 a call${looked}`, 100_000, async () => {
      for (const batch of batches) {
        const outcome = await log.append(topic, batch)
        if (outcome.status !== 'appended') throw new Error(outcome.reason)
      }
    })
  }
}
const bounds = await log.bounds(topic)
const total = bounds.reduce((sum, { offsetEnd }) => sum + offsetEnd, 0)
await measure('reading 10,000 at a time', total, async () => {
  for (const { partition, offsetEnd } of bounds) {
    for (let offset = 0; offset < offsetEnd; ) {
      const limits = { recordCountMax: 10_000, bytesMax: 4e6 }
      offset = (await log.read({ topic, partition, offset, ...limits })).offsetEnd
    }
  }
})
await log.close()
rmSync(folder, { recursive: true })
