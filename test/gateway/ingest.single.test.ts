import { describe, expect, test } from 'vitest'
import { record, text } from '../../src/model/schema.ts'
import { ANY, EVENT, EVENTS, ORDERS, runGateway } from './running-gateway.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const json = (value: unknown) => JSON.stringify(value)

describe('one record', () => {
  test('is stored byte for byte and answered with where it is', async () => {
    const { post, port } = await runGateway()
    const body =
      ' {"user_id": 123,"movie_id":456, "event_type":"cl\\u0069ck","timestamp":1701234567890 } \n'
    const answer = await post('/events', body)
    expect(answer.status).toBe(202)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.body).toEqual({
      id: expect.stringMatching(UUID_V7),
      status: 'accepted',
      topic: 'user-events',
      partition: port.records[0]!.partition,
      offset: 0,
    })
    expect(port.records[0]).toMatchObject({ id: answer.body.id, idMayRepeat: false, key: '123' })
    expect(Buffer.from(port.records[0]!.value).toString()).toBe(body.trim())
  })

  test('is taken at the topic’s own address, and fields nobody declared are kept', async () => {
    const { post, port } = await runGateway()
    const answer = await post('/v1/topics/user-events', json({ ...EVENT, extra: { a: [1] } }))
    expect(answer.status).toBe(202)
    expect(JSON.parse(Buffer.from(port.records[0]!.value).toString()).extra).toEqual({ a: [1] })
  })

  test('is known by its declared id: a repeat gets the first answer', async () => {
    const { post, port } = await runGateway()
    const body = '{"order_id":9007199254740993,"order_list":[{"product_id":1,"quantity":2}]}'
    const first = await post('/orders', body)
    const again = await post('/orders', body, { 'idempotency-key': 'ignored' })
    const neighbour = await post('/orders', body.replace('993', '992'))
    expect(first.body).toMatchObject({ id: '9007199254740993', status: 'accepted' })
    expect(again.body).toEqual({ ...first.body, status: 'duplicate' })
    expect(neighbour.body).toMatchObject({ id: '9007199254740992', status: 'accepted' })
    expect(port.records).toHaveLength(2)
    expect(port.records[0]).toMatchObject({ idMayRepeat: true })
  })

  test('without an id of its own is known by its Idempotency-Key, quoted or not', async () => {
    const { post, port } = await runGateway()
    const first = await post('/events', json(EVENT), { 'idempotency-key': 'k-1' })
    const again = await post('/events', json(EVENT), { 'idempotency-key': '"k-1"' })
    expect([first.body.status, again.body.status]).toEqual(['accepted', 'duplicate'])
    expect(again.body.id).toBe('k-1')
    const order = json({ order_list: [{ product_id: 1, quantity: 1 }], order_id: null })
    expect((await post('/orders', order, { 'idempotency-key': 'o-1' })).body.id).toBe('o-1')
    expect(port.records).toHaveLength(2)
  })

  test('takes its key from a nested field, exactly, or has none', async () => {
    const { post, port } = await runGateway()
    const order = (buyer: string) => `{${buyer}"order_list":[{"product_id":1,"quantity":1}]}`
    await post('/orders', order('"buyer":{"id":9223372036854775807},'))
    await post('/orders', order('"buyer":{"id":null},'))
    await post('/orders', order(''))
    expect(port.records.map((record) => record.key)).toEqual(['9223372036854775807', null, null])
  })

  test('carries the trace it came with, or a new one', async () => {
    const { post, port } = await runGateway()
    const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    for (const traceparent of [given, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, 'nonsense']) {
      await post('/events', json(EVENT), { traceparent })
    }
    const stored = port.records.map((record) => record.headers!.traceparent!)
    expect(stored[0]).toBe(given)
    for (const assigned of stored.slice(1)) {
      expect(assigned).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    }
    expect(new Set(stored).size).toBe(3)
  })

  test('is taken with its epoch in any unit, and refused with nonsense', async () => {
    const { post, port } = await runGateway()
    for (const timestamp of [
      '1701234567',
      '1701234567890',
      '1701234567890123',
      '1701234567890123456',
    ]) {
      const body = json(EVENT).replace('1701234567890', timestamp)
      expect((await post('/events', body)).status).toBe(202)
      expect(Buffer.from(port.records.at(-1)!.value).toString()).toBe(body)
    }
    for (const [timestamp, code] of [
      ['12', 'out_of_range'],
      ['1e30', 'out_of_range'],
      ['"now"', 'wrong_type'],
      ['1701234567.5', 'wrong_type'],
    ]) {
      const answer = await post('/events', json(EVENT).replace('1701234567890', timestamp!))
      expect([answer.status, answer.body.code]).toEqual([400, code])
    }
  })

  test('with a UTF-8 byte order mark is taken without it', async () => {
    const { post, port } = await runGateway()
    expect((await post('/events', `\uFEFF${json(EVENT)}`)).status).toBe(202)
    expect(Buffer.from(port.records[0]!.value).toString()).toBe(json(EVENT))
  })

  test('may hold any well-formed text', async () => {
    const { post, port } = await runGateway()
    const body = '{"a":"Phim Truyền Hình 👍 \\ud83d\\udc4d","constructor":{"__proto__":[1]},"":1}'
    expect((await post('/any', body)).status).toBe(202)
    expect(Buffer.from(port.records[0]!.value).toString()).toBe(body)
  })
})

