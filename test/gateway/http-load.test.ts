import { expect, test } from 'vitest'
import { formatRequest, runLoad } from '../../bench/http-load.ts'
import { EVENT, runGateway } from './running-gateway.ts'

// The load generator against the real gateway: what it counts must be what the gateway took.

const headers = { 'Content-Type': 'application/json' }
const host = '127.0.0.1'

test('a closed loop keeps every connection busy and counts what was answered', async () => {
  const { gateway, port } = await runGateway()
  const requests = ['/any', '/nowhere'].map((path) =>
    formatRequest({ path, host, headers, body: JSON.stringify(EVENT) }),
  )
  const load = { host, port: gateway.port, requests, connectionCount: 4, durationMs: 300 }
  const report = await runLoad(load)
  const { '202': accepted, '404': missing, ...others } = report.statusCounts
  expect(others).toEqual({})
  expect(Math.abs(accepted! - missing!)).toBeLessThanOrEqual(4)
  expect(port.records.length - accepted!).toBeGreaterThanOrEqual(0)
  expect(port.records.length - accepted!).toBeLessThanOrEqual(4)
  expect(report.brokenCount).toBe(0)
  expect(report.latencyMs.p50).toBeLessThanOrEqual(report.latencyMs.max)
})

test('an open loop keeps its rate, and latency counts from when a request was due', async () => {
  const { gateway, port } = await runGateway()
  const requests = [formatRequest({ path: '/any', host, headers, body: '{}' })]
  const load = { host, port: gateway.port, requests, connectionCount: 2, durationMs: 500 }
  const steady = await runLoad({ ...load, ratePerSecond: 200 })
  expect(steady.responseCount).toBeGreaterThan(70)
  expect(steady.responseCount).toBeLessThanOrEqual(100)
  // The log stalls for 300 ms: requests that were due meanwhile waited too, although only two were out.
  port.gate = new Promise((resolve) => setTimeout(resolve, 300))
  const stalled = await runLoad({ ...load, ratePerSecond: 200 })
  expect(stalled.latencyMs.p50).toBeGreaterThan(20)
  expect(stalled.latencyMs.max).toBeGreaterThan(250)
})
