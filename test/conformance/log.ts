import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TopicMismatchError, TopicMissingError } from '../../src/log/errors.ts'
import type { Log } from '../../src/log/log.ts'
import type { AppendedRecord, NewRecord } from '../../src/model/append.ts'
import { type LogRecord, recordAt } from '../../src/model/record-batch.ts'

// What every log must do, whatever keeps the records. Topics are new for each test, since a broker
// outlives the run.

export interface LogUnderTest {
  readonly log: Log
  /** Close and open again, as after a restart of the platform. Replaces `log`. */
  reopen(): Promise<LogUnderTest>
  /** Close for good and leave nothing behind. */
  dispose(): Promise<void>
}

export function describeLog(name: string, open: () => Promise<LogUnderTest>): void {
  describe(name, () => {
    let subject: LogUnderTest
    beforeAll(async () => {
      subject = await open()
    })
    afterAll(async () => {
      await subject?.dispose()
    })

    async function newTopic(partitions = 1): Promise<string> {
      const topic = `t-${randomUUID().slice(0, 13)}`
      await subject.log.ensureTopic({ name: topic, partitions })
      return topic
    }

    test('what is appended is read back byte for byte, in order', async () => {
      const topic = await newTopic()
      const beforeMs = Date.now()
      const values = [
        new Uint8Array(),
        new Uint8Array([0, 255, 10, 13]),
        Buffer.from('Phim Truyện'),
      ]
      const appended = await append(subject.log, topic, [
        { id: 'a', idMayRepeat: false, key: null, value: values[0]! },
        {
          id: 'đ-2',
          idMayRepeat: false,
          key: 'khóa',
          value: values[1]!,
          headers: { h: 'ố', i: '' },
        },
        { id: 'c', idMayRepeat: false, key: '', value: values[2]!, headers: {} },
      ])
      expect(appended).toEqual([0, 1, 2].map((offset) => at(0, offset)))
      const records = await readAll(subject.log, topic, 0)
      expect(records.map(({ arrivedMs: _, ...rest }) => rest)).toEqual([
        {
          topic,
          partition: 0,
          offset: 0,
          id: 'a',
          key: null,
          headers: {},
          value: bytes(values[0]!),
        },
        {
          topic,
          partition: 0,
          offset: 1,
          id: 'đ-2',
          key: 'khóa',
          headers: { h: 'ố', i: '' },
          value: bytes(values[1]!),
        },
        {
          topic,
          partition: 0,
          offset: 2,
          id: 'c',
          key: null,
          headers: {},
          value: bytes(values[2]!),
        },
      ])
      for (const { arrivedMs } of records) {
        expect(arrivedMs).toBeGreaterThanOrEqual(beforeMs)
        expect(arrivedMs).toBeLessThanOrEqual(Date.now())
      }
    })

    test('an append of nothing is an append', async () => {
      expect(await append(subject.log, await newTopic(), [])).toEqual([])
    })

    test('a topic is made once, keeps its partitions, and is missed by name', async () => {
      const topic = await newTopic(3)
      await subject.log.ensureTopic({ name: topic, partitions: 3, retentionMs: 86_400_000 })
      const described = (await subject.log.topics()).find((each) => each.name === topic)
      expect(described).toMatchObject({
        name: topic,
        partitions: 3,
        retentionMs: 86_400_000,
        duplicateCount: 0,
      })
      expect(described?.bounds).toHaveLength(3)
      await expect(subject.log.ensureTopic({ name: topic, partitions: 2 })).rejects.toBeInstanceOf(
        TopicMismatchError,
      )
      const missing = `missing-${topic}`
      await expect(subject.log.append(missing, [record('a')])).rejects.toBeInstanceOf(
        TopicMissingError,
      )
      await expect(subject.log.bounds(missing)).rejects.toBeInstanceOf(TopicMissingError)
      await expect(
        subject.log.read({
          topic: missing,
          partition: 0,
          offset: 0,
          recordCountMax: 1,
          bytesMax: 1,
        }),
      ).rejects.toBeInstanceOf(TopicMissingError)
    })

    test('records with one key share a partition and keep their order', async () => {
      const topic = await newTopic(4)
      const appended = await append(
        subject.log,
        topic,
        Array.from({ length: 400 }, (_, n) => record(`r${n}`, { key: `k${n % 20}` })),
      )
      const partitionOfKey = new Map<string, number>()
      const records = (
        await Promise.all([0, 1, 2, 3].map((partition) => readAll(subject.log, topic, partition)))
      ).flat()
      expect(records).toHaveLength(400)
      const lastOfKey = new Map<string, number>()
      for (const { key, partition, id, offset } of records) {
        const number = Number(id.slice(1))
        expect(partitionOfKey.get(key!) ?? partition).toBe(partition)
        partitionOfKey.set(key!, partition)
        expect(number).toBeGreaterThan(lastOfKey.get(key!) ?? -1)
        lastOfKey.set(key!, number)
        expect(appended[number]).toEqual(at(partition, offset))
      }
      expect(new Set(partitionOfKey.values()).size).toBeGreaterThan(1)
    })

    test('a repeated id is answered with its first position, within a call, across calls and after a restart', async () => {
      const topic = await newTopic(2)
      const first = await append(subject.log, topic, [
        record('x', { idMayRepeat: true, key: 'one' }),
        record('y', { idMayRepeat: true, key: 'two' }),
        record('x', { idMayRepeat: true, key: 'two' }),
        record('z', { idMayRepeat: false, key: 'one' }),
      ])
      expect(first.map(({ status }) => status)).toEqual([
        'appended',
        'appended',
        'duplicate',
        'appended',
      ])
      expect(first[2]).toEqual({ ...first[0], status: 'duplicate' })
      subject = await subject.reopen()
      const again = await append(subject.log, topic, [
        record('y', { idMayRepeat: true, key: 'one' }),
        record('w', { idMayRepeat: true, key: 'one' }),
        record('x', { idMayRepeat: true, key: 'one' }),
      ])
      expect(again[0]).toEqual({ ...first[1], status: 'duplicate' })
      expect(again[1]?.status).toBe('appended')
      expect(again[2]).toEqual({ ...first[0], status: 'duplicate' })
      const ids = (
        await Promise.all([0, 1].map((partition) => readAll(subject.log, topic, partition)))
      )
        .flat()
        .map(({ id }) => id)
      expect(ids.sort()).toEqual(['w', 'x', 'y', 'z'])
      const described = (await subject.log.topics()).find((each) => each.name === topic)
      expect(described?.duplicateCount).toBe(3)
    })

    test('the same id offered by many callers at once is stored once', async () => {
      const topic = await newTopic(3)
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          append(subject.log, topic, [record('same', { idMayRepeat: true, key: `k${n}` })]),
        ),
      )
      const flat = answers.flat()
      expect(flat.filter(({ status }) => status === 'appended')).toHaveLength(1)
      expect(new Set(flat.map(({ partition, offset }) => `${partition}/${offset}`)).size).toBe(1)
    })

    test('concurrent appends are each answered with their own places, without gaps', async () => {
      const topic = await newTopic(2)
      const answers = await Promise.all(
        Array.from({ length: 60 }, async (_, n) => {
          const records = Array.from({ length: 1 + (n % 7) }, (_, m) =>
            record(`${n}-${m}`, { key: `k${n % 5}` }),
          )
          return { records, appended: await append(subject.log, topic, records) }
        }),
      )
      const stored = new Map<string, string>()
      for (const partition of [0, 1]) {
        const records = await readAll(subject.log, topic, partition)
        expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index))
        for (const each of records) stored.set(each.id, `${partition}/${each.offset}`)
      }
      for (const { records, appended } of answers)
        for (const [index, { id }] of records.entries())
          expect(stored.get(id)).toBe(`${appended[index]!.partition}/${appended[index]!.offset}`)
      expect(stored.size).toBe(answers.flatMap(({ records }) => records).length)
    })

    test('reading honours its limits, starts anywhere, and ends with an empty batch', async () => {
      const topic = await newTopic()
      for (const start of [0, 10, 20])
        await append(
          subject.log,
          topic,
          Array.from({ length: 10 }, (_, n) =>
            record(`r${start + n}`, { value: new Uint8Array(100) }),
          ),
        )
      const read = async (offset: number, recordCountMax: number, bytesMax: number) => {
        const request = { topic, partition: 0, offset, recordCountMax, bytesMax }
        const batch = await subject.log.read(request)
        return { offsets: [...batch.offsets], offsetEnd: batch.offsetEnd }
      }
      expect(await read(7, 8, 1e6)).toEqual({
        offsets: [7, 8, 9, 10, 11, 12, 13, 14],
        offsetEnd: 15,
      })
      expect(await read(3, 100, 250)).toEqual({ offsets: [3, 4], offsetEnd: 5 })
      expect(await read(3, 100, 1)).toEqual({ offsets: [3], offsetEnd: 4 })
      expect(await read(29, 100, 1e6)).toEqual({ offsets: [29], offsetEnd: 30 })
      expect(await read(30, 100, 1e6)).toEqual({ offsets: [], offsetEnd: 30 })
    })

    test('bounds and times lead to offsets', async () => {
      const topic = await newTopic(2)
      const beforeMs = Date.now()
      const one = await append(subject.log, topic, [record('a', { key: 'p' })])
      const partition = one[0]!.partition
      await new Promise((resolve) => setTimeout(resolve, 20))
      const betweenMs = Date.now()
      await append(subject.log, topic, [record('b', { key: 'p' }), record('c', { key: 'p' })])
      const bounds = await subject.log.bounds(topic)
      expect(bounds).toEqual(
        [0, 1].map((each) => ({
          partition: each,
          offsetStart: 0,
          offsetEnd: each === partition ? 3 : 0,
        })),
      )
      const offsetAt = async (timeMs: number) =>
        (await subject.log.offsetsAt(topic, timeMs)).get(partition)
      expect(await offsetAt(beforeMs - 1000)).toBe(0)
      expect(await offsetAt(betweenMs)).toBe(1)
      expect(await offsetAt(Date.now() + 60_000)).toBe(3)
      expect((await subject.log.offsetsAt(topic, 0)).get(1 - partition)).toBe(0)
    })

    test('groups remember how far they are', async () => {
      const topic = await newTopic(3)
      const group = `g-${topic}`
      expect(await subject.log.committed(group, topic)).toEqual(new Map())
      await subject.log.commit(group, topic, new Map([[0, 5]]))
      await subject.log.commit(
        group,
        topic,
        new Map([
          [0, 7],
          [2, 1],
        ]),
      )
      subject = await subject.reopen()
      expect(await subject.log.committed(group, topic)).toEqual(
        new Map([
          [0, 7],
          [2, 1],
        ]),
      )
      expect(await subject.log.committed(`${group}-other`, topic)).toEqual(new Map())
    })

    test('waiting ends when something arrives, at once when it is there, and when aborted', async () => {
      const topic = await newTopic(2)
      const aborted = new AbortController()
      const all = new Map([
        [0, 0],
        [1, 0],
      ])
      let woken = false
      const waiting = subject.log.waitForAppend(topic, all, aborted.signal).then(() => {
        woken = true
      })
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(woken).toBe(false)
      const [{ partition }] = (await append(subject.log, topic, [record('a')])) as [AppendedRecord]
      await waiting
      await subject.log.waitForAppend(topic, all, aborted.signal)
      const never = subject.log.waitForAppend(topic, new Map([[partition, 1]]), aborted.signal)
      aborted.abort()
      await never
    })

    test('everything is there after a restart, and numbers go on', async () => {
      const topic = await newTopic()
      await append(subject.log, topic, [record('a'), record('b')])
      subject = await subject.reopen()
      expect(await append(subject.log, topic, [record('c')])).toEqual([at(0, 2)])
      expect((await readAll(subject.log, topic, 0)).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    })
  })
}

