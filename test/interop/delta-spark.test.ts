import fc from 'fast-check'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type Judge, openJudge } from './judge.ts'
import { runSteps, steps, tableShape } from './our-delta-table.ts'
import { conditionChoice } from './random-condition.ts'
import { expectReadAlike, type OtherReader } from './read-by-others.ts'
import { seededRuns } from './seed.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

// Both ways with Delta Lake on Apache Spark, which has every feature of the format.

const judge = await openJudge('spark')

describe.skipIf('skip' in judge)('Delta Lake on Spark', () => {
  const spark = judge as Judge
  let workshop: Workshop
  let tableCount = 0
  beforeAll(async () => {
    workshop = await openWorkshop()
  })
  afterAll(async () => {
    await spark.close()
    await workshop?.close()
  })

  const reader: OtherReader = {
    name: 'Spark',
    read: (location, out, { version, condition }) => {
      const then = version === undefined ? '' : ` VERSION AS OF ${version}`
      const where = condition === undefined ? '' : ` WHERE ${condition.spark}`
      return spark.ask('query', { sql: `SELECT * FROM delta.\`${location}\`${then}${where}`, out })
    },
  }

  test('reads what we write', async () => {
    const conditions = fc.array(conditionChoice, { minLength: 1, maxLength: 2 })
    await fc.assert(
      fc.asyncProperty(tableShape(), steps, conditions, async (shape, todo, choices) => {
        const at = await runSteps(workshop, `ours-${++tableCount}`, shape, todo)
        await expectReadAlike(at, reader, choices)
      }),
      seededRuns(3),
    )
  }, 1_800_000)
})