describe('one bad record', () => {
  const order = (list: string) => `{"order_id":7,"order_list":${list}}`
  const deep = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
  const cases: [string, { path: string }, string | Buffer, string, number][] = [
    ['malformed', EVENTS, '{"user_id":1,', 'malformed_json', 400],
    ['malformed at its end', EVENTS, `${json(EVENT)} x`, 'malformed_json', 400],
    ['two in one line', EVENTS, json(EVENT) + json(EVENT), 'malformed_json', 400],
    ['not closed as a string', ANY, '{"a":"', 'malformed_json', 400],
    ['a number', EVENTS, '5', 'not_an_object', 400],
    ['a text', EVENTS, '"text"', 'not_an_object', 400],
    ['null', EVENTS, 'null', 'not_an_object', 400],
    ['missing a field', EVENTS, json({ ...EVENT, user_id: undefined }), 'missing_field', 400],
    ['null in a field', EVENTS, json({ ...EVENT, user_id: null }), 'missing_field', 400],
    ['of the wrong type', EVENTS, json({ ...EVENT, user_id: '1' }), 'wrong_type', 400],
    ['out of range', EVENTS, json({ ...EVENT, user_id: 2 ** 31 }), 'out_of_range', 400],
    ['too long', EVENTS, json({ ...EVENT, event_type: 'x'.repeat(51) }), 'too_long', 400],
    ['too short', EVENTS, json({ ...EVENT, event_type: '' }), 'too_short', 400],
    ['with a doubled key', EVENTS, `{"user_id":1,${json(EVENT).slice(1)}`, 'duplicate_key', 400],
    ['with a doubled key inside', ANY, '{"a":[{"b":1,"\\u0062":2}]}', 'duplicate_key', 400],
    ['not UTF-8', ANY, Buffer.from('7b2261223a22ff227d', 'hex'), 'invalid_utf8', 400],
    ['UTF-16', ANY, Buffer.from('\uFEFF{"a":1}', 'utf16le'), 'invalid_utf8', 400],
    ['with half a surrogate pair', ANY, '{"a":"\\uD83D"}', 'lone_surrogate', 400],
    ['with half a pair in a key', ANY, '{"\\udc4d":1}', 'lone_surrogate', 400],
    ['nested too deep', ANY, deep(65), 'too_deep', 400],
    ['very deep', ANY, deep(400_000), 'too_deep', 400],
    ['too large', ANY, `{"a":"${'x'.repeat(1024 * 1024)}"}`, 'record_too_large', 413],
    ['wrong in a list', ORDERS, order('[{"product_id":1,"quantity":0}]'), 'out_of_range', 400],
    ['with an empty list', ORDERS, order('[]'), 'too_short', 400],
  ]

  test.each(cases)('%s is refused and kept', async (_what, route, body, code, status) => {
    const { post, port, surprises } = await runGateway()
    const answer = await post(route.path, typeof body === 'string' ? body : new Uint8Array(body))
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.body).toMatchObject({ type: `urn:mekong:problem:${code}`, status, reason: code })
    expect(answer.body.problems[0]).toMatchObject({ code, path: expect.any(String) })
    expect(port.records).toEqual([])
    expect(port.letters).toHaveLength(1)
    expect(port.letters[0]).toMatchObject({
      hop: 'gateway',
      partition: -1,
      reason: code,
      headers: { traceparent: expect.any(String) },
    })
    const kept = Buffer.from(port.letters[0]!.value)
    const original = Buffer.from(body)
    expect(kept.equals(original.subarray(0, kept.length))).toBe(true)
    expect(kept.length).toBe(Math.min(original.length, 1024 * 1024))
    expect(surprises).toEqual([])
  })

  test('names all its problems, the first as the reason', async () => {
    const { post, port } = await runGateway()
    const body = '{"user_id":"x","event_type":"","timestamp":12}'
    const answer = await post('/events', body)
    expect(answer.body.problems.map((p: { path: string }) => p.path)).toEqual([
      '/user_id',
      '/movie_id',
      '/event_type',
      '/timestamp',
    ])
    expect(port.letters[0]).toMatchObject({ reason: 'wrong_type', pipeline: 'user-events' })
    for (const path of ['/user_id: Expected', '/movie_id: Required', '/event_type', '/timestamp']) {
      expect(port.letters[0]!.message).toContain(path)
    }
  })

  test('nested as deep as allowed is taken', async () => {
    const { post } = await runGateway()
    expect((await post('/any', deep(64))).status).toBe(202)
  })

  test('says which key came twice', async () => {
    const { post } = await runGateway()
    const answer = await post('/any', '{"a":[{"b":1,"b":2}]}')
    expect(answer.body.problems[0].path).toBe('/a/0/b')
  })

  test('says that only its beginning is kept when it is too large', async () => {
    const { post, port } = await runGateway({ limits: { recordBytesMax: 100 } })
    await post('/any', `{"a":"${'x'.repeat(200)}"}`)
    expect(port.letters[0]!.value).toHaveLength(100)
    expect(port.letters[0]!.message).toContain('Only the first 100 bytes are kept')
  })

  test('with a bad id is refused; so is a bad Idempotency-Key', async () => {
    const schema = record({ id: text() })
    const { post, port } = await runGateway({ routes: [{ ...ANY, schema, idField: 'id' }] })
    for (const id of ['', 'x'.repeat(257), 'é'.repeat(129), 'a\u0000b']) {
      expect((await post('/any', json({ id }))).body.code).toBe('bad_id')
    }
    expect((await post('/any', json({ id: 'é'.repeat(128) }))).status).toBe(202)
    expect(port.letters).toHaveLength(4)
    for (const key of ['', 'x'.repeat(241), 'caf\u00e9']) {
      const answer = await post('/any', json({ id: 'a' }), { 'idempotency-key': key })
      expect([answer.status, answer.body.code]).toEqual([400, 'bad_id'])
    }
  })

  test('that is no body at all is refused without a dead letter', async () => {
    const { post, port } = await runGateway()
    for (const body of ['', ' \n']) {
      expect((await post('/events', body)).body.code).toBe('empty_body')
    }
    expect(port.letters).toEqual([])
  })
})
