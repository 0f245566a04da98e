import { describe, expect, test } from 'vitest'
import { apiKeysOf, createApiKey, hashApiKey } from '../../src/gateway/api-keys.ts'
import {
  GatewayLimitError,
  GatewayListenError,
  GatewayRouteError,
  GatewayWithoutKeysError,
} from '../../src/gateway/errors.ts'
import { startGateway } from '../../src/gateway/gateway.ts'
import { isTraceparent } from '../../src/gateway/traceparent.ts'
import { systemRandomness } from '../../src/model/clock.ts'
import { MemoryPort } from './memory-port.ts'
import { connectTo, EVENT, EVENTS, runGateway } from './running-gateway.ts'

const body = JSON.stringify(EVENT)

describe('API keys', () => {
  test('are random, and kept only as hashes', () => {
    const made = createApiKey(systemRandomness, { name: 'crawler', role: 'ingest' })
    const other = createApiKey(systemRandomness, { name: 'crawler', role: 'ingest' })
    expect(made.key).toMatch(/^mk_[A-Za-z0-9_-]{43}$/)
    expect(made.key).not.toBe(other.key)
    expect(made.stored).toEqual({ name: 'crawler', role: 'ingest', hash: hashApiKey(made.key) })
    expect(JSON.stringify(made.stored)).not.toContain(made.key)
  })

  test('open the doors as bearer or header; without one it is 401', async () => {
    const a = createApiKey(systemRandomness, { name: 'a', role: 'operate' })
    const b = createApiKey(systemRandomness, { name: 'b', role: 'ingest' })
    const { post, get, port } = await runGateway({ keys: apiKeysOf([a.stored, b.stored]) })
    const missing = await post('/events', body)
    expect([missing.status, missing.body.code]).toEqual([401, 'key_missing'])
    expect(missing.headers.get('www-authenticate')).toBe('Bearer')
    for (const headers of [
      { authorization: `Bearer ${a.key}x` },
      { authorization: `Basic ${a.key}` },
      { 'x-api-key': a.stored.hash },
      { 'x-api-key': '' },
    ]) {
      expect((await post('/events', body, headers as never)).status).toBe(401)
    }
    expect([port.records, port.letters]).toEqual([[], []])
    expect((await post('/events', body, { authorization: `bearer ${a.key}` })).status).toBe(202)
    expect((await post('/events', body, { 'x-api-key': b.key })).status).toBe(202)
    expect((await get('/metrics')).status).toBe(401)
    expect((await get('/nowhere')).body.available).toBeUndefined()
    for (const path of ['/health', '/ready', '/docs']) expect((await get(path)).status).toBe(200)
  })

  test('with a rate are held to it: 429, then taken again', async () => {
    let nowMs = 1_700_000_000_000
    const slow = createApiKey(systemRandomness, {
      ...{ name: 'slow', role: 'ingest' },
      recordsPerSecondMax: 10,
    })
    const { post, port } = await runGateway({
      keys: apiKeysOf([slow.stored]),
      clock: { nowMs: () => nowMs },
    })
    const headers = { 'x-api-key': slow.key }
    const batch = `[${Array(35).fill('{}').join(',')}]`
    expect((await post('/any', batch, headers)).status).toBe(202)
    const refused = await post('/any', '{}', headers)
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited'])
    expect(refused.headers.get('retry-after')).toBe('3')
    nowMs += 2_600
    expect((await post('/any', '{}', headers)).status).toBe(202)
    expect(port.records).toHaveLength(36)
  })
})

describe('starting', () => {
  const start = (options: object) =>
    startGateway({
      routes: [EVENTS],
      appendPort: new MemoryPort(),
      listen: { port: 0 },
      ...options,
    })

  test('off loopback needs keys', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.1', 'example.com', '']) {
      await expect(start({ listen: { host, port: 0 } })).rejects.toBeInstanceOf(
        GatewayWithoutKeysError,
      )
    }
    const gateway = await start({ listen: { host: '0.0.0.0', port: 0 }, keys: apiKeysOf([]) })
    await gateway.close()
  })

  test('refuses routes that cannot be served', async () => {
    const schema = EVENTS.schema
    for (const route of [
      { ...EVENTS, path: 'events' },
      { ...EVENTS, topic: 'user events' },
      { ...EVENTS, path: '/metrics', topic: 'metrics', method: 'POST', idField: 'nothing' },
      { ...EVENTS, idField: 'user_id.deeper' },
      { ...EVENTS, schema, idField: 'timestamp' },
    ]) {
      await expect(start({ routes: [route] })).rejects.toBeInstanceOf(GatewayRouteError)
    }
    await expect(start({ routes: [EVENTS, EVENTS] })).rejects.toBeInstanceOf(GatewayRouteError)
  })

  test('refuses limits that contradict one another, and a port in use', async () => {
    for (const limits of [{ bodyBytesMax: 1 }, { depthMax: 0 }, { recordCountMax: 1e9 }]) {
      await expect(start({ limits })).rejects.toBeInstanceOf(GatewayLimitError)
    }
    const gateway = await start({})
    await expect(start({ listen: { port: gateway.port } })).rejects.toBeInstanceOf(
      GatewayListenError,
    )
    await gateway.close()
  })
})

describe('without keys', () => {
  test('web pages of others are turned away', async () => {
    const { gateway, post, port } = await runGateway({ originsAllowed: ['http://localhost:5173'] })
    const foreign = await post('/any', '{}', { origin: 'https://evil.example' })
    expect([foreign.status, foreign.body.code]).toEqual([403, 'foreign_origin'])
    expect((await post('/any', '{}', { origin: gateway.url })).status).toBe(202)
    expect((await post('/any', '{}', { origin: 'http://localhost:5173' })).status).toBe(202)
    const connection = await connectTo(gateway)
    connection.socket.write('GET /metrics HTTP/1.1\r\nHost: evil.example:80\r\n\r\n')
    expect(await connection.until('wrong_host')).toMatch(/^HTTP\/1\.1 421 /)
    connection.socket.destroy()
    expect(port.records).toHaveLength(2)
  })
})

test('traceparent is told from what only looks like one', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const parent = '00f067aa0ba902b7'
  const good = [`00-${trace}-${parent}-01`, `cc-${trace}-${parent}-01-what-comes`]
  const bad = [
    `ff-${trace}-${parent}-01`,
    `00-${trace.toUpperCase()}-${parent}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${trace}-${parent}-01-more`,
    `00-${trace}-${parent}`,
    '',
  ]
  expect(good.map(isTraceparent)).toEqual([true, true])
  expect(bad.filter(isTraceparent)).toEqual([])
})
