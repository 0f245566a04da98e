import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts'
import { append, readAll, record } from '../conformance/log.ts'

// Goal: after kill -9 at any moment everything acknowledged is there, once, where it was said to
// be, in order; an append that was not acknowledged is there whole or not at all. Method: a child
// appends from eight callers and writes each acknowledgement down; it is killed at seeded
// moments, the log opened and compared, and the next child goes on with the same file. Repeat with
// MEKONG_SEED.

const KILL_COUNT = 5

test(`nothing acknowledged is lost in ${KILL_COUNT} kills`, async () => {
  const seed = Number(process.env.MEKONG_SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`seed ${seed}`)
  const random = seeded(seed)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-kill-'))
  const file = path.join(folder, 'log.sqlite')
  const acknowledged = new Map<string, string>()
  try {
    for (let run = 0; run < KILL_COUNT; run += 1) {
      const lines = await appendAndDie(file, run, 20 + random() * 400)
      for (const line of lines) {
        const [partition, offset, id] = line.split(' ')
        acknowledged.set(id!, `${partition}/${offset}`)
      }
      await compare(file, acknowledged)
    }
    expect(acknowledged.size).toBeGreaterThan(KILL_COUNT * 100)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Lines the child wrote until it was killed, some time after its first acknowledgement. */
async function appendAndDie(file: string, run: number, afterMs: number): Promise<string[]> {
  const program = path.join(import.meta.dirname, 'kill-appender.ts')
  const written = `${file}.acknowledged-${run}`
  const child = spawn(process.execPath, [program, file, written, String(run)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)))
  while (child.exitCode === null && !(existsSync(written) && statSync(written).size > 0))
    await sleep(2)
  await sleep(afterMs)
  child.kill('SIGKILL')
  expect(await ended).toBe('SIGKILL')
  // What follows the last line break was cut off by the kill.
  return readFileSync(written, 'utf8').split('\n').slice(0, -1)
}

async function compare(file: string, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  const log = await openEmbeddedLog({ file })
  try {
    const stored = new Map<string, string>()
    const callsSeen = new Map<string, number>()
    for (const { partition, offsetEnd } of await log.bounds('t')) {
      const records = await readAll(log, 't', partition, 10_000)
      expect(records).toHaveLength(offsetEnd)
      expect(records.findIndex(({ offset }, n) => offset !== n)).toBe(-1)
      const lastOfCaller = new Map<string, readonly number[]>()
      for (const { id, offset, value } of records) {
        // Plain comparisons: there are very many, and an assertion each would take most of the time.
        if (stored.has(id)) throw new Error(`${id} is there twice`)
        stored.set(id, `${partition}/${offset}`)
        if (Buffer.from(value).toString() !== `value of ${id}`) throw new Error(`${id} is damaged`)
        const [run, caller, n, m] = id.split('.').map(Number) as [number, number, number, number]
        const last = lastOfCaller.get(`${caller}`) ?? [-1, -1, -1]
        const isLater =
          run > last[0]! || (run === last[0] && (n > last[1]! || (n === last[1] && m > last[2]!)))
        if (!isLater) throw new Error(`${id} is out of order`)
        lastOfCaller.set(`${caller}`, [run, n, m])
        const call = `${run}.${caller}.${n}`
        callsSeen.set(call, (callsSeen.get(call) ?? 0) + 1)
      }
    }
    const misplaced = [...acknowledged].filter(([id, place]) => stored.get(id) !== place)
    expect(misplaced).toEqual([])
    const torn = [...callsSeen].filter(([call, count]) => {
      const [, caller, n] = call.split('.').map(Number) as [number, number, number]
      return count !== 1 + ((n * 7 + caller) % 40)
    })
    expect(torn).toEqual([])
    // The id index came through as well: an id that was looked up once is found again.
    const known = [...stored].find(([id]) => Number(id.split('.')[2]) % 2 === 0)
    if (known === undefined) return
    const [partition, offset] = known[1].split('/').map(Number)
    const again = await append(log, 't', [record(known[0], { idMayRepeat: true })])
    expect(again).toEqual([{ status: 'duplicate', partition, offset }])
  } finally {
    await log.close()
  }
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
