import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openIcebergTable } from '../../src/lake/iceberg/table.ts'
import { type Judge, openJudge } from './judge.ts'
import { icebergSteps } from './our-iceberg-steps.ts'
import { ICEBERG_COLUMNS, icebergShape, runIcebergSteps } from './our-iceberg-table.ts'
import { canBeSplit, type OpenTheirs, ourStatements } from './our-statements.ts'
import { columns } from './random-columns.ts'
import { conditionChoice } from './random-condition.ts'
import { RANDOM_TIMEOUT_MS, runRandomly } from './random-runs.ts'
import { partitionChoice } from './random-transforms.ts'
import { expectReadAlike, type OtherReader } from './read-by-others.ts'
import {
  createWith,
  icebergCatalog,
  sparkIcebergProperties,
  sparkIcebergSteps,
} from './spark-iceberg-steps.ts'
import {
  expectMostlyDone,
  followSteps,
  isDone,
  type Tally,
  type TheirEngine,
  theirTable,
} from './their-table.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

// Both ways with Iceberg's reference implementation, on Apache Spark.

const judge = await openJudge('spark')

describe.skipIf('skip' in judge)('Iceberg on Spark', () => {
  const spark = judge as Judge
  let workshop: Workshop
  let tableCount = 0
  beforeAll(async () => {
    workshop = await openWorkshop()
    await spark.ask('configure', { settings: icebergCatalog(workshop.folder) })
  })
  afterAll(async () => {
    await spark.close()
    await workshop?.close()
  })

  const read = (key: string, out: string, which = '') =>
    spark.ask('query', { sql: `SELECT * FROM ice.db.${path.basename(key)}${which}`, out })
  const reader: OtherReader = {
    name: 'Spark',
    read: ({ location }, out, { version, condition }) => {
      const then = version === undefined ? '' : ` VERSION AS OF ${version}`
      return read(location, out, condition === undefined ? then : ` WHERE ${condition.spark}`)
    },
  }

  test(
    'reads what we write',
    async () => {
      const conditions = fc.array(conditionChoice, { minLength: 1, maxLength: 2 })
      await runRandomly(
        { name: 'Iceberg on Spark reads what we write', runs: 3 },
        [icebergShape(), icebergSteps, conditions],
        async (shape, todo, choices) => {
          const at = await runIcebergSteps(workshop, `db/ours${++tableCount}`, shape, todo)
          await expectReadAlike(at, reader, choices)
        },
      )
    },
    RANDOM_TIMEOUT_MS,
  )

  test(
    'writes what we read',
    async () => {
      const tally: Tally = {}
      const engine: TheirEngine = {
        name: 'Spark',
        judge: spark,
        open: ({ key }) => openIcebergTable(workshop.deps, key),
        read: ({ key }, out) => read(key, out),
      }
      const layout = fc.record({ choice: partitionChoice, properties: sparkIcebergProperties })
      const conditions = fc.array(conditionChoice, { maxLength: 3 })
      await runRandomly(
        { name: 'Iceberg on Spark writes what we read', runs: 3 },
        [columns(ICEBERG_COLUMNS), layout, sparkIcebergSteps, conditions],
        async (of, { choice, properties }, todo, choices) => {
          const key = `db/theirs${++tableCount}`
          const at = theirTable(workshop, spark, { key, columns: of, partitionBy: [] })
          if (!(await isDone(tally, createWith(choice, properties), at))) return
          await followSteps(at, engine, { steps: todo, conditions: choices, tally })
        },
      )
      expectMostlyDone(tally)
    },
    RANDOM_TIMEOUT_MS,
  )

  test(
    'goes on where we changed what it wrote',
    async () => {
      const tally: Tally = {}
      const open: OpenTheirs = ({ key }) => openIcebergTable(workshop.deps, key)
      const steps = sparkIcebergSteps.chain(([first, ...others]) =>
        fc
          .array(fc.oneof(ourStatements(open), fc.constantFrom(...others)), {
            minLength: 3,
            maxLength: 8,
          })
          .map((mixed) => [first!, ...mixed]),
      )
      const engine: TheirEngine = {
        name: 'Spark',
        judge: spark,
        open,
        read: ({ key }, out) => read(key, out),
      }
      const layout = fc.record({ choice: partitionChoice, properties: sparkIcebergProperties })
      await runRandomly(
        { name: 'Iceberg on Spark goes on where we changed what it wrote', runs: 2 },
        [columns(ICEBERG_COLUMNS).filter(canBeSplit), layout, steps],
        async (of, { choice, properties }, todo) => {
          const key = `db/both${++tableCount}`
          const at = theirTable(workshop, spark, { key, columns: of, partitionBy: [] })
          const create = createWith(choice, { ...properties, 'format-version': '2' })
          if (!(await isDone(tally, create, at))) return
          await followSteps(at, engine, { steps: todo, conditions: [], tally })
        },
      )
      expectMostlyDone(tally)
    },
    RANDOM_TIMEOUT_MS,
  )
})
