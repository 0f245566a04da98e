import zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ANY, EVENT, runGateway } from './running-gateway.ts'

const json = (value: unknown) => JSON.stringify(value)
const NDJSON = { 'content-type': 'application/x-ndjson' }
const valuesOf = (port: { records: { value: Uint8Array }[] }) =>
  port.records.map((record) => Buffer.from(record.value).toString())

describe('an array', () => {
  test('is cut into exactly the bytes of its elements', async () => {
    const { post, port } = await runGateway()
    const parts = ['{"id":9223372036854775807}', '{ "a" : [1, {"b":"],}"}] }', '{"x":1.10}']
    const answer = await post('/any', ` [ ${parts.join(' ,\n\t')} ]\r\n`)
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({ topic: 'any', accepted: 3, duplicates: 0, rejected: 0 })
    expect(valuesOf(port)).toEqual(parts)
    expect(answer.body.records[2]).toEqual({
      id: port.records[2]!.id,
      status: 'accepted',
      partition: port.records[2]!.partition,
      offset: port.records[2]!.offset,
    })
    expect(port.appendCallCount).toBe(1)
  })

  test('takes the good and refuses the bad, each in its place', async () => {
    const { post, port } = await runGateway()
    const answer = await post('/events', json([EVENT, 5, { ...EVENT, user_id: 'x' }, EVENT]))
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 2 })
    expect(answer.body.records.map((r: { status: string }) => r.status)).toEqual([
      'accepted',
      'rejected',
      'rejected',
      'accepted',
    ])
    expect(answer.body.records[2]).toMatchObject({ index: 2, reason: 'wrong_type' })
    expect(answer.body.records[2].problems[0].path).toBe('/user_id')
    expect(port.letters.map((letter) => letter.reason)).toEqual(['not_an_object', 'wrong_type'])
    expect(Buffer.from(port.letters[0]!.value).toString()).toBe('5')
  })

  test.each([
    '[{"a":1},',
    '[{"a":1},]',
    '[{"a":1} {"b":2}]',
    '[,{"a":1}]',
    '[{"a":1}] x',
    '[{"a":1}]]',
    '[{"a":1},{bad}]',
    '[{"a":"1}]',
    '[{"a":1]}',
    '[',
  ])('that is not JSON as a whole is refused as a whole: %s', async (body) => {
    const { post, port } = await runGateway()
    const answer = await post('/any', body)
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json'])
    expect(port.records).toEqual([])
    expect(port.letters).toHaveLength(1)
    expect(Buffer.from(port.letters[0]!.value).toString()).toBe(body)
  })

  test('without elements is fine and changes nothing', async () => {
    const { post, port } = await runGateway()
    const answer = await post('/any', '[ ]')
    expect(answer.status).toBe(202)
    expect(answer.body).toEqual({
      topic: 'any',
      accepted: 0,
      duplicates: 0,
      rejected: 0,
      records: [],
    })
    expect(port.appendCallCount).toBe(0)
  })

  test('of nothing but bad records is a problem', async () => {
    const { post, port } = await runGateway()
    const answer = await post('/events', '[1,{"user_id":1}]')
    expect([answer.status, answer.body.code]).toEqual([400, 'all_rejected'])
    expect(answer.body.records.map((r: { index: number }) => r.index)).toEqual([0, 1])
    expect(port.letters).toHaveLength(2)
  })
})

