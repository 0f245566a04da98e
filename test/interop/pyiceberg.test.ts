import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { openSqliteCatalog } from '../../src/lake/iceberg/sqlite-catalog.ts'
import { openIcebergTable } from '../../src/lake/iceberg/table.ts'
import { type Judge, openJudge } from './judge.ts'
import { newestMetadata } from './newest-metadata.ts'
import { icebergSteps } from './our-iceberg-steps.ts'
import { ICEBERG_COLUMNS, icebergShape, runIcebergSteps } from './our-iceberg-table.ts'
import { canBeSplit, type OpenTheirs, ourStatements } from './our-statements.ts'
import { createWith, pyIcebergSteps } from './pyiceberg-steps.ts'
import { columns } from './random-columns.ts'
import { conditionChoice } from './random-condition.ts'
import { RANDOM_TIMEOUT_MS, runRandomly } from './random-runs.ts'
import { partitionChoice } from './random-transforms.ts'
import { expectReadAlike, type OtherReader } from './read-by-others.ts'
import {
  expectMostlyDone,
  followSteps,
  isDone,
  type Tally,
  type TheirEngine,
  theirTable,
} from './their-table.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

// Both ways with PyIceberg.

/** It reads a list or map of structs that is null as an empty one. */
const PYICEBERG = { ...ICEBERG_COLUMNS, hasInnerStructs: false }

const judge = await openJudge('pyiceberg')

describe.skipIf('skip' in judge)('PyIceberg', () => {
  const pyIceberg = judge as Judge
  let workshop: Workshop
  let tableCount = 0
  beforeAll(async () => {
    workshop = await openWorkshop()
  })
  afterAll(async () => {
    await pyIceberg.close()
    await workshop?.close()
  })

  const reader: OtherReader = {
    name: 'PyIceberg',
    // To Arrow NaN is neither above nor below anything; to Iceberg a null differs from a value; a dot goes into a struct;
    // Python has no day after the last of the year 9999; and a decimal is not compared with one of fewer digits.
    agreesOn: ({ column: { name, type }, op, text }) =>
      ![type === 'float32', type === 'float64', typeof type !== 'string'].includes(true) &&
      ![op === '<>', name.includes('.'), text?.startsWith('9999')].includes(true),
    async read({ location }, out, { version, condition }) {
      const metadata = await newestMetadata(workshop, location)
      const then = version === undefined ? {} : { snapshot: String(version) }
      const where =
        condition === undefined
          ? {}
          : { where: [condition.column.name, condition.op, condition.text] }
      await pyIceberg.ask('read_metadata', { metadata, out, ...then, ...where })
    },
  }

  test(
    'reads what we write',
    async () => {
      const conditions = fc.array(conditionChoice, { minLength: 2, maxLength: 4 })
      await runRandomly(
        { name: 'PyIceberg reads what we write', runs: 12 },
        [icebergShape(PYICEBERG), icebergSteps, conditions],
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
      const warehouse = path.join(workshop.folder, 'warehouse')
      const engine: TheirEngine = {
        name: 'PyIceberg',
        judge: pyIceberg,
        open: ({ key }) => openIcebergTable(workshop.deps, key),
        read: ({ key }, out) =>
          pyIceberg.ask('read', { warehouse, table: path.basename(key), out }),
      }
      const conditions = fc.array(conditionChoice, { maxLength: 3 })
      const layout = fc.record({ choice: partitionChoice, version: fc.constantFrom('1', '2') })
      await runRandomly(
        { name: 'PyIceberg writes what we read', runs: 12 },
        [columns(PYICEBERG), layout, pyIcebergSteps, conditions],
        async (of, { choice, version }, todo, choices) => {
          const key = `warehouse/db/theirs${++tableCount}`
          const at = theirTable(workshop, pyIceberg, { key, columns: of, partitionBy: [] })
          const create = createWith(choice, { 'format-version': version })
          if (!(await isDone(tally, create, at))) return
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
      const warehouse = path.join(workshop.folder, 'warehouse')
      const { store, clock, randomness } = workshop.deps
      const open: OpenTheirs = async ({ key }) => {
        const file = { path: path.join(warehouse, 'catalog.db'), catalogName: 'c' }
        const catalog = openSqliteCatalog({ ...file, store, clock, randomness })
        return openIcebergTable({ ...workshop.deps, catalog }, `db.${path.basename(key)}`)
      }
      const steps = pyIcebergSteps.chain(([first, ...others]) =>
        fc
          .array(fc.oneof(ourStatements(open), fc.constantFrom(...others)), {
            minLength: 3,
            maxLength: 8,
          })
          .map((mixed) => [first!, ...mixed]),
      )
      const engine: TheirEngine = {
        name: 'PyIceberg',
        judge: pyIceberg,
        open,
        read: ({ key }, out) =>
          pyIceberg.ask('read', { warehouse, table: path.basename(key), out }),
      }
      await runRandomly(
        { name: 'PyIceberg goes on where we changed what it wrote', runs: 8 },
        [columns(PYICEBERG).filter(canBeSplit), partitionChoice, steps],
        async (of, partitioning, todo) => {
          const key = `warehouse/db/both${++tableCount}`
          const at = theirTable(workshop, pyIceberg, { key, columns: of, partitionBy: [] })
          const create = createWith(partitioning, { 'format-version': '2' })
          if (!(await isDone(tally, create, at))) return
          await followSteps(at, engine, { steps: todo, conditions: [], tally })
        },
      )
      expectMostlyDone(tally)
    },
    RANDOM_TIMEOUT_MS,
  )
})
