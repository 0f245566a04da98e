import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Judge, openJudge } from './judge.ts'
import { runSteps, steps, tableShape } from './our-delta-table.ts'
import { conditionChoice, drawCondition } from './random-condition.ts'
import { seededRuns } from './seed.ts'
import { expectSameRows, openWorkshop, rowsOfFile, rowsOfPlan, type Workshop } from './workshop.ts'

// Both ways with delta-rs: tables made by random sequences of our operations are read by it, every version of them, and
// tables made by random sequences of its operations are read by us.

const judge = await openJudge('delta-rs')

describe.skipIf('skip' in judge)('delta-rs', () => {
  const deltaRs = judge as Judge
  let workshop: Workshop
  let tableCount = 0
  beforeAll(async () => {
    workshop = await openWorkshop()
  })
  afterAll(async () => {
    await deltaRs?.close?.()
    await workshop?.close()
  })

  test('reads what we write', async () => {
    await fc.assert(
      fc.asyncProperty(
        tableShape(),
        steps,
        fc.array(conditionChoice, { minLength: 2, maxLength: 4 }),
        async (shape, todo, conditions) => {
          const at = await runSteps(workshop, `ours-${++tableCount}`, shape, todo)
          const location = path.join(workshop.folder, at.location)
          for (const [version, expected] of at.versions) {
            const rows = { from: `the model of version ${version}`, query: `FROM ${expected}` }
            const out = workshop.newFile()
            await deltaRs.ask('read', { location, version, out })
            await expectSameRows(workshop, rowsOfFile('delta-rs', out), rows)
            const plan = await (await at.table.snapshot({ version })).plan()
            await expectSameRows(workshop, rowsOfPlan(plan), rows)
          }
          for (const choice of conditions) {
            const condition = await drawCondition(
              workshop,
              { table: at.expected, columns: at.columns },
              choice,
            )
            if (condition === undefined) continue
            const rows = {
              from: `the model where ${condition.duckdb}`,
              query: `FROM ${at.expected} WHERE ${condition.duckdb}`,
            }
            const plan = await (await at.table.snapshot()).plan({ predicate: condition.predicate })
            await expectSameRows(workshop, rowsOfPlan(plan), rows)
            const out = workshop.newFile()
            await deltaRs.ask('read', { location, out, where: condition.datafusion })
            await expectSameRows(workshop, rowsOfFile('delta-rs', out), rows)
          }
          for (const [appId, version] of at.transactions)
            expect(await deltaRs.ask('transaction_version', { location, app_id: appId })).toBe(
              version,
            )
        },
      ),
      seededRuns(12),
    )
  }, 600_000)
})
