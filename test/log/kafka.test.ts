import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Producer } from '@platformatic/kafka'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { InvalidAppendError } from '../../src/log/errors.ts'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { append, describeLog, type LogUnderTest, readAll, record } from '../conformance/log.ts'
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
else {
  const brokers = [`127.0.0.1:${kafka.port}`]
  const folder = () => mkdtempSync(path.join(os.tmpdir(), 'mekong-kafka-'))
  describeLog('the Kafka log', () => openAt(brokers, folder()))

  describe('the Kafka log alone', () => {
    let subject: LogUnderTest
    let topic: string
    beforeEach(async () => {
      subject = await openAt(brokers, folder())
      topic = `t-${randomUUID().slice(0, 13)}`
      await subject.log.ensureTopic({ name: topic, partitions: 1 })
    })
    afterEach(() => subject.dispose())

    test('a record too large for the broker is refused without its neighbours', async () => {
      const huge = record('huge', { value: randomBytes(11 * 1024 * 1024) })
      const answers = await Promise.allSettled([
        append(subject.log, topic, [record('before')]),
        append(subject.log, topic, [huge]),
        append(subject.log, topic, [record('after')]),
      ])
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      const [, refused] = answers
      expect(refused?.status === 'rejected' && refused.reason).toBeInstanceOf(InvalidAppendError)
      const ids = (await readAll(subject.log, topic, 0)).map(({ id }) => id)
      expect(ids).toEqual(['before', 'after'])
    })

    test('an append larger than a Kafka batch is sent in parts, in order', async () => {
      const records = Array.from({ length: 40 }, (_, n) =>
        record(`r${n}`, { value: randomBytes(100_000), idMayRepeat: true }),
      )
      const appended = await append(subject.log, topic, records)
      expect(appended.map(({ offset }) => offset)).toEqual(records.map((_, n) => n))
      const again = await append(subject.log, topic, records)
      expect(again.every(({ status }) => status === 'duplicate')).toBe(true)
      expect(await readAll(subject.log, topic, 0)).toHaveLength(40)
    })

    test('records of other programs are read, named by their place, without aborted ones', async () => {
      const client = { clientId: 'other', bootstrapBrokers: brokers }
      const message = (value: string) => ({ topic, partition: 0, value: Buffer.from(value) })
      const other = new Producer<Buffer, Buffer, Buffer, Buffer>({
        ...client,
        idempotent: true,
        transactionalId: `other-${topic}`,
      })
      const given = await other.beginTransaction()
      await given.send({ messages: [message('never')] })
      await given.abort()
      const kept = await other.beginTransaction()
      await kept.send({ messages: [message('kept')] })
      await kept.commit()
      await other.close()
      await append(subject.log, topic, [record('ours')])
      const records = await readAll(subject.log, topic, 0)
      expect(records.map(({ id }) => id)).toEqual([`${topic}-0-2`, 'ours'])
      expect(Buffer.from(records[0]!.value).toString()).toBe('kept')
    })
  })
}
