import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { eventSource } from './event-source.ts'
import { startPlatformProcess } from './platform-process.ts'
import { reckon } from './reckoning.ts'
import { ResendingClient } from './resending-client.ts'
import { seeded, seedOfRun } from './seeded.ts'
import { makeSmallDisk } from './small-disk.ts'

// Goal: while the disk is full the door says so and takes nothing, nothing that was acknowledged is lost, nothing half-written is ever
// seen; and when there is room again everything goes on by itself. Method: the home lies on a small file system, which we fill while
// callers send, again and again.

const DISK_BYTES = 400 * 1024 * 1024
const ROUND_COUNT = 3
const FULL_MS = 3_000

const mountedAt = mkdtempSync(path.join(os.tmpdir(), 'mekong-disk-'))
const disk = await makeSmallDisk(DISK_BYTES, mountedAt)
if ('skip' in disk) console.log(`skipped: full disk: ${disk.skip}`)

test.skipIf('skip' in disk)(
  'a full disk is an answer, and no harm',
  {
    timeout: 180_000,
  },
  async () => {
    if ('skip' in disk) return
    onTestFinished(async () => {
      await disk.close()
      rmSync(mountedAt, { recursive: true })
    })
    const seed = seedOfRun('full disk')
    const running = await startPlatformProcess({ home: mountedAt, prefix: disk.prefix })
    onTestFinished(async () => {
      running.signal('SIGKILL')
      await running.ended
    })
    const { url, postgresUrl } = running
    const client = new ResendingClient({
      source: eventSource(seeded(seed), 'disk'),
      url: async () => url,
      pauseMs: () => 10,
    })
    client.start(4)
    const { troubles, acknowledged } = client.ledger
    const refusals = () => troubles.get('503 unavailable') ?? 0
    for (let round = 0; round < ROUND_COUNT; round += 1) {
      await sleep(1_500)
      const refusedBefore = refusals()
      await fullFor(FULL_MS, disk.fill)
      expect(refusals(), running.complaints()).toBeGreaterThan(refusedBefore)
      disk.free()
      const takenBefore = acknowledged.size
      await sleep(3_000)
      expect(acknowledged.size, running.complaints()).toBeGreaterThan(takenBefore)
    }
    await client.finish()
    await reckon({ home: disk.folder, url, postgresUrl, ledger: client.ledger })
    expect([...troubles.keys()]).toEqual(['503 unavailable'])
    expect(client.ledger.refusals.get('unavailable')).toMatch(/is full.* free .*space/)
    running.signal('SIGTERM')
    expect(await running.ended, running.complaints()).toEqual({ code: 0, signal: null })
  },
)

/** Keep the disk full: what is given back by others while it is, is taken again. */
async function fullFor(ms: number, fill: () => void): Promise<void> {
  const startMs = performance.now()
  while (performance.now() - startMs < ms) {
    fill()
    await sleep(50)
  }
}
