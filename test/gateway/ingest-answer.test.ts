import { describe, expect, test } from 'vitest'
import { batchAnswer, singleAnswer, summaryAnswer } from '../../src/gateway/ingest-answer.ts'
import { createTurns } from '../../src/gateway/turns.ts'
import type { AppendedRecord, NewRecord } from '../../src/model/append.ts'

// A record that waits in the local log because Kafka is away is durable: the client is told that it is accepted, and that it
// has no place yet.

const record: NewRecord = { id: 'a', idMayRepeat: true, key: null, value: new Uint8Array() }
const spilled: AppendedRecord = { status: 'spilled', partition: -1, offset: -1 }
const appended: AppendedRecord = { status: 'appended', partition: 2, offset: 7 }
const duplicate: AppendedRecord = { status: 'duplicate', partition: 1, offset: 3 }

describe('answers', () => {
  test('one record, wherever it is', () => {
    const said = [appended, duplicate, spilled].map((place) =>
      JSON.parse(singleAnswer('t', record, place)),
    )
    expect(said).toEqual([
      { id: 'a', status: 'accepted', topic: 't', partition: 2, offset: 7 },
      { id: 'a', status: 'duplicate', topic: 't', partition: 1, offset: 3 },
      { id: 'a', status: 'accepted', topic: 't', partition: null, offset: null },
    ])
  })

  test('a batch of which a part waits', async () => {
    const result = {
      topic: 't',
      records: [record, record, record],
      appended: [appended, spilled, duplicate],
      rejections: [],
      duplicateCount: 1,
    }
    let text = ''
    for await (const part of batchAnswer(result, createTurns())) text += part
    expect(JSON.parse(text)).toMatchObject({
      accepted: 2,
      duplicates: 1,
      records: [
        { partition: 2 },
        { status: 'accepted', partition: null, offset: null },
        { status: 'duplicate' },
      ],
    })
    expect(JSON.parse(summaryAnswer(result))).toMatchObject({
      accepted: 2,
      offsets: [{ partition: 2, offset_start: 7, offset_end: 8, records: 1 }],
    })
  })
})
