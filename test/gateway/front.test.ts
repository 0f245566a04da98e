import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { addressOf, isSecure, ownOrigin } from '../../src/gateway/front.ts'

const from = (headers: Record<string, string>, remoteAddress = '::ffff:10.0.0.1') =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage

test('a caller’s address is what the proxies of ours saw, never what a client wrote', () => {
  const forwarded = from({ 'x-forwarded-for': '6.6.6.6, 203.0.113.9, 10.0.0.7' })
  expect(addressOf({ proxyCount: 0 }, forwarded)).toBe('10.0.0.1')
  expect(addressOf({ proxyCount: 1 }, forwarded)).toBe('10.0.0.7')
  expect(addressOf({ proxyCount: 2 }, forwarded)).toBe('203.0.113.9')
  // Fewer than there should be: somebody came past a proxy.
  expect(addressOf({ proxyCount: 9 }, forwarded)).toBe('10.0.0.1')
  expect(addressOf({ proxyCount: 1 }, from({}))).toBe('10.0.0.1')
})

test('where browsers are is what the settings say, else what Host and proxy say', () => {
  const plain = from({ host: 'localhost:7070' })
  expect([isSecure({ proxyCount: 0 }, plain), ownOrigin({ proxyCount: 0 }, plain)]).toEqual([
    ...[false, 'http://localhost:7070'],
  ])
  const tls = from({ host: 'mekong.example', 'x-forwarded-proto': 'https' })
  expect(ownOrigin({ proxyCount: 0 }, tls)).toBe('https://mekong.example')
  const front = { proxyCount: 1, publicOrigin: 'https://mekong.example.org' }
  expect(ownOrigin(front, plain)).toBe('https://mekong.example.org')
  expect(isSecure(front, plain)).toBe(true)
})
