import { describe, expect, test } from 'vitest'
import { PlatformError } from '../../src/model/errors.ts'
import { connectTo, EVENT, eventually, rawPost, runGateway } from './running-gateway.ts'

const body = JSON.stringify(EVENT)

class LogAwayError extends PlatformError {
  readonly code = 'LOG_AWAY'
  readonly retry = 'later'
}

describe('what is not there', () => {
  test('404 lists what there is', async () => {
    const { get } = await runGateway()
    const answer = await get('/nowhere?x=1')
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    expect(answer.body.available).toContain('POST /events')
    expect(answer.body.available).toContain('POST /v1/topics/user-events')
    expect(answer.body.available).toContain('GET /docs')
  })

  test('405 says what would work', async () => {
    const { get, post } = await runGateway()
    const answer = await get('/events')
    expect([answer.status, answer.body.code]).toEqual([405, 'method_not_allowed'])
    expect(answer.headers.get('allow')).toBe('POST')
    expect((await post('/health', '')).headers.get('allow')).toBe('GET, HEAD')
  })
})

describe('what is not read', () => {
  test.each([
    [{ 'content-type': 'text/plain' }, 'unsupported_media_type'],
    [{ 'content-type': 'application/xml' }, 'unsupported_media_type'],
    [{ 'content-type': 'application/json; charset=iso-8859-1' }, 'unsupported_media_type'],
    [{ 'content-encoding': 'br' }, 'unsupported_encoding'],
    [{ 'content-encoding': 'gzip, gzip' }, 'unsupported_encoding'],
  ])('%o is 415', async (headers, code) => {
    const { post, port } = await runGateway()
    const answer = await post('/events', body, headers)
    expect([answer.status, answer.body.code]).toEqual([415, code])
    expect([port.records, port.letters]).toEqual([[], []])
  })

  test.each([
    'application/json; charset="UTF-8"',
    'application/cloudevents+json',
    'Application/JSON',
  ])('%s is read', async (type) => {
    const { post } = await runGateway()
    expect((await post('/events', body, { 'content-type': type })).status).toBe(202)
  })

  test('a body without a type is sniffed', async () => {
    const { gateway, port } = await runGateway()
    const bytes = new Uint8Array(Buffer.from(body))
    expect((await fetch(`${gateway.url}/events`, { method: 'POST', body: bytes })).status).toBe(202)
    expect(port.records).toHaveLength(1)
  })
})

describe('too much', () => {
  test('a body past the limit is 413, declared or chunked, and the connection survives the telling', async () => {
    const limits = { bodyBytesMax: 1_000, recordBytesMax: 1_000 }
    const { gateway, post, port } = await runGateway({ limits })
    const declared = await post('/events', ' '.repeat(1_001))
    expect([declared.status, declared.body.code]).toEqual([413, 'body_too_large'])
    const stream = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 200; n += 1) controller.enqueue(Buffer.alloc(10_000, ' '))
        controller.close()
      },
    })
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'POST', body: stream, headers, duplex: 'half' as const }
    const chunked = await fetch(`${gateway.url}/events`, init)
    expect(chunked.status).toBe(413)
    expect((await post('/events', body)).status).toBe(202)
    expect(port.records).toHaveLength(1)
  })

  test('a client that asks first is told before it sends', async () => {
    const { gateway, port } = await runGateway({
      limits: { bodyBytesMax: 100, recordBytesMax: 100 },
    })
    const connection = await connectTo(gateway)
    const head = (length: number) =>
      `POST /events HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`
    connection.socket.write(head(body.length))
    await connection.until('HTTP/1.1 100 Continue\r\n\r\n')
    connection.socket.write(body)
    await connection.until('HTTP/1.1 202')
    connection.socket.write(head(101))
    expect(await connection.until('body_too_large')).not.toContain('Continue\r\n\r\nHTTP/1.1 100')
    expect(port.records).toHaveLength(1)
  })

  test('a full queue of records is 503 with Retry-After', async () => {
    const limits = { queueRecordCountMax: 2, recordCountMax: 2, queueRetryAfterMs: 2_500 }
    const { post, port } = await runGateway({ limits })
    let release = () => {}
    port.gate = new Promise((resolve) => {
      release = resolve
    })
    const waiting = post('/any', '[{},{}]')
    await eventually(() => port.appendCallCount === 1)
    const refused = await post('/any', '{}')
    expect([refused.status, refused.body.code]).toEqual([503, 'queue_full'])
    expect(refused.headers.get('retry-after')).toBe('3')
    release()
    expect((await waiting).status).toBe(202)
    expect((await post('/any', '{}')).status).toBe(202)
    expect(port.records).toHaveLength(3)
  })

  test('a full queue of bytes is 503, and nothing of the body is taken', async () => {
    const limits = { queueBytesMax: 1_000, bodyBytesMax: 1_000, recordBytesMax: 1_000 }
    const { gateway, post, port } = await runGateway({ limits })
    const slow = await connectTo(gateway)
    slow.socket.write(rawPost('/any', `{"a":"${'x'.repeat(900)}`, 1_000))
    await eventually(() => slow.socket.bytesWritten > 900)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const refused = await post('/any', `{"a":"${'y'.repeat(200)}"}`)
    expect([refused.status, refused.body.code]).toEqual([503, 'queue_full'])
    slow.socket.destroy()
    await eventually(() => port.records.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await post('/any', `{"a":"${'y'.repeat(200)}"}`)).status).toBe(202)
    expect(port.records).toHaveLength(1)
  })
})

