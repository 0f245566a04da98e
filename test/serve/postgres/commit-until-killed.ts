import type { Columns } from '../../../src/model/column.ts'
import { startEmbeddedPostgres } from '../../../src/serve/postgres/embedded.ts'
import { postgresSink } from '../../../src/serve/postgres/sink.ts'
import { memoryRowSet } from '../../memory-row-set.ts'

// Commits one number after another into an embedded PostgreSQL in the folder given, and says after each commit how many there
// are. Started, and killed, by a test.

const columns = [{ name: 'n', type: 'int32', nullable: false }] as const satisfies Columns
const migrations = [{ name: '001.sql', sql: 'CREATE TABLE numbers (n int PRIMARY KEY)' }]

const embedded = await startEmbeddedPostgres({ folder: process.argv[2]!, port: 0 })
const sink = postgresSink(embedded.config, { table: 'numbers', columns, migrations })
await sink.open()
for (;;) {
  const offset = (await sink.cursor('counter'))[0]?.offset ?? 0
  const staged = await sink.stage(memoryRowSet(columns, [[offset]]))
  const range = { topic: 'numbers', partition: 0, offsetStart: offset, offsetEnd: offset + 1 }
  await staged.commit('counter', [{ ...range, read: 1, rows: 1, dead: 0, filtered: 0 }])
  process.stdout.write(`${offset + 1}\n`)
}
