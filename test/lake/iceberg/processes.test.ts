import path from 'node:path'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import {
  COLUMNS,
  describeProcesses,
  type LakeOfProcesses,
  type Operation,
} from '../processes.suite.ts'
import { openBench } from './engine.ts'

// By Iceberg's rules for serializable statements.

const REWRITING = ['optimize', 'overwrite', 'alter'] as const
const CHANGING = ['delete', 'update', 'merge'] as const

const COPYING: Readonly<Record<Operation, readonly Operation[]>> = {
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
const without = (first: Operation, of: readonly Operation[]) => of.filter((each) => each !== first)
const MARKING = {
  ...COPYING,
  delete: without('delete', COPYING.delete),
  overwrite: without('delete', COPYING.overwrite),
}

for (const [mode, conflicts] of [
  ['copy-on-write', COPYING],
  ['merge-on-read', MARKING],
] as const)
  describeProcesses(`processes on an Iceberg table, ${mode}`, {
    format: 'iceberg',
    open: (folder) => open(folder, mode),
    conflicts,
  })

async function open(folder: string, mode: string): Promise<LakeOfProcesses> {
  const bench = await openBench()
  const deps = {
    store: await openLocalStore({ folder: path.join(folder, 'lake') }),
    ports: bench.ports,
    clock: systemClock,
    randomness: systemRandomness,
  }
  return {
    async create(location, queries) {
      const words = ['delete', 'update', 'merge']
      const properties = Object.fromEntries(words.map((word) => [`write.${word}.mode`, mode]))
      await createIcebergTable(deps, location, { columns: COLUMNS, properties })
      const table = await openIcebergTable(deps, location)
      for (const query of queries)
        await table.commitAppend(await table.prepareAppend(await bench.relation(query, COLUMNS)))
    },
    async rowsAt(location) {
      const table = await openIcebergTable(deps, location)
      const plan = await (await table.snapshot()).plan({ columns: ['id', 'v'] })
      const rows = await bench.scan(
        plan,
        (query) => `SELECT id::INTEGER AS id, v::INTEGER AS v FROM (${query}) ORDER BY ALL`,
      )
      return rows.map(({ id, v }) => [id, v] as [number, number])
    },
    close: async () => bench[Symbol.asyncDispose](),
  }
}