describe('when the log does not take it', () => {
  test.each([
    ['full', 'queue_full'],
    ['unavailable', 'unavailable'],
  ] as const)('%s is 503 with its Retry-After', async (status, code) => {
    const { post, port } = await runGateway()
    port.refusal = { status, retryAfterMs: 4_100, reason: 'disk at 95 %' }
    const answer = await post('/events', body)
    expect([answer.status, answer.body.code]).toEqual([503, code])
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(answer.body.detail).toContain('disk at 95 %')
  })

  test('unknown is 503 and says how sending again is safe', async () => {
    const { post, port } = await runGateway()
    port.refusal = { status: 'unknown', reason: 'no answer' }
    const named = await post('/events', body, { 'idempotency-key': 'k' })
    expect([named.status, named.body.code, named.body.id]).toEqual([503, 'outcome_unknown', 'k'])
    expect(named.body.detail).toContain('Sending the same again is safe')
    const unnamed = await post('/events', body)
    expect(unnamed.body.detail).toContain(`"Idempotency-Key: ${unnamed.body.id}"`)
    port.refusal = undefined
    const settled = await post('/events', body, { 'idempotency-key': unnamed.body.id })
    expect(settled.body).toMatchObject({ id: unnamed.body.id, status: 'accepted' })
    port.refusal = { status: 'unknown', reason: 'no answer' }
    expect((await post('/events', `[${body}]`)).body.detail).toContain('may be there twice')
  })

  test('a failure that passes is 503, any other 500; both are reported, neither ends the server', async () => {
    const { post, port, surprises } = await runGateway()
    port.failure = new LogAwayError('The log is away.')
    const away = await post('/events', body)
    expect([away.status, away.body.code]).toEqual([503, 'unavailable'])
    expect(away.headers.get('retry-after')).toBe('1')
    port.failure = new TypeError('secret detail')
    const broken = await post('/events', body)
    expect([broken.status, broken.body.code]).toEqual([500, 'internal_error'])
    expect(broken.text).not.toContain('secret detail')
    expect(surprises).toHaveLength(2)
    port.failure = undefined
    expect((await post('/events', body)).status).toBe(202)
  })

  test('bad records that cannot be kept stop the whole body, so that it can be sent again', async () => {
    const { post, port } = await runGateway()
    port.failure = new LogAwayError('The log is away.')
    expect((await post('/events', `[${body},{}]`)).status).toBe(503)
    expect(port.appendCallCount).toBe(0)
  })
})
