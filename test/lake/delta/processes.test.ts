import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDeltaTable } from '../../../src/lake/delta/create.ts'
import { openDeltaTable } from '../../../src/lake/delta/table.ts'
import type { DeltaDeps } from '../../../src/lake/delta/table-log.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { openLocalScratch } from '../../../src/storage/scratch.ts'
import { openTestEngine, type TestEngine } from '../duckdb-ports.ts'
import { Writer } from '../writer.ts'

// Real processes on one table. In the matrix both have made their commit and stand before the put; then the first goes, then
// the second, and what becomes of the second is what Delta's rules say.

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'int64', nullable: true },
]

let folder: string
let engine: TestEngine
let deps: DeltaDeps
let writers: Writer[]
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-processes-'))
  engine = await openTestEngine()
  deps = {
    store: await openLocalStore({ folder: path.join(folder, 'lake') }),
    ports: { ...engine, scratch: await openLocalScratch({ folder: path.join(folder, 'scratch') }) },
    clock: systemClock,
    randomness: systemRandomness,
  }
  writers = ['a', 'b', 'c'].map(
    (name) => new Writer(path.join(import.meta.dirname, 'writer-process.ts'), folder, name),
  )
})
afterAll(async () => {
  for (const writer of writers) writer.stop()
  engine.close()
  await rm(folder, { recursive: true, force: true })
})

let tableCount = 0
async function newTable() {
  tableCount += 1
  const location = `t${tableCount}`
  await createDeltaTable(deps, location, {
    columns: COLUMNS,
    properties: { 'delta.checkpointInterval': '4' },
  })
  const table = await openDeltaTable(deps, location)
  for (const from of [0, 10, 20, 30]) {
    const rows = `SELECT (${from} + range)::BIGINT AS id, 0::BIGINT AS v FROM range(10)`
    await table.commitAppend(await table.prepareAppend(await engine.relation(rows, COLUMNS)))
  }
  return table
}

const rowsAt = async (location: string) => {
  const plan = await (await (await openDeltaTable(deps, location)).snapshot()).plan({
    columns: ['id', 'v'],
  })
  const rows = await engine.rows(
    `SELECT id::INTEGER AS id, v::INTEGER AS v FROM (${scanSql(plan)}) ORDER BY ALL`,
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

/** For each second operation, the first ones that it cannot follow. */
const CONFLICTS: Readonly<Record<string, readonly string[]>> = {
  append: ['alter'],
  appendInto: ['alter'],
  delete: ['appendInto', 'delete', 'optimize', 'overwrite', 'alter'],
  update: ['update', 'optimize', 'overwrite', 'alter'],
  merge: ['merge', 'optimize', 'overwrite', 'alter'],
  optimize: ['delete', 'update', 'merge', 'optimize', 'overwrite', 'alter'],
  overwrite: [
    'append',
    'appendInto',
    'delete',
    'update',
    'merge',
    'optimize',
    'overwrite',
    'alter',
  ],
  // Made anew on top of whatever there is.
  alter: [],
}

describe.each(Object.keys(CONFLICTS))('%s', (second) => {
  test('follows what leaves its rows alone, and nothing else', async () => {
    const [a, b] = writers as [Writer, Writer, Writer]
    for (const first of Object.keys(CONFLICTS)) {
      if (first === 'alter' && second === 'alter') continue
      const { location } = await newTable()
      a.tell({ table: location, operation: first, waits: true })
      b.tell({ table: location, operation: second, waits: true })
      expect([await a.hear(), await b.hear()]).toEqual(['ready', 'ready'])
      a.tell('go')
      expect(JSON.parse(await a.hear())).toMatchObject({ status: 'committed' })
      b.tell('go')
      const { status } = JSON.parse(await b.hear()) as { status: string }
      const isConflict = CONFLICTS[second]!.includes(first)
      expect({ first, second, status }).toEqual({
        first,
        second,
        status: isConflict ? 'conflict' : 'committed',
      })
      const after = APPLY[first]!(START)
      expect(await rowsAt(location)).toEqual(sorted(isConflict ? after : APPLY[second]!(after)))
    }
  }, 60_000)
})

test('three processes count and tidy at once, and no count is lost', async () => {
  const { location } = await newTable()
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
