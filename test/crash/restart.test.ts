import { rmSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { PlatformHome } from './platform-home.ts'
import { spawnPlatform } from './platform-process.ts'
import { drainedLedger } from './reckoning.ts'
import { bronzeRows, servedRows } from './stored-rows.ts'

// Where a platform goes on when it comes back, and where a target begins that has never been filled.

test('a restart goes on where it was; only new targets ask where to begin', {
  timeout: 120_000,
}, async () => {
  await using home = new PlatformHome()

  const first = await home.start()
  await post(first.url, 1, 20)
  await drainedLedger(first.url)
  await stop(first)

  // Existing targets have cursors, so "latest" is not for them.
  const second = await home.start({ MEKONG_START_AT: 'latest' })
  await post(second.url, 21, 30)
  await drainedLedger(second.url)
  expect((await bronzeRows(home.folder)).length).toBe(30)
  expect((await servedRows(second.postgresUrl)).length).toBe(30)
  await stop(second)

  // A table that is gone is a new one: from now on …
  removeBronze(home)
  const third = await home.start({ MEKONG_START_AT: 'latest' })
  await drainedLedger(third.url)
  await post(third.url, 31, 35)
  const lines = await drainedLedger(third.url)
  expect(lines.find(({ hop }) => hop === 'bronze.user_events')).toMatchObject({
    ...{ in: 35, out: 5, filtered: 30, balanced: true },
  })
  expect((await bronzeRows(home.folder)).map(({ movieId }) => movieId).sort()).toEqual([
    31, 32, 33, 34, 35,
  ])
  expect((await servedRows(third.postgresUrl)).length).toBe(35)
  await stop(third)

  // … or from the beginning, which is the default.
  removeBronze(home)
  const fourth = await home.start()
  const again = await drainedLedger(fourth.url)
  expect(again.every(({ balanced }) => balanced)).toBe(true)
  expect((await bronzeRows(home.folder)).length).toBe(35)
  expect((await servedRows(fourth.postgresUrl)).length).toBe(35)
  await stop(fourth)
})

test('a second platform on the same home is told who has it, and changes nothing', {
  timeout: 60_000,
}, async () => {
  await using home = new PlatformHome()
  const { url, pid } = await home.start()
  await post(url, 1, 5)
  const second = spawnPlatform({ home: home.folder })
  expect(await second.ready).toBe(undefined)
  expect(await second.ended).toEqual({ code: 4, signal: null })
  expect(JSON.parse(second.output())).toMatchObject({ ok: false, error: { code: 'HOME_LOCKED' } })
  expect(second.complaints()).toContain(`process ${pid} at ${url}`)
  await post(url, 6, 10)
  await drainedLedger(url)
  expect((await bronzeRows(home.folder)).length).toBe(10)
})

async function post(url: string, from: number, to: number): Promise<void> {
  const lines = Array.from(
    { length: to - from + 1 },
    (_, index) =>
      `{"user_id":1,"movie_id":${from + index},"event_type":"click","timestamp":1701234567890}`,
  )
  const headers = { 'content-type': 'application/x-ndjson' }
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers,
    body: lines.join('\n'),
  })
  expect(response.status).toBe(202)
}

async function stop(running: ReturnType<typeof spawnPlatform>): Promise<void> {
  running.signal('SIGTERM')
  expect(await running.ended, running.complaints()).toEqual({ code: 0, signal: null })
}

const removeBronze = (home: PlatformHome) =>
  rmSync(path.join(home.folder, 'lake', 'bronze'), { recursive: true })
