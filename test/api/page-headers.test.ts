import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { consoleRoutes } from '../../src/api/console-routes.ts'
import { runGateway } from '../gateway/running-gateway.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

// What pages and answers say to browsers about themselves.

const ROOT = path.resolve(import.meta.dirname, '../..')
let folder: string
let api: PlatformForTests

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mekong-console-'))
  mkdirSync(path.join(folder, 'assets'))
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>Mekong</title>')
  writeFileSync(path.join(folder, 'assets', 'main-1.js'), 'export {}')
  api = await platformForTests()
})
afterAll(async () => {
  await api.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The directives of a policy by name. */
const directives = (policy: string | null) =>
  Object.fromEntries(
    (policy ?? '').split('; ').map((directive) => {
      const [name, ...sources] = directive.split(' ')
      return [name, sources.join(' ')]
    }),
  )

test('pages take everything from here, nothing inline, and are in nobody’s frame', async () => {
  const { get } = await runGateway({ extraRoutes: consoleRoutes(folder) })
  const pages = ['/console', '/console/tables/bronze.x', '/console/assets/main-1.js', '/docs']
  for (const page of pages) {
    const { status, headers } = await get(page)
    expect([page, status]).toEqual([page, 200])
    expect(directives(headers.get('content-security-policy'))).toEqual({
      ...{ 'default-src': "'self'", 'script-src': "'self'", 'style-src': "'self'" },
      ...{ 'img-src': "'self' data:", 'font-src': "'self'", 'connect-src': "'self'" },
      ...{ 'object-src': "'none'", 'base-uri': "'none'", 'form-action': "'self'" },
      'frame-ancestors': "'none'",
    })
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(headers.get('permissions-policy')).toContain('camera=()')
  }
})

test('built files are handed out as they were compressed, and kept for good by their names', async () => {
  const file = path.join(folder, 'assets', 'main-2.js')
  const text = 'export const river = 1'
  writeFileSync(file, text)
  writeFileSync(`${file}.br`, brotliCompressSync(text))
  writeFileSync(`${file}.gz`, gzipSync(text))
  const { get } = await runGateway({ extraRoutes: consoleRoutes(folder) })
  const asked = async (place: string, accepted: string) => {
    const { headers, text } = await get(place, { 'accept-encoding': accepted })
    expect(headers.get('vary')).toBe('Accept-Encoding')
    return [headers.get('content-encoding'), headers.get('cache-control'), text]
  }
  const forGood = 'public, max-age=31536000, immutable'
  const named = '/console/assets/main-2.js'
  expect(await asked(named, 'gzip, deflate, br')).toEqual(['br', forGood, text])
  expect(await asked(named, 'gzip')).toEqual(['gzip', forGood, text])
  expect(await asked(named, 'identity')).toEqual([null, forGood, text])
  const page = await asked('/console', 'gzip, br')
  expect(page.slice(0, 2)).toEqual([null, 'no-cache'])
})

test('the console’s page has nothing that its policy forbids', () => {
  const page = readFileSync(path.join(ROOT, 'console', 'index.html'), 'utf8')
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i)
  expect(page.match(/<script\b[^>]*>/g)).toEqual(['<script type="module" src="/src/main.tsx">'])
})

test('the console keeps no key in the browser', () => {
  const source = readFileSync(path.join(ROOT, 'console/src/api.ts'), 'utf8')
  expect(source).not.toMatch(/sessionStorage|localStorage|authorization/i)
})

test('answers are nobody else’s, and what they are said to be', async () => {
  const { headers } = await fetch(`${api.platform.url}/v1/status`)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
})
