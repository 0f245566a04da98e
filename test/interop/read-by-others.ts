import type { Columns } from '../../src/model/column.ts'
import type { Predicate } from '../../src/model/predicate.ts'
import type { ScanPlan } from '../../src/model/scan-plan.ts'
import { type Condition, type ConditionChoice, drawCondition } from './random-condition.ts'
import { expectSameRows, rowsOfFile, rowsOfPlan, type Workshop } from './workshop.ts'

/** A table that we wrote, of either format. */
export interface ReadableTable {
  readonly workshop: Workshop
  /** Its key in the lake. */
  readonly location: string
  readonly columns: Columns
  /** A DuckDB table with the rows that the newest version must have. */
  readonly expected: string
  /** The same for versions that are kept. */
  readonly versions: ReadonlyMap<number | bigint, string>
  /** How we read it: a version, or the newest. */
  plan(choice: {
    readonly version?: number | bigint
    readonly predicate?: Predicate
  }): Promise<ScanPlan>
}

export interface OtherReader {
  readonly name: string
  /** Whether it means the same by a condition as we do. Default: always. */
  agreesOn?(condition: Condition): boolean
  /** Write the rows of a version, or those of the newest for which a condition holds, to the Parquet file `out`. */
  read(
    table: ReadableTable,
    out: string,
    choice: { readonly version?: number | bigint; readonly condition?: Condition },
  ): Promise<unknown>
}

/** Fail unless others, and we ourselves, read from a table of ours what was put into it: every version, and by condition. */
export async function expectReadAlike(
  at: ReadableTable,
  reader: OtherReader,
  conditions: readonly ConditionChoice[],
): Promise<void> {
  const { workshop, expected, columns } = at
  const read = async (choice: Parameters<OtherReader['read']>[2]) => {
    const out = workshop.newFile()
    await reader.read(at, out, choice)
    return rowsOfFile(reader.name, out)
  }
  const newest = { from: 'the model', query: `FROM ${expected}` }
  await expectSameRows(workshop, await rowsOfPlan(workshop, await at.plan({})), newest)
  await expectSameRows(workshop, await read({}), newest)
  for (const [version, rowsThen] of at.versions) {
    const rows = { from: `the model of version ${version}`, query: `FROM ${rowsThen}` }
    await expectSameRows(workshop, await rowsOfPlan(workshop, await at.plan({ version })), rows)
    await expectSameRows(workshop, await read({ version }), rows)
  }
  for (const choice of conditions) {
    const condition = await drawCondition(workshop, { table: expected, columns }, choice)
    if (condition === undefined) continue
    const where = condition.duckdb
    const rows = { from: `the model where ${where}`, query: `FROM ${expected} WHERE ${where}` }
    const plan = await at.plan({ predicate: condition.predicate })
    await expectSameRows(workshop, await rowsOfPlan(workshop, plan), rows)
    if (reader.agreesOn?.(condition) ?? true)
      await expectSameRows(workshop, await read({ condition }), rows)
  }
}
