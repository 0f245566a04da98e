import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { Writer } from '../writer.ts'
import { type Bench, openBench } from './engine.ts'

// Real processes on one table. In the matrix both have made their commit and stand before the put; then the first goes, then
// the second, and what becomes of the second is what Iceberg's rules for serializable statements say.

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'int64', nullable: true },
]

let folder: string
let bench: Bench
let deps: IcebergDeps
let writers: Writer[]
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-iceberg-processes-'))
  bench = await openBench()
  deps = {
    store: await openLocalStore({ folder: path.join(folder, 'lake') }),
    ports: bench.ports,
    clock: systemClock,
    randomness: systemRandomness,
  }
  const script = path.join(import.meta.dirname, 'writer-process.ts')
  writers = ['a', 'b', 'c'].map((name) => new Writer(script, folder, name))
})
afterAll(async () => {
  for (const writer of writers) writer.stop()
  await bench[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

type Mode = 'copy-on-write' | 'merge-on-read'
let tableCount = 0
async function newTable(mode: Mode) {
  tableCount += 1
  const location = `t${tableCount}`
  const words = ['delete', 'update', 'merge']
  const properties = Object.fromEntries(words.map((word) => [`write.${word}.mode`, mode]))
  await createIcebergTable(deps, location, { columns: COLUMNS, properties })
  const table = await openIcebergTable(deps, location)
  for (const from of [0, 10, 20, 30]) {
    const rows = `SELECT (${from} + range)::BIGINT AS id, 0::BIGINT AS v FROM range(10)`
    await table.commitAppend(await table.prepareAppend(await bench.relation(rows, COLUMNS)))
  }
  return table
}

const rowsAt = async (location: string) => {
  const table = await openIcebergTable(deps, location)
  const plan = await (await table.snapshot()).plan({ columns: ['id', 'v'] })
  const rows = await bench.scan(
    plan,
    (query) => `SELECT id::INTEGER AS id, v::INTEGER AS v FROM (${query}) ORDER BY ALL`,
  )
  return rows.map(({ id, v }) => [id, v] as [number, number])
}

type Rows = [number, number][]
const APPLY: Readonly<Record<string, (rows: Rows) => Rows>> = {
  append: (rows) => [...rows, ...[100, 101, 102, 103, 104].map((id): [number, number] => [id, 0])],
  appendInto: (rows) => [...rows, [12, 0]],
  delete: (rows) => rows.filter(([id]) => id < 12 || id > 13),
  update: (rows) => rows.map(([id, v]) => [id, id === 22 ? v + 1 : v]),
  merge: (rows) => [
    ...rows.map(([id, v]): [number, number] => [id, id === 31 ? v + 7 : v]),
    ...[31, 200]
      .filter((key) => !rows.some(([id]) => id === key))
      .map((id): [number, number] => [id, 7]),
  ],
  optimize: (rows) => rows,
  overwrite: () => [[1, 1]],
  alter: (rows) => rows,
}
const START: Rows = Array.from({ length: 40 }, (_, id) => [id, 0])
const sorted = (rows: Rows) => rows.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])

const REWRITING = ['optimize', 'overwrite', 'alter']
const CHANGING = ['delete', 'update', 'merge']
/** For each second operation, the first ones that it cannot follow. */
const CONFLICTS: Readonly<Record<string, readonly string[]>> = {
  append: ['alter'],
  appendInto: ['alter'],
  delete: ['appendInto', 'delete', ...REWRITING],
  update: ['update', ...REWRITING],
  merge: ['merge', ...REWRITING],
  optimize: [...CHANGING, ...REWRITING],
  overwrite: ['append', 'appendInto', ...CHANGING, ...REWRITING],
  // Made on top of whatever there is.
  alter: ['alter'],
}
/** Two that mark rows as gone agree; and what is replaced anyway may have lost rows. */
const AGREE: Readonly<Record<Mode, readonly (readonly [second: string, first: string])[]>> = {
  'copy-on-write': [],
  'merge-on-read': [
    ['delete', 'delete'],
    ['overwrite', 'delete'],
  ],
}

describe.each(['copy-on-write', 'merge-on-read'] as const)('%s', (mode) => {
  test.each(Object.keys(CONFLICTS))(
    '%s follows what leaves its rows alone, and nothing else',
    async (second) => {
      const [a, b] = writers as [Writer, Writer, Writer]
      for (const first of Object.keys(CONFLICTS)) {
        const { location } = await newTable(mode)
        a.tell({ table: location, operation: first, waits: true })
        b.tell({ table: location, operation: second, waits: true })
        expect([await a.hear(), await b.hear()]).toEqual(['ready', 'ready'])
        a.tell('go')
        expect(JSON.parse(await a.hear())).toEqual({ status: 'committed' })
        b.tell('go')
        const { status } = JSON.parse(await b.hear()) as { status: string }
        const agree = AGREE[mode].some(([s, f]) => s === second && f === first)
        const isConflict = !agree && CONFLICTS[second]!.includes(first)
        expect({ first, second, status }).toEqual({
          first,
          second,
          status: isConflict ? 'conflict' : 'committed',
        })
        const after = APPLY[first]!(START)
        expect(await rowsAt(location)).toEqual(sorted(isConflict ? after : APPLY[second]!(after)))
      }
    },
    60_000,
  )

  test('three processes count and tidy at once, and no count is lost', async () => {
    const { location } = await newTable(mode)
    for (const [index, operation] of ['count', 'count', 'tidy'].entries())
      writers[index]!.tell({ table: location, operation, waits: false })
    for (const writer of writers) await writer.hear()
    const rows = await rowsAt(location)
    expect(rows.slice(40)).toEqual([
      [1097, 8],
      [1098, 8],
    ])
    expect(rows.slice(0, 40)).toEqual(START)
  }, 60_000)
})
