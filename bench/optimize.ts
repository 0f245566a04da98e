import path from 'node:path'
import { openLakeHome } from '../src/flow/lake-home.ts'
import { createDeltaTable } from '../src/lake/delta/create.ts'
import { openDeltaTable } from '../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import type { Columns } from '../src/model/column.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { type Bench, median, rounded } from './bench.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'user', type: 'int64', nullable: true },
  { name: 'price', type: 'float64', nullable: true },
  { name: 'note', type: 'string', nullable: true },
]
const FILE_COUNT = 200
const ROWS_PER_FILE = 10_000
const ROUND_COUNT = 3

/** Packing many small files of a Delta table into one, and laying them along a curve, against DuckDB's COPY of the same files. */
export const optimize: Bench = {
  name: 'optimize',
  question: 'How long does packing 200 small files take, against a plain copy by DuckDB?',
  secondsDefault: 30,
  async run({ folder, say }) {
    const engine = await openComputeEngine({ spillDirectory: path.join(folder, '.spill') })
    const connection = await engine.connection()
    const world = { clock: systemClock, randomness: systemRandomness }
    const { delta: deps } = await openLakeHome({
      folder: path.join(folder, 'lake'),
      engine,
      ...world,
    })
    const rows = FILE_COUNT * ROWS_PER_FILE
    const taken = { pack: [] as number[], zOrder: [] as number[], copy: [] as number[] }
    let bytes = 0
    const timed = async (into: number[], work: () => Promise<unknown>) => {
      const startMs = performance.now()
      await work()
      into.push(performance.now() - startMs)
    }
    for (let round = 0; round < ROUND_COUNT; round += 1) {
      await createDeltaTable(deps, `rows-${round}`, { columns: COLUMNS })
      const table = await openDeltaTable(deps, `rows-${round}`)
      for (let file = 0; file < FILE_COUNT; file += 1) {
        await connection.run(
          `CREATE OR REPLACE TABLE part AS SELECT range AS id, hash(range) % 100000 AS user, random() AS price, md5(range::VARCHAR) AS note FROM range(${file * ROWS_PER_FILE}, ${(file + 1) * ROWS_PER_FILE})`,
        )
        const relation = { name: 'part', columns: COLUMNS, rowCount: ROWS_PER_FILE }
        await table.commitAppend(await table.prepareAppend(relation))
      }
      const { files } = await (await table.snapshot()).plan()
      bytes = files.reduce((sum, file) => sum + file.bytes, 0)
      const named = `read_parquet([${files.map(({ location }) => `'${location}'`).join(', ')}])`
      const copy = path.join(folder, `copy-${round}.parquet`)
      await timed(taken.copy, () =>
        connection.run(`COPY (FROM ${named}) TO '${copy}' (FORMAT parquet, COMPRESSION zstd)`),
      )
      await timed(taken.pack, () => table.optimize())
      await timed(taken.zOrder, () => table.optimize({ zOrderBy: ['user', 'id'] }))
      say(
        `copy ${rounded(taken.copy.at(-1)!)} ms, pack ${rounded(taken.pack.at(-1)!)} ms, Z-order ${rounded(taken.zOrder.at(-1)!)} ms`,
      )
    }
    connection.close()
    engine.close()
    const [packMs, zOrderMs, copyMs] = [taken.pack, taken.zOrder, taken.copy].map(median)
    return {
      figures: {
        packMs: rounded(packMs!),
        packMbPerSecond: rounded(bytes / 1e6 / (packMs! / 1_000)),
        packRatio: rounded(packMs! / copyMs!, 2),
        zOrderMs: rounded(zOrderMs!),
        zOrderRatio: rounded(zOrderMs! / copyMs!, 2),
      },
      goals: [],
      limits: [
        `${FILE_COUNT} files of ${ROWS_PER_FILE} rows (${rows} in all), ${rounded(bytes / 1e6)} MB; medians of ${ROUND_COUNT} tables. The copy is not fsynced and not committed; ours is.`,
      ],
    }
  },
}
