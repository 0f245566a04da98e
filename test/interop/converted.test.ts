import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ConvertOutcome,
  convertDeltaToIceberg,
  convertIcebergToDelta,
} from '../../src/lake/convert/convert.ts'
import { openDeltaTable } from '../../src/lake/delta/table.ts'
import { TableMismatchError, TableUnsupportedError } from '../../src/lake/errors.ts'
import { openIcebergTable } from '../../src/lake/iceberg/table.ts'
import type { Columns } from '../../src/model/column.ts'
import { type Judge, openJudge } from './judge.ts'
import { newestMetadata } from './newest-metadata.ts'
import { steps } from './our-delta-steps.ts'
import { runSteps, tableShape } from './our-delta-table.ts'
import { icebergSteps } from './our-iceberg-steps.ts'
import { ICEBERG_COLUMNS, icebergShape, runIcebergSteps } from './our-iceberg-table.ts'
import { RANDOM_TIMEOUT_MS, runRandomly } from './random-runs.ts'
import { expectSameRows, openWorkshop, rowsOfFile, rowsOfPlan, type Workshop } from './workshop.ts'

// Tables made by random steps in one format, converted, and read as tables of the other: by us, and by an engine that has never
// heard of it. Steps that leave a table unfit for it are refused, and that is fine.

/** PyIceberg reads a list or map of structs that is null as an empty one. */
const COLUMNS = { ...ICEBERG_COLUMNS, hasInnerStructs: false }
const MAPPED = ['delta.columnMapping.mode', 'delta.enableTypeWidening']

const pyIceberg = await openJudge('pyiceberg')
const deltaRs = await openJudge('delta-rs')

describe.skipIf('skip' in pyIceberg || 'skip' in deltaRs)('converted tables', () => {
  let workshop: Workshop
  let tableCount = 0
  beforeAll(async () => {
    workshop = await openWorkshop()
  })
  afterAll(async () => {
    await (pyIceberg as Judge).close()
    await (deltaRs as Judge).close()
    await workshop?.close()
  })

  /** Whether the table was converted; what is refused says why. */
  const isDone = async (converting: Promise<ConvertOutcome>): Promise<boolean> => {
    try {
      expect(await converting).toMatchObject({ status: 'created' })
      return true
    } catch (error) {
      const isRefused =
        error instanceof TableUnsupportedError || error instanceof TableMismatchError
      if (!isRefused) throw error
      return false
    }
  }

  test(
    'from Delta are read by PyIceberg',
    async () => {
      let doneCount = 0
      // PyIceberg makes a float of 32 bits of a partition value of 64.
      const isFloat = (of: Columns, name: string) =>
        of.some((column) => column.name === name && column.type === 'float64')
      const shape = tableShape({ ...COLUMNS, withoutProperties: MAPPED }).filter(
        ({ columns, partitionBy }) => !partitionBy.some((name) => isFloat(columns, name)),
      )
      await runRandomly(
        { name: 'converted from Delta are read by PyIceberg', runs: 6 },
        [shape, steps],
        async (of, todo) => {
          const at = await runSteps(workshop, `delta${++tableCount}`, of, todo)
          if (!(await isDone(convertDeltaToIceberg(workshop.deps, at.location)))) return
          doneCount += 1
          const expected = { from: 'the model', query: `FROM ${at.expected}` }
          const table = await openIcebergTable(workshop.deps, at.location)
          const plan = await (await table.snapshot()).plan()
          await expectSameRows(workshop, await rowsOfPlan(workshop, plan), expected)
          const metadata = await newestMetadata(workshop, at.location)
          const out = workshop.newFile()
          await (pyIceberg as Judge).ask('read_metadata', { metadata, out })
          await expectSameRows(workshop, rowsOfFile('PyIceberg', out), expected)
        },
      )
      expect(doneCount).toBeGreaterThan(0)
    },
    RANDOM_TIMEOUT_MS,
  )

  test(
    'from Iceberg are read by delta-rs',
    async () => {
      let doneCount = 0
      await runRandomly(
        { name: 'converted from Iceberg are read by delta-rs', runs: 6 },
        [icebergShape(COLUMNS), icebergSteps],
        async (of, todo) => {
          const at = await runIcebergSteps(workshop, `db/iceberg${++tableCount}`, of, todo)
          if (!(await isDone(convertIcebergToDelta(workshop.deps, at.location)))) return
          doneCount += 1
          const expected = { from: 'the model', query: `FROM ${at.expected}` }
          const table = await openDeltaTable(workshop.deps, at.location)
          const plan = await (await table.snapshot()).plan()
          await expectSameRows(workshop, await rowsOfPlan(workshop, plan), expected)
          const out = workshop.newFile()
          const location = path.join(workshop.folder, at.location)
          await (deltaRs as Judge).ask('read', { location, out })
          await expectSameRows(workshop, rowsOfFile('delta-rs', out), expected)
        },
      )
      expect(doneCount).toBeGreaterThan(0)
    },
    RANDOM_TIMEOUT_MS,
  )
})
