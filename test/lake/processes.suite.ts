import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Columns } from '../../src/model/column.ts'
import { Writer } from './writer.ts'

// Real processes on one table, for both formats. In the matrix both have made their commit and stand before the put; then the first goes,
// then the second, and what becomes of the second is what the format's rules say.

export const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'int64', nullable: true },
]

export type Rows = [number, number][]

/** What each operation of the writers' program does to the rows. */
const APPLY = {
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
} satisfies Record<string, (rows: Rows) => Rows>

export type Operation = keyof typeof APPLY
const OPERATIONS = Object.keys(APPLY) as readonly Operation[]

const START: Rows = Array.from({ length: 40 }, (_, id) => [id, 0])
const sorted = (rows: Rows) => rows.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])

/** A table and how its rows are read, in the process of the test. */
export interface LakeOfProcesses {
  /** Makes a table at `location` and appends the rows of each query by itself. */
  create(location: string, queries: readonly string[]): Promise<void>
  /** `id` and `v` of all rows, in order. */
  rowsAt(location: string): Promise<Rows>
  close(): Promise<void>
}

export interface ProcessesOptions {
  readonly format: 'delta' | 'iceberg'
  /** The lake is below `folder`, where the writers find it. */
  open(folder: string): Promise<LakeOfProcesses>
  /** For each second operation, the first ones that it cannot follow. */
  readonly conflicts: Readonly<Record<Operation, readonly Operation[]>>
}

export function describeProcesses(name: string, { format, open, conflicts }: ProcessesOptions) {
  describe(name, () => {
    let folder: string
    let lake: LakeOfProcesses
    let writers: Writer[]
    let tableCount = 0
    beforeAll(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-processes-'))
      lake = await open(folder)
      writers = ['a', 'b', 'c'].map((writer) => new Writer(format, folder, writer))
    })
    afterAll(async () => {
      for (const writer of writers ?? []) writer.stop()
      await lake?.close()
      await rm(folder, { recursive: true, force: true })
    })

    async function newTable(): Promise<string> {
      const table = `t${++tableCount}`
      const rows = [0, 10, 20, 30].map(
        (from) => `SELECT (${from} + range)::BIGINT AS id, 0::BIGINT AS v FROM range(10)`,
      )
      await lake.create(table, rows)
      return table
    }

    test.each(OPERATIONS)(
      '%s follows what leaves its rows alone, and nothing else',
      async (second) => {
        const [a, b] = writers as [Writer, Writer, Writer]
        for (const first of OPERATIONS) {
          const table = await newTable()
          a.tell({ table, operation: first, waits: true })
          b.tell({ table, operation: second, waits: true })
          expect([await a.hear(), await b.hear()]).toEqual(['ready', 'ready'])
          a.tell('go')
          expect(JSON.parse(await a.hear())).toMatchObject({ status: 'committed' })
          b.tell('go')
          const { status } = JSON.parse(await b.hear()) as { status: string }
          const isConflict = conflicts[second].includes(first)
          const wanted = isConflict ? 'conflict' : 'committed'
          expect({ first, second, status }).toEqual({ first, second, status: wanted })
          const after = APPLY[first](START)
          expect(await lake.rowsAt(table)).toEqual(
            sorted(isConflict ? after : APPLY[second](after)),
          )
        }
      },
      60_000,
    )

    test('three processes count and tidy at once, and no count is lost', async () => {
      const table = await newTable()
      for (const [index, operation] of ['count', 'count', 'tidy'].entries())
        writers[index]!.tell({ table, operation, waits: false })
      for (const writer of writers) await writer.hear()
      const rows = await lake.rowsAt(table)
      expect(rows.slice(40)).toEqual([
        [1097, 8],
        [1098, 8],
      ])
      expect(rows.slice(0, 40)).toEqual(START)
    }, 60_000)
  })
}
