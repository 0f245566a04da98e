import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDeltaTable } from '../../../src/lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../../../src/lake/delta/table.ts'
import type { DeltaDeps } from '../../../src/lake/delta/table-log.ts'
import type { ParquetPort } from '../../../src/lake/parquet-port.ts'
import type { RowsPort } from '../../../src/lake/rows-port.ts'
import type { StageFilesPort } from '../../../src/lake/stage-files.ts'
import { PlatformError } from '../../../src/model/errors.ts'
import { chanceFaults } from '../../../src/storage/faults.ts'
import {
  type MemoryDisk,
  type MemoryStore,
  memoryDisk,
  memoryStore,
} from '../../../src/storage/memory.ts'
import { type LocalScratch, openLocalScratch } from '../../../src/storage/scratch.ts'

// Writers with a cursor each append batches to one table, exactly once, while the storage fails them: errors, full disks, lost
// answers, crashes at any step. Goal: every row that a writer has seen committed is there once, no row is there twice,
// and whoever reads meanwhile sees the cursor and the rows of the same version.
// Method: the memory store owns time, order and failure, all from one seed; a crashed writer starts again from the table.

let folder: string
let scratch: LocalScratch
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-faults-'))
  scratch = await openLocalScratch({ folder })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const COLUMNS = [{ name: 'id', type: 'string', nullable: false }] as const
const LOCATION = 'lake/t'

/** A small generator of numbers from 0 to 1 (mulberry32), enough for choosing faults. */
function chanceFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Lets waiting steps go on one at a time, in an order of its own choosing. */
class Turns {
  readonly #waiting: (() => void)[] = []
  readonly #chance: () => number
  #isPumping = false

  constructor(chance: () => number) {
    this.#chance = chance
  }

