import { describe, expect, test } from 'vitest'
import { connectTo, EVENT, eventually, rawPost, runGateway } from './running-gateway.ts'

const body = JSON.stringify(EVENT)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A gate for `MemoryPort.gate`. */
function gate() {
  let open = () => {}
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open: () => open() }
}

describe('connections', () => {
  test('a client that goes away half-way leaves nothing behind', async () => {
    const { gateway, port, get, surprises } = await runGateway()
    const lines = `${body}\n`.repeat(100)
    for (const leave of ['destroy', 'end', 'resetAndDestroy'] as const) {
      const connection = await connectTo(gateway)
      connection.socket.write(rawPost('/events', lines, lines.length + 1))
      await pause(30)
      connection.socket[leave]()
      await connection.ended
    }
    await pause(50)
    expect([port.records, port.letters, port.appendCallCount]).toEqual([[], [], 0])
    expect((await get('/metrics')).text).toContain('mekong_gateway_held_bytes 0\n')
    expect(surprises).toEqual([])
  })

  test('a client that goes away before the answer has still been served', async () => {
    const { gateway, port } = await runGateway()
    const { promise, open } = gate()
    port.gate = promise
    const connection = await connectTo(gateway)
    connection.socket.write(rawPost('/events', body))
    await eventually(() => port.appendCallCount === 1)
    connection.socket.destroy()
    await connection.ended
    open()
    await eventually(() => port.records.length === 1)
  })

  test('a slow body is 408', async () => {
    const limits = { requestMs: 300, headersMs: 200 }
    const { gateway, port } = await runGateway({ limits })
    const connection = await connectTo(gateway)
    connection.socket.write(rawPost('/events', body.slice(0, 10), body.length))
    await connection.ended
    expect(connection.received()).toMatch(/^HTTP\/1\.1 408 /)
    expect(connection.received()).toContain('"code":"request_timeout"')
    expect(port.records).toEqual([])
  })

  test('a client that does not read its answer is cut off', async () => {
    const { gateway, port } = await runGateway({ limits: { stalledMs: 300 } })
    const connection = await connectTo(gateway)
    const lines = '{}\n'.repeat(100_000)
    connection.socket.pause()
    connection.socket.write(rawPost('/any', lines).replace('/json', '/x-ndjson'))
    await eventually(() => port.records.length === 100_000)
    await pause(800)
    connection.socket.resume()
    await connection.ended
    expect(connection.received()).not.toMatch(/\]\}\r\n0\r\n/)
  })

  test('a whole URL as target is understood', async () => {
    const { gateway } = await runGateway()
    const connection = await connectTo(gateway)
    for (const [index, target] of [
      'http://localhost/health?x',
      'HTTP://localhost/health',
    ].entries()) {
      connection.socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      await connection.until('HTTP/1.1 200', index + 1)
    }
    connection.socket.destroy()
  })

  test('slow headers are 408', async () => {
    const { gateway } = await runGateway({ limits: { requestMs: 300, headersMs: 200 } })
    const connection = await connectTo(gateway)
    connection.socket.write('POST /events HTTP/1.1\r\nHost: loc')
    await connection.ended
    expect(connection.received()).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('what is not HTTP is 400, and headers past all measure 431', async () => {
    const { gateway } = await runGateway()
    const nonsense = await connectTo(gateway)
    nonsense.socket.write('hello\r\n\r\n')
    await nonsense.ended
    expect(nonsense.received()).toMatch(/^HTTP\/1\.1 400 /)
    expect(nonsense.received()).toContain('malformed_http')
    const heavy = await connectTo(gateway)
    heavy.socket.write(
      `GET /health HTTP/1.1\r\nHost: localhost\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`,
    )
    await heavy.ended
    expect(heavy.received()).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('broken chunks are 400, and nothing is taken', async () => {
    const { gateway, port } = await runGateway()
    const connection = await connectTo(gateway)
    connection.socket.write(
      `POST /any HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\nnope\r\n`,
    )
    await connection.ended
    expect(connection.received()).toMatch(/^HTTP\/1\.1 400 /)
    expect(port.records).toEqual([])
  })

  test('pipelined requests are answered in their order', async () => {
    const { gateway, port } = await runGateway()
    const { promise, open } = gate()
    port.gate = promise
    const connection = await connectTo(gateway)
    const get = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'
    connection.socket.write(rawPost('/any', '{"n":1}') + get + rawPost('/any', '{bad') + get)
    await eventually(() => port.letters.length === 1)
    expect(connection.received()).toBe('')
    open()
    const received = await connection.until('HTTP/1.1 ', 4)
    expect([...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual([
      '202',
      '200',
      '400',
      '200',
    ])
    connection.socket.destroy()
  })

  test('nonsense behind a request does not take that request’s answer', async () => {
    const { gateway, port } = await runGateway()
    const { promise, open } = gate()
    port.gate = promise
    const connection = await connectTo(gateway)
    connection.socket.write(`${rawPost('/any', '{"n":1}')}nonsense\r\n\r\n`)
    await eventually(() => port.appendCallCount === 1)
    await pause(50)
    expect(connection.received()).toBe('')
    open()
    await connection.ended
    expect(connection.received()).toMatch(/^HTTP\/1\.1 202 .*HTTP\/1\.1 400 /s)
  })

  test('a connection is used again after every kind of answer', async () => {
    const { gateway } = await runGateway()
    const connection = await connectTo(gateway)
    const requests = [rawPost('/any', '{}'), rawPost('/any', '{bad'), rawPost('/nowhere', '{}')]
    for (const [index, request] of requests.entries()) {
      connection.socket.write(request)
      await connection.until('HTTP/1.1 ', index + 1)
    }
    connection.socket.write(rawPost('/any', '{}').replace('/json', '/xml'))
    const received = await connection.until('HTTP/1.1 ', 4)
    expect([...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual([
      '202',
      '400',
      '404',
      '415',
    ])
    connection.socket.destroy()
  })
})

describe('closing', () => {
  test('finishes what has begun, refuses what is new, and loses nothing', async () => {
    const { gateway, port } = await runGateway({ limits: { drainMs: 5_000 } })
    const { promise, open } = gate()
    port.gate = promise
    const busy = await connectTo(gateway)
    const uploading = await connectTo(gateway)
    const idle = await connectTo(gateway)
    const used = await connectTo(gateway)
    used.socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await used.until('200 OK')
    busy.socket.write(rawPost('/any', '{"n":1}'))
    const late = rawPost('/any', '{"n":2}')
    uploading.socket.write(late.slice(0, -3))
    await eventually(() => port.appendCallCount === 1)
    await pause(30)

    const closing = gateway.close()
    expect(gateway.close()).toBe(closing)
    await Promise.all([idle.ended, used.ended])
    busy.socket.write(rawPost('/any', '{"n":3}'))
    uploading.socket.write(late.slice(-3))
    await eventually(() => port.appendCallCount === 2)
    await expect(connectTo(gateway)).rejects.toThrow('ECONNREFUSED')
    open()
    await Promise.all([busy.ended, uploading.ended])
    expect(await closing).toEqual({ unfinishedCount: 0 })
    expect(busy.received()).toMatch(/^HTTP\/1\.1 202 .*HTTP\/1\.1 503 .*shutting_down/s)
    expect(uploading.received()).toMatch(/^HTTP\/1\.1 202 /)
    expect(port.records.map((record) => Buffer.from(record.value).toString())).toEqual([
      '{"n":1}',
      '{"n":2}',
    ])
  })

  test('says how many requests it cut off at the deadline', async () => {
    const { gateway, port } = await runGateway({ limits: { drainMs: 100 } })
    const { promise, open } = gate()
    port.gate = promise
    const connection = await connectTo(gateway)
    connection.socket.write(rawPost('/any', '{"n":1}'))
    await eventually(() => port.appendCallCount === 1)
    expect(await gateway.close()).toEqual({ unfinishedCount: 1 })
    expect(connection.received()).toBe('')
    open()
  })

  test('tells long answers to end', async () => {
    const { gateway } = await runGateway({
      limits: { drainMs: 5_000 },
      extraRoutes: [
        {
          method: 'GET',
          path: '/v1/live',
          access: 'read',
          handle({ response, closing }) {
            response.writeHead(200, ['Content-Type', 'text/event-stream'])
            response.write('data: 1\n\n')
            closing.addEventListener('abort', () => response.end('data: bye\n\n'))
          },
        },
      ],
    })
    const answer = await fetch(`${gateway.url}/v1/live`)
    const text = answer.text()
    expect(await gateway.close()).toEqual({ unfinishedCount: 0 })
    expect(await text).toContain('bye')
  })
})
