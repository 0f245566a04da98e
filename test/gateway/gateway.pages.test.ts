import { expect, test } from 'vitest'
import { EVENT, runGateway } from './running-gateway.ts'

const body = JSON.stringify(EVENT)

test('health is always well; ready says what is missing', async () => {
  let reasons: string[] = ['the log is opening']
  const { get, gateway } = await runGateway({ readiness: async () => reasons })
  expect((await get('/health')).body).toEqual({ status: 'ok' })
  const waiting = await get('/ready')
  expect([waiting.status, waiting.body]).toEqual([503, { status: 'not_ready', reasons }])
  reasons = []
  expect((await get('/ready')).body).toEqual({ status: 'ready' })
  const head = await fetch(`${gateway.url}/health`, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('metrics count requests, records, bytes and the event loop', async () => {
  const { post, get } = await runGateway()
  await post('/events', `[${body},${body},{}]`)
  await post('/events', body, { 'idempotency-key': 'a' })
  await post('/v1/topics/user-events', body, { 'idempotency-key': 'a' })
  await get('/nowhere')
  await get('/nowhere/else')
  const answer = await get('/metrics')
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  for (const line of [
    'mekong_http_requests_total{route="/events",status="202"} 2',
    'mekong_http_requests_total{route="/v1/topics/user-events",status="202"} 1',
    'mekong_http_requests_total{route="",status="404"} 2',
    'mekong_gateway_records_total{topic="user-events",outcome="accepted"} 3',
    'mekong_gateway_records_total{topic="user-events",outcome="duplicate"} 1',
    'mekong_gateway_records_total{topic="user-events",outcome="rejected"} 1',
    'mekong_http_request_seconds_count{route="/events"} 2',
    'mekong_gateway_queue_fullness_ratio 0',
    `mekong_gateway_body_bytes_total{topic="user-events"} ${4 * body.length + 6}`,
  ]) {
    expect(answer.text).toContain(`${line}\n`)
  }
  expect(answer.text).toMatch(/mekong_event_loop_delay_seconds\{quantile="0.99"\} [\d.e-]+\n/)
})

test('the OpenAPI document describes the doors, and its examples are accepted there', async () => {
  const { get, post } = await runGateway({
    extraRoutes: [
      {
        method: 'GET',
        path: '/v1/tables/:name',
        access: 'read',
        operation: { summary: 'One table' },
        handle: ({ response, params, queryText }) => {
          response.end(`${params.name} ${queryText}`)
        },
      },
    ],
  })
  const { body: document } = await get('/docs/openapi.json')
  expect(document.openapi).toBe('3.1.0')
  expect(document.paths['/v1/tables/{name}'].get.summary).toBe('One table')
  for (const path of ['/events', '/orders', '/v1/topics/user-events', '/v1/topics/orders']) {
    const content = document.paths[path].post.requestBody.content
    const { one, several } = content['application/json'].examples
    expect((await post(path, JSON.stringify(one.value))).status).toBe(202)
    expect((await post(path, JSON.stringify(several.value))).status).toBe(202)
    const ndjson = { 'content-type': 'application/x-ndjson' }
    expect((await post(path, content['application/x-ndjson'].example, ndjson)).status).toBe(202)
  }
  const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)
  for (const [, name] of references) expect(document.components.schemas).toHaveProperty([name!])
  expect((await get('/v1/tables/bronze%2Fa?x=1')).text).toBe('bronze/a x=1')
  expect((await get('/v1/tables/')).status).toBe(404)
  expect((await get('/v1/tables/%ff')).status).toBe(404)
})

test('the docs page stands alone and escapes what it shows', async () => {
  const { text, record } = await import('../../src/model/schema.ts')
  const schema = record({ name: text({ doc: '<script>alert(1)</script>' }) })
  const route = { path: '/x', topic: 'x', pipeline: 'x', schema, idField: 'name' }
  const { get } = await runGateway({ routes: [route] })
  const page = await get('/docs')
  expect(page.headers.get('content-type')).toContain('text/html')
  const policy = page.headers.get('content-security-policy')
  expect(policy).toContain("default-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  expect(page.text).not.toMatch(/<style|style=|\son\w+=/)
  const [, sheet] = /<link rel="stylesheet" href="([^"]+)">/.exec(page.text)!
  const style = await get(sheet!)
  expect([style.status, style.headers.get('content-type')]).toEqual([
    200,
    'text/css; charset=utf-8',
  ])
  expect(page.text).toContain('&lt;script&gt;')
  expect(page.text).not.toContain('<script')
  expect(page.text).toContain('/v1/topics/x')
})

test('a route that fails is a 500 and the server lives on', async () => {
  const { get, surprises } = await runGateway({
    extraRoutes: [
      {
        method: 'GET',
        path: '/broken/*',
        access: 'open',
        handle: ({ params }) => {
          throw new Error(`broken ${params.rest}`)
        },
      },
    ],
  })
  expect((await get('/broken/a/b')).status).toBe(500)
  expect((surprises[0] as Error).message).toBe('broken a/b')
  expect((await get('/health')).status).toBe(200)
})