describe('lines', () => {
  test('bad ones among good ones, blank ones, CRLF and no newline at the end', async () => {
    const { post, port } = await runGateway()
    const bad = ['{"a":', '[{"a":1}]', '{"a":1}{"a":2}', '{"a":1,"a":2}', '{"a":"\\ud800"}', '"\\']
    const body = `\n{"n":1}\r\n\r\n${bad.join('\n')}\n \t\n  {"n":2}  \r\n{"n":3}`
    const answer = await post('/any', body, NDJSON)
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({ accepted: 3, rejected: 6 })
    expect(valuesOf(port)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}'])
    expect(port.letters.map((letter) => letter.reason)).toEqual([
      'malformed_json',
      'not_an_object',
      'malformed_json',
      'duplicate_key',
      'lone_surrogate',
      'malformed_json',
    ])
    expect(port.letters.map((letter) => Buffer.from(letter.value).toString())).toEqual(bad)
  })

  test('one line that is not UTF-8 is refused alone', async () => {
    const { post, port } = await runGateway()
    const body = Buffer.concat([
      Buffer.from('{"a":"é"}\n{"b":"'),
      Buffer.from([0xff]),
      Buffer.from('"}\n{"c":3}'),
    ])
    const answer = await post('/any', new Uint8Array(body), NDJSON)
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 1 })
    expect(port.letters[0]).toMatchObject({ reason: 'invalid_utf8' })
    expect(valuesOf(port)).toEqual(['{"a":"é"}', '{"c":3}'])
  })

  test('are recognised when they are sent as plain JSON', async () => {
    const { post, port } = await runGateway()
    for (const type of ['application/json', 'application/octet-stream']) {
      const answer = await post('/any', '{"a":1}\n{"b":2}\n', { 'content-type': type })
      expect(answer.body).toMatchObject({ accepted: 2 })
    }
    const pretty = await post('/any', '{\n  "a": 1\n}\n')
    expect(pretty.body).toMatchObject({ status: 'accepted' })
    expect(port.records).toHaveLength(5)
  })

  test('one line alone is still a batch, and none is an empty one', async () => {
    const { post } = await runGateway()
    expect((await post('/any', '{"a":1}', NDJSON)).body).toMatchObject({ accepted: 1 })
    expect((await post('/any', '\n\n', NDJSON)).body).toMatchObject({ accepted: 0, records: [] })
  })

  test('all media types of lines are read as lines', async () => {
    const { post } = await runGateway()
    for (const type of ['application/jsonl', 'application/ndjson; charset=UTF-8']) {
      const answer = await post('/any', '{"a":1}\n[]', { 'content-type': type })
      expect(answer.body).toMatchObject({ accepted: 1, rejected: 1 })
    }
  })
})

describe('a batch', () => {
  test('sent again with its Idempotency-Key changes nothing', async () => {
    const { post, port } = await runGateway()
    const headers = { ...NDJSON, 'idempotency-key': 'upload-7' }
    const body = `${json(EVENT)}\n{}\n${json(EVENT)}\n`
    const first = await post('/events', body, headers)
    const again = await post('/events', body, headers)
    expect(port.records.map((record) => record.id)).toEqual(['upload-7:0', 'upload-7:2'])
    expect(first.body).toMatchObject({ accepted: 2, duplicates: 0, rejected: 1 })
    expect(again.body).toMatchObject({ accepted: 0, duplicates: 2, rejected: 1 })
    const positions = (answer: typeof first) =>
      answer.body.records.map((r: { partition: number; offset: number }) => [r.partition, r.offset])
    expect(positions(again)).toEqual(positions(first))
  })

  test('can be answered shortly', async () => {
    const { post, port } = await runGateway()
    const body = `${`${json(EVENT)}\n`.repeat(50)}{"user_id":0}\n`
    const long = await post('/events?results=summary', body, NDJSON)
    const minimal = await post('/events', body, { ...NDJSON, prefer: 'return=minimal' })
    for (const [answer, start] of [
      [long, 0],
      [minimal, 50],
    ] as const) {
      expect(answer.status).toBe(202)
      expect(answer.body).toEqual({
        topic: 'user-events',
        accepted: 50,
        duplicates: 0,
        rejected: 1,
        offsets: [
          {
            partition: port.records[0]!.partition,
            offset_start: start,
            offset_end: start + 50,
            records: 50,
          },
        ],
        rejected_records: [expect.objectContaining({ index: 50, reason: 'missing_field' })],
      })
    }
  })

  test('of the greatest size is taken whole, in order, while others are served', async () => {
    const { post, get, port } = await runGateway()
    const lines = Array.from({ length: 100_000 }, (_, n) => `{"n":${n},"pad":"${'x'.repeat(100)}"}`)
    const large = post('/any?results=summary', lines.join('\n'), NDJSON)
    let answeredMeanwhile = 0
    let isDone = false
    large.finally(() => {
      isDone = true
    })
    while (!isDone) {
      expect((await get('/health')).status).toBe(200)
      answeredMeanwhile += 1
    }
    expect((await large).body).toMatchObject({ accepted: 100_000, rejected: 0 })
    expect(valuesOf(port)).toEqual(lines)
    expect(answeredMeanwhile).toBeGreaterThan(10)
  })

  test('with very many results, good and bad, has each of them in its place', async () => {
    const { post, port } = await runGateway()
    const lines = Array.from({ length: 30_000 }, (_, n) => (n % 3 === 1 ? `[${n}]` : `{"n":${n}}`))
    const { body: answer } = await post('/any', lines.join('\n'), NDJSON)
    expect(answer.records).toHaveLength(30_000)
    expect(answer).toMatchObject({ accepted: 20_000, rejected: 10_000 })
    let taken = 0
    for (const [index, result] of answer.records.entries()) {
      if (index % 3 === 1) expect(result.index).toBe(index)
      else expect(result.id).toBe(port.records[taken++]!.id)
    }
    expect(port.letters.map((letter) => Buffer.from(letter.value).toString())).toEqual(
      lines.filter((_, n) => n % 3 === 1),
    )
  })

  test('with too many records is refused whole', async () => {
    const { post, port } = await runGateway({ limits: { recordCountMax: 3 } })
    for (const [body, type] of [
      ['{}\n'.repeat(4), 'application/x-ndjson'],
      ['[{},{},{},{}]', 'application/json'],
    ]) {
      const answer = await post('/any', body!, { 'content-type': type! })
      expect([answer.status, answer.body.code]).toEqual([413, 'too_many_records'])
    }
    expect((await post('/any', '[{},{},{}]')).status).toBe(202)
    expect(port.records).toHaveLength(3)
  })
})

