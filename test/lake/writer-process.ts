import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { openLakeHome } from '../../src/flow/lake-home.ts'
import { type DeltaTable, openDeltaTable } from '../../src/lake/delta/table.ts'
import { type IcebergTable, openIcebergTable } from '../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../src/model/clock.ts'
import type { Column, Columns } from '../../src/model/column.ts'
import { and, compare, type Predicate } from '../../src/model/predicate.ts'
import { sql } from '../../src/model/row-edit.ts'
import { openComputeEngine } from '../../src/sql/duckdb/engine.ts'

// One process that writes to Delta or Iceberg tables, told what to do line by line:
//   writer-process.ts delta|iceberg FOLDER NAME
//   {"table": "t1", "operation": "delete", "waits": true}
// With `waits` it prints `ready` when all that is left is to put the commit, and puts it when a line `go` comes.
// Last it prints the outcome as JSON.

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'int64', nullable: true },
]

const [, , format, folder, name] = process.argv as [string, string, string, string, string]
const engine = await openComputeEngine({
  spillDirectory: path.join(folder, `.spill-${name}`),
  memoryLimitBytes: 256 * 1024 * 1024,
  threads: 1,
})
const { delta: home } = await openLakeHome({
  folder: path.join(folder, 'lake'),
  engine,
  clock: systemClock,
  randomness: systemRandomness,
})
const connection = await engine.connection()
const lines = createInterface(process.stdin)
let waits = false
const put = home.store.putIfAbsent.bind(home.store)
Object.assign(home.store, {
  async putIfAbsent(...args: Parameters<typeof put>) {
    if (waits) {
      waits = false
      console.log('ready')
      await once(lines, 'line')
    }
    return put(...args)
  },
})

async function relation(text: string) {
  const made = engine.relationName('rows')
  await connection.run(`CREATE TABLE ${made} AS ${text}`)
  const [[rowCount]] = (await connection.rows(`SELECT count(*)::INTEGER FROM ${made}`)) as [
    [number],
  ]
  return { name: made, columns: COLUMNS, rowCount }
}

type Table = DeltaTable | IcebergTable
const isDelta = (table: Table): table is DeltaTable => 'cleanLog' in table

const ids = (from: number, to: number): Predicate =>
  and(
    compare(['id'], '>=', { type: 'int64', value: BigInt(from) }),
    compare(['id'], '<=', { type: 'int64', value: BigInt(to) }),
  )
async function append(table: Table, from: number, count: number) {
  const rows = await relation(
    `SELECT (${from} + range)::BIGINT AS id, 0::BIGINT AS v FROM range(${count})`,
  )
  return isDelta(table)
    ? table.commitAppend(await table.prepareAppend(rows))
    : table.commitAppend(await table.prepareAppend(rows))
}

const upsert = async (table: Table, rows: string, set: string) =>
  table.merge({
    source: await relation(rows),
    on: { keys: ['id'] },
    clauses: [
      { when: 'matched', do: { set: { v: sql(set) } } },
      { when: 'not_matched', do: 'insert' },
    ],
  })

const OPERATIONS: Readonly<Record<string, (table: Table) => Promise<{ status: string }>>> = {
  append: (table) => append(table, 100, 5),
  appendInto: (table) => append(table, 12, 1),
  delete: (table) => table.delete({ where: ids(12, 13) }),
  update: (table) => table.update({ where: ids(22, 22), set: { v: sql('v + 1') } }),
  merge: (table) =>
    upsert(table, 'SELECT unnest([31, 200])::BIGINT AS id, 7::BIGINT AS v', 'target.v + source.v'),
  async optimize(table) {
    const { groups } = await table.optimize()
    return { status: groups[0]?.status ?? 'none' }
  },
  overwrite: async (table) =>
    table.overwrite(await relation('SELECT 1::BIGINT AS id, 1::BIGINT AS v')),
  alter: (table) => {
    // A column of this process's own: the same change by two at the same millisecond is one and the same commit in Iceberg.
    const column: Column = { name: `more_${name}`, type: 'string', nullable: true }
    return isDelta(table)
      ? table.alter({ addColumns: [column] })
      : table.changeColumns([{ kind: 'add', column }])
  },
  /** Counts up a row of this process's own until it has been counted eight times. */
  async count(table) {
    const key = 1000 + name.charCodeAt(0)
    for (let done = 0; done < 8; ) {
      const { status } = await upsert(
        table,
        `SELECT ${key}::BIGINT AS id, 1::BIGINT AS v`,
        'target.v + 1',
      )
      if (status === 'committed') done += 1
    }
    return { status: 'counted' }
  },
  async tidy(table) {
    for (let round = 0; round < 4; round += 1) await table.optimize()
    await (isDelta(table) ? table.checkpoint() : table.rewriteManifests())
    return { status: 'tidied' }
  },
}

lines.on('line', (line) => {
  if (line !== 'go') void run(JSON.parse(line))
})
lines.on('close', () => {
  connection.close()
  engine.close()
})

async function run(command: { table: string; operation: string; waits: boolean }) {
  waits = command.waits
  const table = await (format === 'delta' ? openDeltaTable : openIcebergTable)(home, command.table)
  const { status } = await OPERATIONS[command.operation]!(table)
  console.log(JSON.stringify({ status }))
}
