import { BIGINT, DuckDBDataChunk, type DuckDBType, type DuckDBValue } from '@duckdb/node-api'
import type { Columns } from '../../model/column.ts'
import { messageOf } from '../../model/errors.ts'
import { RECORD_COLUMNS, type Relation } from '../../model/relation.ts'
import { type EngineConnection, turnTaker } from './engine.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import { cellReader, columnWriter, nullable } from './row-values.ts'
import { type FailedRecord, ownColumns, type RowStep, type StepOutcome } from './step-outcome.ts'
import { duckdbType } from './type-mapping.ts'

/**
 * Run a user's functions over a relation, all of them row by row in one pass. Only the relation's own columns are read and only
 * new ones written; the record columns never leave the engine, rows are joined to them again by row number.
 */
export async function runRowSteps(
  connection: EngineConnection,
  relation: Relation,
  steps: readonly RowStep[],
  signal: AbortSignal | undefined,
): Promise<StepOutcome> {
  const lastMap = steps.findLast((step) => step.kind === 'map')
  const written = lastMap?.columns ?? []
  const own = lastMap?.columns ?? ownColumns(relation.columns)
  const name = connection.engine.relationName('mapped')
  const kept = connection.engine.relationName('kept')
  const types = written.map((c) => `, ${quoteIdentifier(c.name)} ${duckdbType(c.type)}`)
  await connection.run(`CREATE TABLE ${kept} ("?row" BIGINT${types.join('')})`)
  try {
    const failed = await runOverRows(connection, { relation, steps, written, kept, signal })
    const side = lastMap === undefined ? 'r' : 'k'
    const columns = own.map((c) => `${side}.${quoteIdentifier(c.name)}`)
    const record = RECORD_COLUMNS.map((c) => `r.${c.name}`)
    await connection.run(
      `CREATE TABLE ${name} AS SELECT ${[...columns, ...record].join(', ')} ` +
        `FROM ${relation.name} r JOIN ${kept} k ON r.rowid = k."?row"`,
      { signal },
    )
    const [row] = await connection.rows(`SELECT count(*) FROM ${name}`)
    const made = { name, columns: [...own, ...RECORD_COLUMNS], rowCount: Number(row![0]) }
    return { relation: made, failed }
  } finally {
    await connection.run(`DROP TABLE ${kept}`)
  }
}

interface RowRun {
  readonly relation: Relation
  readonly steps: readonly RowStep[]
  readonly written: Columns
  readonly kept: string
  readonly signal: AbortSignal | undefined
}

async function runOverRows(
  connection: EngineConnection,
  { relation, steps, written, kept, signal }: RowRun,
): Promise<readonly FailedRecord[]> {
  const own = ownColumns(relation.columns)
  const readers = own.map((c) => ({ name: c.name, read: nullable(cellReader(c.type)) }))
  const writers = written.map((c) => ({ name: c.name, write: columnWriter(c) }))
  const failed: FailedRecord[] = []
  // A second connection reads, because a connection with an open stream can do nothing else.
  const reading = await connection.engine.connection()
  const appender = await connection.driver.createAppender(kept)
  const types: DuckDBType[] = [BIGINT, ...writers.map((_, index) => appender.columnType(index + 1))]
  const names = own.map((c) => `, ${quoteIdentifier(c.name)}`).join('')
  const turn = turnTaker(signal)
  try {
    const source = `SELECT rowid, _topic, _partition, _offset${names} FROM ${relation.name}`
    for await (const chunk of reading.stream(source, signal)) {
      const cells = chunk.getColumns()
      const out: DuckDBValue[][] = types.map(() => [])
      for (let index = 0; index < chunk.rowCount; index += 1) {
        try {
          const row: Record<string, unknown> = {}
          for (let c = 0; c < readers.length; c += 1)
            row[readers[c]!.name] = readers[c]!.read(cells[c + 4]![index]!)
          const result = applySteps(steps, row)
          if (result !== undefined) {
            const made = writers.map(({ name, write }) => write(result[name]))
            out[0]!.push(cells[0]![index]!)
            for (let c = 0; c < made.length; c += 1) out[c + 1]!.push(made[c]!)
          }
        } catch (error) {
          failed.push({
            topic: cells[1]![index] as string,
            partition: cells[2]![index] as number,
            offset: Number(cells[3]![index]),
            reason: 'step_failed',
            message: `The step threw ${error instanceof Error ? error.name : 'a value'}: ${messageOf(error)}`,
          })
        }
        if (index % 64 === 63) await turn()
      }
      if (out[0]!.length === 0) continue
      const appended = DuckDBDataChunk.create(types)
      appended.setColumns(out)
      appender.appendDataChunk(appended)
    }
    appender.flushSync()
  } finally {
    appender.closeSync()
    reading.close()
  }
  return failed
}

/** The row after all steps, or nothing when a filter dropped it. */
function applySteps(
  steps: readonly RowStep[],
  first: Record<string, unknown>,
): Record<string, unknown> | undefined {
  let row = first
  for (const step of steps) {
    if (step.kind === 'map') {
      const made: unknown = step.map(row as never)
      if (typeof made !== 'object' || made === null)
        throw new TypeError('A map step must return an object for each row.')
      row = made as Record<string, unknown>
    } else if (!step.filter(row as never)) return undefined
  }
  return row
}