  wait(): Promise<void> {
    const turn = new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (!this.#isPumping) {
      this.#isPumping = true
      setImmediate(() => this.#pump())
    }
    return turn
  }

  #pump(): void {
    const index = Math.floor(this.#chance() * this.#waiting.length)
    this.#waiting.splice(index, 1)[0]?.()
    if (this.#waiting.length > 0) setImmediate(() => this.#pump())
    else this.#isPumping = false
  }
}

/** Data files and checkpoints as JSON lines: the log does not care, and the memory store can read them back. */
const stageFiles: StageFilesPort = {
  async stageFiles({ relation, directory }) {
    const file = path.join(directory, 'data')
    await writeFile(file, relation.name)
    return [
      {
        path: file,
        bytes: relation.name.length,
        rowCount: relation.rowCount,
        partitionValues: {},
        columnStatistics: [],
      },
    ]
  },
}

const jsonTables = (store: MemoryStore): ParquetPort => ({
  // biome-ignore lint/correctness/useYield: Delta has no position delete files.
  async *readPositions() {
    throw new Error('no position deletes are read here')
  },
  async writePositions() {
    throw new Error('no position deletes are written here')
  },
  async *readFields({ location, fields, presentAny }) {
    const bytes = await store.get(location.slice(store.rootUrl.length))
    const lines = new TextDecoder().decode(bytes).trim().split('\n')
    const at = (row: unknown, names: readonly string[]) =>
      names.reduce<unknown>((value, name) => (value as Record<string, unknown>)?.[name], row)
    const rows = lines
      .map((line, number) => ({ number, row: JSON.parse(line) as unknown }))
      .filter(({ row }) => presentAny.some((names) => at(row, names) !== undefined))
    const columns = fields.map((field) =>
      rows.map(({ row }) => {
        const value = at(row, field.path) ?? null
        const found =
          field.inside === undefined || value === null
            ? value
            : (at(JSON.parse(value as string), field.inside) ?? null)
        if (found === null) return null
        if (field.as === 'json') return JSON.stringify(found)
        return field.as === 'text' ? String(found) : (found as number | boolean)
      }),
    )
    yield { rowNumbers: rows.map(({ number }) => number), columns }
  },
  async writeJsonRows({ path: file, rows }) {
    const lines: string[] = []
    for await (const row of rows) lines.push(row)
    await writeFile(file, lines.join('\n'))
  },
})

interface World {
  readonly chance: () => number
  readonly turns: Turns
  readonly disk: MemoryDisk
  nowMs: number
}

function depsIn(world: World, rates: Parameters<typeof chanceFaults>[1] | undefined): DeltaDeps {
  const clock = { nowMs: () => (world.nowMs += 1) }
  const store = memoryStore({
    clock,
    disk: world.disk,
    ...(rates === undefined
      ? {}
      : { faults: chanceFaults(world.chance, rates, () => world.turns.wait()) }),
  })
  return {
    store,
    // Appends ask nothing of it.
    ports: { stageFiles, parquet: jsonTables(store), tableRows: {} as RowsPort, scratch },
    clock,
    randomness: {
      bytes(target) {
        for (let index = 0; index < target.length; index += 1)
          target[index] = Math.floor(world.chance() * 256)
        return target
      },
    },
    pause: () => world.turns.wait(),
  }
}

/** Rows of every data file in a snapshot, with its cursors, read from the disk without any fault. */
async function look(world: World, version?: number) {
  const deps = depsIn(world, undefined)
  const table = await openDeltaTable(deps, LOCATION)
  const snapshot = await table.snapshot(version === undefined ? {} : { version })
  const rows: string[] = []
  for (const file of snapshot.files()) {
    const bytes = await deps.store.get(`${LOCATION}/${file.path}`)
    rows.push(...new TextDecoder().decode(bytes).split(','))
  }
  return {
    version: snapshot.version,
    rows: rows.toSorted(),
    cursors: Object.fromEntries(snapshot.transactions()) as Record<string, number>,
  }
}

/** One process: opens the table, reads its cursor, appends batch after batch. Dies with its store. */
async function writerProcess(world: World, name: string, batchCount: number, rates: object) {
  const deps = depsIn(world, rates)
  const table = await openDeltaTable(deps, LOCATION)
  for (;;) {
    const cursor = (await table.snapshot()).transaction(name) ?? 0
    if (cursor >= batchCount) return
    await appendBatch(table, name, cursor)
  }
}

async function appendBatch(table: DeltaTable, name: string, cursor: number) {
  const rows = [0, 1, 2].map((row) => `${name}-${cursor}-${row}`)
  const relation = { name: rows.join(','), columns: COLUMNS, rowCount: rows.length }
  const prepared = await table.prepareAppend(relation)
  const expected = cursor === 0 ? null : cursor
  const transactions = [{ appId: name, version: cursor + 1, expected }]
  // Conflict or unknown: the cursor in the table tells, and that is where the caller looks next.
  await table.commitAppend(prepared, { transactions })
}

async function runWriter(world: World, name: string, batchCount: number, rates: object) {
  for (let life = 0; life < 200; life += 1) {
    try {
      return await writerProcess(world, name, batchCount, rates)
    } catch (error) {
      // A dead process is started again, and one whose storage failed tries again.
      if (!(error instanceof PlatformError)) throw error
      expect(['SIMULATED_CRASH', 'STORAGE_IO', 'STORAGE_FULL']).toContain(error.code)
    }
  }
  throw new Error(`writer ${name} did not get through in 200 lives`)
}

const expectedRows = (names: readonly string[], batches: (name: string) => number) =>
  names
    .flatMap((name) =>
      Array.from({ length: batches(name) }, (_, batch) =>
        [0, 1, 2].map((row) => `${name}-${batch}-${row}`),
      ).flat(),
    )
    .toSorted()

describe('a Delta table under faults', () => {
  test('holds every row once, and every version is whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.record({
          io: fc.double({ min: 0, max: 0.08, noNaN: true }),
          full: fc.double({ min: 0, max: 0.05, noNaN: true }),
          crash: fc.double({ min: 0, max: 0.03, noNaN: true }),
        }),
        async (seed, writerCount, batchCount, rates) => {
          const chance = chanceFrom(seed)
          const world: World = { chance, turns: new Turns(chance), disk: memoryDisk(), nowMs: 1 }
          expect(
            await createDeltaTable(depsIn(world, undefined), LOCATION, {
              columns: COLUMNS,
              properties: { 'delta.checkpointInterval': '3' },
            }),
          ).toEqual({ status: 'created' })
          const names = Array.from({ length: writerCount }, (_, index) => `w${index}`)
          // Two processes for each cursor: a zombie that does not know it has been replaced.
          await Promise.all(
            names.flatMap((name) => [
              runWriter(world, name, batchCount, rates),
              runWriter(world, name, batchCount, rates),
            ]),
          )
          const newest = await look(world)
          expect(newest.rows).toEqual(expectedRows(names, () => batchCount))
          for (let version = 0; version <= newest.version; version += 1) {
            const { rows, cursors } = await look(world, version)
            expect(rows).toEqual(expectedRows(names, (name) => cursors[name] ?? 0))
          }
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  test('creation is all or nothing, and a lost answer is found out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const chance = chanceFrom(seed)
        const world: World = { chance, turns: new Turns(chance), disk: memoryDisk(), nowMs: 1 }
        const attempts = await Promise.allSettled(
          [1, 2, 3].map(() =>
            createDeltaTable(depsIn(world, { io: 0.2, crash: 0.1 }), LOCATION, {
              columns: COLUMNS,
            }),
          ),
        )
        const created = attempts.filter(
          (a) => a.status === 'fulfilled' && a.value.status === 'created',
        )
        expect(created.length).toBeLessThanOrEqual(1)
        const isThere = world.disk.objects.has(`${LOCATION}/_delta_log/00000000000000000000.json`)
        if (created.length === 1) expect(isThere).toBe(true)
        if (isThere) expect((await look(world)).version).toBe(0)
      }),
      { numRuns: 100 },
    )
  })
})
