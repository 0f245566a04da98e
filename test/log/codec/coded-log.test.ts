import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { avroSchemaOf } from '../../../src/log/codec/avro-schema.ts'
import { codedLog, codedLogReader, SCHEMAS_TOPIC } from '../../../src/log/codec/coded-log.ts'
import { schemaText } from '../../../src/log/codec/value-codec.ts'
import { openEmbeddedLog, openEmbeddedLogReader } from '../../../src/log/embedded/embedded-log.ts'
import { bytesAt, type RecordBatch } from '../../../src/model/record-batch.ts'
import { json, record, text } from '../../../src/model/schema.ts'

// A log that keeps Avro and shows JSON: to those who wrote it, to others who know no schema, and after the schema has changed.

const folder = mkdtempSync(path.join(tmpdir(), 'mekong-coded-'))
const file = path.join(folder, 'log.sqlite')
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const schemaOf = (fields: Parameters<typeof record>[0]) =>
  schemaText(avroSchemaOf(record(fields), { name: 'Event', namespace: 'com.example' }))
const FIRST = schemaOf({ id: text(), payload: json() })
const SECOND = schemaOf({ id: text(), kind: text(), payload: json() })
const WHOLE = { topic: 'events', partition: 0, offset: 0, recordCountMax: 1e6, bytesMax: 1e9 }

const recordOf = (id: string, rest: object) => ({
  ...{ id, idMayRepeat: true, key: null },
  value: new TextEncoder().encode(JSON.stringify({ id, ...rest })),
})
const values = (batch: RecordBatch) =>
  Array.from(batch.offsets, (_, at) => Buffer.from(bytesAt(batch.values, at)).toString())

test('values are JSON for everyone and Avro on the topic, whatever their schema was', async () => {
  const expected: string[] = []
  const append = async (
    log: Awaited<ReturnType<typeof openEmbeddedLog>>,
    count: number,
    rest: object,
  ) => {
    const records = Array.from({ length: count }, () => recordOf(`e${expected.length + 1}`, rest))
    for (const [at, each] of records.entries()) {
      const id = `e${expected.length + 1}`
      records[at] = { ...each, id, value: recordOf(id, rest).value }
      expected.push(JSON.stringify({ id, ...rest }))
    }
    expect(await log.append('events', records)).toMatchObject({ status: 'appended' })
  }
  const log = codedLog(await openEmbeddedLog({ file }))
  // Before it was coded, then small enough for the loop, then large enough for the thread.
  await log.ensureTopic({ name: 'events', partitions: 1 })
  await append(log, 3, { payload: [1] })
  await log.ensureTopic({ name: 'events', partitions: 1, valueSchema: FIRST })
  await append(log, 3, { payload: { a: 1 } })
  await append(log, 2_000, { payload: { text: 'x'.repeat(100) } })
  const asText = schemaOf({ id: text({ doc: 'Also told.' }), payload: text() })
  await expect(
    log.ensureTopic({ name: 'events', partitions: 1, valueSchema: asText }),
  ).rejects.toMatchObject({ code: 'LOG_TOPIC_MISMATCH' })
  const documented = schemaOf({ id: text({ doc: 'Also told.' }), payload: json() })
  await log.ensureTopic({ name: 'events', partitions: 1, valueSchema: documented })
  await log.ensureTopic({ name: 'events', partitions: 1, valueSchema: SECOND })
  await append(log, 2_000, { kind: 'new', payload: 'text' })
  expect(values(await log.read(WHOLE))).toEqual(expected)
  await log.close()

  const reader = codedLogReader(await openEmbeddedLogReader(file))
  expect(values(await reader.read(WHOLE))).toEqual(expected)
  expect(values(await reader.read({ ...WHOLE, topic: SCHEMAS_TOPIC }))).toEqual([FIRST, SECOND])
  await reader.close()

  const plain = await openEmbeddedLogReader(file)
  const raw = await plain.read(WHOLE)
  expect(Buffer.from(bytesAt(raw.values, 2)).toString()).toBe(expected[2])
  for (const at of [3, 100, 4_000])
    expect([...bytesAt(raw.values, at).subarray(0, 2)]).toEqual([0xc3, 0x01])
  await plain.close()
})
