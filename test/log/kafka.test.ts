import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, test } from 'vitest'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { describeLog, type LogUnderTest } from '../conformance/log.ts'
import { ensureService } from '../services.ts'

const kafka = await ensureService('kafka')

async function openAt(brokers: readonly string[], folder: string): Promise<LogUnderTest> {
  const log = await openKafkaLog({ brokers, indexFile: path.join(folder, 'ids.sqlite') })
  return {
    log,
    async reopen() {
      await log.close()
      return openAt(brokers, folder)
    },
    async dispose() {
      await log.close()
      rmSync(folder, { recursive: true })
    },
  }
}

if ('skip' in kafka) describe('the Kafka log', () => test.skip(kafka.skip, () => {}))
else
  describeLog('the Kafka log', () =>
    openAt([`127.0.0.1:${kafka.port}`], mkdtempSync(path.join(os.tmpdir(), 'mekong-kafka-'))),
  )
