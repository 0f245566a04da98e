import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type EmbeddedLog,
  openEmbeddedLog,
  openEmbeddedLogReader,
} from '../../src/log/embedded/embedded-log.ts'
import {
  InvalidAppendError,
  LogClosedError,
  LogCorruptError,
  LogLockedError,
  LogUnavailableError,
  LogVersionError,
} from '../../src/log/errors.ts'
import type { Log } from '../../src/log/log.ts'
import { append, describeLog, type LogUnderTest, readAll, record } from '../conformance/log.ts'

function temporaryFolder(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'mekong-log-'))
}

async function openAt(folder: string): Promise<LogUnderTest> {
  const log = await openEmbeddedLog({ file: path.join(folder, 'log.sqlite') })
  return {
    log,
    async reopen() {
      await log.close()
      return openAt(folder)
    },
    async dispose() {
      await log.close()
      rmSync(folder, { recursive: true })
    },
  }
}

describeLog('the embedded log', () => openAt(temporaryFolder()))

describe('the embedded log alone', () => {
  let folder: string
  let file: string
  let log: Log | undefined
  beforeEach(() => {
    folder = temporaryFolder()
    file = path.join(folder, 'deep', 'log.sqlite')
  })
  afterEach(async () => {
    await log?.close()
    log = undefined
    rmSync(folder, { recursive: true })
  })

  async function open(options: Partial<Parameters<typeof openEmbeddedLog>[0]> = {}): Promise<Log> {
    log = await openEmbeddedLog({ file, ...options })
    await log.ensureTopic({ name: 't', partitions: 1 })
    return log
  }

  test('past the queue limits it says full at once, and takes more when it has drained', async () => {
    await open({ limits: { queueRecordCountMax: 10 } })
    const first = log!.append(
      't',
      Array.from({ length: 8 }, (_, n) => record(`a${n}`)),
    )
    const second = await log!.append('t', [record('b'), record('c'), record('d')])
    expect(second).toMatchObject({ status: 'full' })
    if (second.status === 'full') expect(second.retryAfterMs).toBeGreaterThan(0)
    expect((await first).status).toBe('appended')
    await append(log!, 't', [record('b')])
    expect((await readAll(log!, 't', 0)).map(({ id }) => id)).not.toContain('c')
  })

  test('an append that could never fit, and an id out of bounds, are refused', async () => {
    await open({ limits: { queueBytesMax: 1000 } })
    const huge = record('a', { value: new Uint8Array(2000) })
    await expect(log!.append('t', [huge])).rejects.toBeInstanceOf(InvalidAppendError)
    await expect(log!.append('t', [record('')])).rejects.toBeInstanceOf(InvalidAppendError)
    await expect(log!.append('t', [record('đ'.repeat(129))])).rejects.toBeInstanceOf(
      InvalidAppendError,
    )
    await append(log!, 't', [record('đ'.repeat(128))])
  })

  test('a full disk is an answer, leaves nothing half-written, and ends when there is room', async () => {
    let nowMs = 1_000_000
    const clock = { nowMs: () => nowMs }
    await open({ limits: { fileBytesMax: 400_000 }, clock })
    await log!.ensureTopic({ name: 't', partitions: 1, retentionMs: 1_000 })
    const batch = (n: number) =>
      Array.from({ length: 20 }, (_, m) =>
        record(`${n}-${m}`, { idMayRepeat: true, value: new Uint8Array(2_000) }),
      )
    let appended = 0
    let outcome = await log!.append('t', batch(appended))
    while (outcome.status === 'appended') {
      appended += 1
      outcome = await log!.append('t', batch(appended))
    }
    expect(appended).toBeGreaterThan(2)
    expect(outcome).toMatchObject({ status: 'unavailable' })
    if (outcome.status === 'unavailable') expect(outcome.reason).toContain('full')
    expect(await readAll(log!, 't', 0)).toHaveLength(appended * 20)

    nowMs += 2_000
    expect(await log!.enforceRetention(nowMs)).toBe(appended * 20)
    const retried = await append(log!, 't', batch(appended))
    expect(retried.every(({ status }) => status === 'appended')).toBe(true)
    expect(retried[0]!.offset).toBe(appended * 20)
  })

  test('retention by age drops whole old batches, and their ids with them', async () => {
    let nowMs = 1_000_000
    await open({ clock: { nowMs: () => nowMs } })
    await log!.ensureTopic({ name: 't', partitions: 1, retentionMs: 10_000 })
    await append(log!, 't', [record('old', { idMayRepeat: true }), record('old-2')])
    nowMs += 8_000
    await append(log!, 't', [record('young', { idMayRepeat: true })])
    nowMs += 4_000
    expect(await log!.enforceRetention(nowMs)).toBe(2)
    expect(await log!.bounds('t')).toEqual([{ partition: 0, offsetStart: 2, offsetEnd: 3 }])
    const all = await log!.read({
      topic: 't',
      partition: 0,
      offset: 0,
      recordCountMax: 10,
      bytesMax: 1e6,
    })
    expect([...all.offsets]).toEqual([2])
    const [old, young] = await append(log!, 't', [
      record('old', { idMayRepeat: true }),
      record('young', { idMayRepeat: true }),
    ])
    expect(old).toEqual({ status: 'appended', partition: 0, offset: 3 })
    expect(young).toEqual({ status: 'duplicate', partition: 0, offset: 2 })
  })

  test('offsets go on after retention dropped everything, also after a restart', async () => {
    let nowMs = 1_000_000
    const clock = { nowMs: () => nowMs }
    await open({ clock })
    await log!.ensureTopic({ name: 't', partitions: 1, retentionMs: 1 })
    await append(log!, 't', [record('a'), record('b')])
    nowMs += 1_000
    expect(await log!.enforceRetention(nowMs)).toBe(2)
    expect(await log!.bounds('t')).toEqual([{ partition: 0, offsetStart: 2, offsetEnd: 2 }])
    await log!.close()
    await open({ clock })
    expect((await append(log!, 't', [record('c')]))[0]!.offset).toBe(2)
  })

  test('retention by size keeps at least the bytes asked for', async () => {
    await open()
    await log!.ensureTopic({ name: 't', partitions: 1, retentionBytes: 25_000 })
    for (let n = 0; n < 10; n += 1)
      await append(log!, 't', [record(`r${n}`, { value: new Uint8Array(10_000) })])
    expect(await log!.enforceRetention(Date.now())).toBe(7)
    expect((await log!.bounds('t'))[0]).toEqual({ partition: 0, offsetStart: 7, offsetEnd: 10 })
  })

  test('what lies wholly before an offset can be dropped', async () => {
    const embedded = (await open()) as EmbeddedLog
    for (const pair of ['ab', 'cd', 'ef'])
      await append(
        embedded,
        't',
        [...pair].map((id) => record(id, { idMayRepeat: true })),
      )
    expect(await embedded.dropBefore('t', 0, 3)).toBe(2)
    expect(await embedded.bounds('t')).toEqual([{ partition: 0, offsetStart: 2, offsetEnd: 6 }])
    expect(await embedded.dropBefore('t', 0, 6)).toBe(4)
    expect(await append(embedded, 't', [record('a', { idMayRepeat: true })])).toEqual([
      { status: 'appended', partition: 0, offset: 6 },
    ])
  })

  test('a reader looks while the writer writes, and sees what comes', async () => {
    await expect(openEmbeddedLogReader(file)).rejects.toBeInstanceOf(LogUnavailableError)
    await open()
    await append(log!, 't', [record('a', { idMayRepeat: true })])
    const reader = await openEmbeddedLogReader(file)
    try {
      expect(await reader.topics()).toMatchObject([
        { name: 't', partitions: 1, bounds: [{ offsetEnd: 1 }] },
      ])
      const arrived = reader.waitForAppend('t', new Map([[0, 1]]), new AbortController().signal)
      await append(log!, 't', [record('b')])
      await arrived
      expect((await readAll(reader, 't', 0)).map(({ id }) => id)).toEqual(['a', 'b'])
    } finally {
      await reader.close()
    }
  })

  test('there is one writer, and its place is free again when it closes', async () => {
    await open()
    await expect(openEmbeddedLog({ file })).rejects.toBeInstanceOf(LogLockedError)
    await log!.close()
    await open()
    await append(log!, 't', [record('a')])
  })

  test('a log of a newer layout, or a stranger’s file, is refused and left alone', async () => {
    await open()
    await log!.close()
    log = undefined
    const change = (sql: string) => {
      const database = new DatabaseSync(file)
      database.exec(sql)
      database.close()
    }
    change('PRAGMA user_version = 99')
    await expect(openEmbeddedLog({ file })).rejects.toBeInstanceOf(LogVersionError)
    await expect(openEmbeddedLogReader(file)).rejects.toBeInstanceOf(LogVersionError)
    change('PRAGMA user_version = 1; PRAGMA application_id = 7')
    await expect(openEmbeddedLog({ file })).rejects.toBeInstanceOf(LogVersionError)
  })

  test('a flipped byte is noticed, not served', async () => {
    await open()
    await append(log!, 't', [record('a')])
    await log!.close()
    const database = new DatabaseSync(file)
    const { blob } = database.prepare('SELECT blob FROM batch').get() as { blob: Uint8Array }
    blob[blob.length - 1]! ^= 1
    database.prepare('UPDATE batch SET blob = ?').run(blob)
    database.close()
    await open()
    await expect(readAll(log!, 't', 0)).rejects.toBeInstanceOf(LogCorruptError)
  })

  test('closing waits for what was taken; afterwards nothing is', async () => {
    await open()
    const taken = Array.from({ length: 30 }, (_, n) => log!.append('t', [record(`r${n}`)]))
    await log!.close()
    for (const outcome of await Promise.all(taken)) expect(outcome.status).toBe('appended')
    await expect(log!.append('t', [record('late')])).rejects.toBeInstanceOf(LogClosedError)
    await open()
    expect(await readAll(log!, 't', 0)).toHaveLength(30)
  })
})