/** A small record; whatever a test cares about is given. */
export function record(id: string, parts: Partial<NewRecord> = {}): NewRecord {
  return { id, idMayRepeat: false, key: null, value: Buffer.from(`value of ${id}`), ...parts }
}

/** Append, and fail the test unless it was done. */
export async function append(
  log: Pick<Log, 'append'>,
  topic: string,
  records: readonly NewRecord[],
): Promise<readonly AppendedRecord[]> {
  const outcome = await log.append(topic, records)
  if (outcome.status !== 'appended')
    throw new Error(`append was answered with ${outcome.status}: ${outcome.reason}`)
  return outcome.records
}

/** Every record of a partition, read in small steps unless told otherwise. */
export async function readAll(
  log: Pick<Log, 'read' | 'bounds'>,
  topic: string,
  partition: number,
  recordCountMax = 97,
): Promise<readonly LogRecord[]> {
  const bounds = (await log.bounds(topic))[partition]!
  const records: LogRecord[] = []
  let offset = bounds.offsetStart
  while (offset < bounds.offsetEnd) {
    const batch = await log.read({ topic, partition, offset, recordCountMax, bytesMax: 1e6 })
    for (let index = 0; index < batch.offsets.length; index += 1)
      records.push(recordAt(batch, index))
    expect(batch.offsetEnd).toBeGreaterThan(offset)
    offset = batch.offsetEnd
  }
  return records
}

const at = (partition: number, offset: number): AppendedRecord => ({
  status: 'appended',
  partition,
  offset,
})

const bytes = (value: Uint8Array): Uint8Array => new Uint8Array(value)
