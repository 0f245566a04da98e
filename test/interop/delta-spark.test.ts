import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openDeltaTable } from '../../src/lake/delta/table.ts'
import { compileChanges } from '../../src/sql/duckdb/changes.ts'
import { nothingToLookInto } from '../lake/delta/nothing-to-look-into.ts'
import { type Judge, openJudge } from './judge.ts'
import { steps } from './our-delta-steps.ts'
import { type OurTable, runSteps, tableShape } from './our-delta-table.ts'
import { conditionChoice } from './random-condition.ts'
import { RANDOM_TIMEOUT_MS, runRandomly } from './random-runs.ts'
import { expectReadAlike, type OtherReader } from './read-by-others.ts'
import { createWith, sparkDeltaSteps, sparkProperties } from './spark-delta-steps.ts'
import {
  expectMostlyDone,
  followSteps,
  isDone,
  type Tally,
  type TheirTable,
  theirTable,
} from './their-table.ts'
import { expectSameRows, openWorkshop, rowsOfFile, type Workshop } from './workshop.ts'

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
    read: ({ location }, out, { version, condition }) => {
      const then = version === undefined ? '' : ` VERSION AS OF ${version}`
      const where = condition === undefined ? '' : ` WHERE ${condition.spark}`
      return read(path.join(workshop.folder, location), out, then + where)
    },
  }
  const read = (location: string, out: string, which: string) =>
    spark.ask('query', { sql: `SELECT * FROM delta.\`${location}\`${which}`, out })

  /** Of the newest versions since a schema changed, where the table keeps a feed. */
  const expectSameChanges = async (at: OurTable) => {
    const { version: to, properties } = await at.table.snapshot()
    if (properties['delta.enableChangeDataFeed'] !== 'true' || at.hasNewColumns) return
    const from = Math.min(...at.versions.keys())
    const location = path.join(workshop.folder, at.location)
    const out = workshop.newFile()
    const sql = `SELECT * FROM table_changes_by_path('${location}', ${from}, ${to})`
    await spark.ask('query', { sql, out })
    const columns = 'SELECT * EXCLUDE (_commit_timestamp)'
    const ours = await compileChanges(await at.table.changes({ from, to }), nothingToLookInto)
    await expectSameRows(
      workshop,
      { from: 'mekong', query: `${columns} FROM (${ours})` },
      { from: 'Spark', query: `${columns} FROM (${rowsOfFile('Spark', out).query})` },
    )
  }

  test(
    'reads what we write',
    async () => {
      const conditions = fc.array(conditionChoice, { minLength: 1, maxLength: 2 })
      await runRandomly(
        { name: 'Delta on Spark reads what we write', runs: 3 },
        [tableShape(), steps, conditions],
        async (shape, todo, choices) => {
          const at = await runSteps(workshop, `ours-${++tableCount}`, shape, todo)
          await expectReadAlike(at, reader, choices)
          await expectSameChanges(at)
        },
      )
    },
    RANDOM_TIMEOUT_MS,
  )

  test(
    'writes what we read',
    async () => {
      const tally: Tally = {}
      const engine = {
        name: 'Spark',
        judge: spark,
        open: (at: TheirTable) => openDeltaTable(workshop.deps, at.key),
        read: ({ location }: TheirTable, out: string) => read(location, out, ''),
      }
      const layout = fc.record({ properties: sparkProperties, isClustered: fc.boolean() })
      const conditions = fc.array(conditionChoice, { maxLength: 3 })
      await runRandomly(
        { name: 'Delta on Spark writes what we read', runs: 3 },
        [tableShape(), layout, sparkDeltaSteps, conditions],
        async ({ columns, partitionBy }, choice, todo, choices) => {
          const key = `theirs-${++tableCount}`
          const at = theirTable(workshop, spark, { key, columns, partitionBy })
          if (!(await isDone(tally, createWith(choice), at))) return
          await followSteps(at, engine, { steps: todo, conditions: choices, tally })
        },
      )
      expectMostlyDone(tally)
    },
    RANDOM_TIMEOUT_MS,
  )
})
