import path from 'node:path'
import { createDeltaTable } from '../../../src/lake/delta/create.ts'
import { openDeltaTable } from '../../../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { openLocalScratch } from '../../../src/storage/scratch.ts'
import { openTestEngine } from '../duckdb-ports.ts'
import { COLUMNS, describeProcesses, type LakeOfProcesses } from '../processes.suite.ts'

describeProcesses('processes on a Delta table', {
  format: 'delta',
  open,
  conflicts: {
    append: ['alter'],
    appendInto: ['alter'],
    delete: ['appendInto', 'delete', 'optimize', 'overwrite', 'alter'],
    update: ['update', 'optimize', 'overwrite', 'alter'],
    merge: ['merge', 'optimize', 'overwrite', 'alter'],
    optimize: ['delete', 'update', 'merge', 'optimize', 'overwrite', 'alter'],
    overwrite: [
      ...(['append', 'appendInto', 'delete', 'update', 'merge'] as const),
      ...(['optimize', 'overwrite', 'alter'] as const),
    ],
    // Made anew on top of whatever there is.
    alter: [],
  },
})

async function open(folder: string): Promise<LakeOfProcesses> {
  const engine = await openTestEngine()
  const deps = {
    store: await openLocalStore({ folder: path.join(folder, 'lake') }),
    ports: { ...engine, scratch: await openLocalScratch({ folder: path.join(folder, 'scratch') }) },
    clock: systemClock,
    randomness: systemRandomness,
  }
  return {
    async create(location, queries) {
      const properties = { 'delta.checkpointInterval': '4' }
      await createDeltaTable(deps, location, { columns: COLUMNS, properties })
      const table = await openDeltaTable(deps, location)
      for (const query of queries)
        await table.commitAppend(await table.prepareAppend(await engine.relation(query, COLUMNS)))
    },
    async rowsAt(location) {
      const table = await openDeltaTable(deps, location)
      const plan = await (await table.snapshot()).plan({ columns: ['id', 'v'] })
      const rows = await engine.rows(
        `SELECT id::INTEGER AS id, v::INTEGER AS v FROM (${scanSql(plan)}) ORDER BY ALL`,
      )
      return rows.map(({ id, v }) => [id, v] as [number, number])
    },
    close: async () => engine.close(),
  }
}