describe('a compressed body', () => {
  const body = `${json(EVENT)}\n${json(EVENT)}\n`

  test('is read as gzip and as zstd, of several members too', async () => {
    const { post } = await runGateway()
    const parts = {
      gzip: Buffer.concat([zlib.gzipSync(body), zlib.gzipSync(body)]),
      'x-gzip': zlib.gzipSync(body),
      zstd: zlib.zstdCompressSync(body),
      identity: Buffer.from(body),
    }
    for (const [encoding, bytes] of Object.entries(parts)) {
      const answer = await post('/events', new Uint8Array(bytes), { 'content-encoding': encoding })
      expect([encoding, answer.status]).toEqual([encoding, 202])
      expect(answer.body.accepted).toBe(encoding === 'gzip' ? 4 : 2)
    }
  })

  test('that is a bomb is refused', async () => {
    const { post, port } = await runGateway()
    const zeros = Buffer.alloc(64 * 1024 * 1024, ' ')
    for (const [encoding, bytes] of [
      ['gzip', zlib.gzipSync(zeros)],
      ['zstd', zlib.zstdCompressSync(zeros)],
    ] as const) {
      const answer = await post('/any', new Uint8Array(bytes), { 'content-encoding': encoding })
      expect([encoding, answer.status, answer.body.code]).toEqual([encoding, 413, 'body_too_large'])
    }
    expect([port.records, port.letters]).toEqual([[], []])
  })

  test('that is broken is refused', async () => {
    const { post, port } = await runGateway()
    for (const [encoding, bytes] of [
      ['gzip', zlib.gzipSync(body).subarray(0, -10)],
      ['gzip', Buffer.from(body)],
      ['zstd', zlib.zstdCompressSync(body).subarray(0, -5)],
      ['zstd', Buffer.from(body)],
    ] as const) {
      const answer = await post('/events', new Uint8Array(bytes), { 'content-encoding': encoding })
      expect([encoding, answer.status, answer.body.code]).toEqual([
        encoding,
        400,
        'undecodable_body',
      ])
    }
    expect(port.records).toEqual([])
  })
})

test('memory held is given back whatever happens', async () => {
  const { post, get } = await runGateway({ routes: [ANY], limits: { recordCountMax: 2 } })
  await post('/any', '[{},{},{}]')
  await post('/any', '{bad')
  await post('/any', '{}')
  await post('/any', 'no', { 'content-encoding': 'gzip' })
  await post('/any', 'no', { 'content-encoding': 'br' })
  const metrics = (await get('/metrics')).text
  expect(metrics).toContain('mekong_gateway_held_bytes 0\n')
  expect(metrics).toContain('mekong_gateway_in_flight_records 0\n')
})
