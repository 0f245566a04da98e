import type { OurTable } from './our-delta-table.ts'
import { type Condition, type ConditionChoice, drawCondition } from './random-condition.ts'
import { expectSameRows, rowsOfFile, rowsOfPlan } from './workshop.ts'

export interface OtherReader {
  readonly name: string
  /** Write the rows of a version, or those of the newest for which a condition holds, to the Parquet file `out`. */
  read(
    location: string,
    out: string,
    choice: { readonly version?: number; readonly condition?: Condition },
  ): Promise<unknown>
}

/** Fail unless others, and we ourselves, read from a table of ours what was put into it: every version, and by condition. */
export async function expectReadAlike(
  at: OurTable,
  reader: OtherReader,
  conditions: readonly ConditionChoice[],
): Promise<void> {
  const { workshop, expected, columns, table } = at
  const location = `${workshop.folder}/${at.location}`
  const read = async (choice: Parameters<OtherReader['read']>[2]) => {
    const out = workshop.newFile()
    await reader.read(location, out, choice)
    return rowsOfFile(reader.name, out)
  }
  for (const [version, rowsThen] of at.versions) {
    const rows = { from: `the model of version ${version}`, query: `FROM ${rowsThen}` }
    await expectSameRows(workshop, await read({ version }), rows)
    const plan = await (await table.snapshot({ version })).plan()
    await expectSameRows(workshop, rowsOfPlan(plan), rows)
  }
  for (const choice of conditions) {
    const condition = await drawCondition(workshop, { table: expected, columns }, choice)
    if (condition === undefined) continue
    const where = condition.duckdb
    const rows = { from: `the model where ${where}`, query: `FROM ${expected} WHERE ${where}` }
    const plan = await (await table.snapshot()).plan({ predicate: condition.predicate })
    await expectSameRows(workshop, rowsOfPlan(plan), rows)
    await expectSameRows(workshop, await read({ condition }), rows)
  }
}
