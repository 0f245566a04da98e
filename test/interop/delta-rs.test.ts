import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDeltaTable } from '../../src/lake/delta/table.ts'
import { createWith, deltaRsSteps } from './delta-rs-steps.ts'
import { type Judge, openJudge } from './judge.ts'
import { steps } from './our-delta-steps.ts'
import { runSteps, tableShape } from './our-delta-table.ts'
import { conditionChoice } from './random-condition.ts'
import { RANDOM_TIMEOUT_MS, runRandomly } from './random-runs.ts'
import { expectReadAlike, type OtherReader } from './read-by-others.ts'
import {
  expectMostlyDone,
  followSteps,
  isDone,
  type Tally,
  type TheirTable,
  theirTable,
} from './their-table.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

// Both ways with delta-rs: tables made by random sequences of our operations are read by it, every version of them, and
// tables made by random sequences of its operations are read by us.

/** It reads no table whose types may widen. */
const DELTA_RS = { withoutProperties: ['delta.enableTypeWidening'] }

const judge = await openJudge('delta-rs')

describe.skipIf('skip' in judge)('delta-rs', () => {
  const deltaRs = judge as Judge
  let workshop: Workshop
  let tableCount = 0
  beforeAll(async () => {
    workshop = await openWorkshop()
  })
  afterAll(async () => {
    await deltaRs.close()
    await workshop?.close()
  })

  const reader: OtherReader = {
    name: 'delta-rs',
    read: ({ location }, out, { version, condition }) =>
      deltaRs.ask('read', {
        location: path.join(workshop.folder, location),
        out,
        ...(version === undefined ? {} : { version: Number(version) }),
        ...(condition === undefined ? {} : { where: condition.datafusion }),
      }),
  }

  test(
    'reads what we write',
    async () => {
      const conditions = fc.array(conditionChoice, { minLength: 2, maxLength: 4 })
      await runRandomly(
        { name: 'delta-rs reads what we write', runs: 12 },
        [tableShape(DELTA_RS), steps, conditions],
        async (shape, todo, choices) => {
          const at = await runSteps(workshop, `ours-${++tableCount}`, shape, todo)
          await expectReadAlike(at, reader, choices)
          const location = path.join(workshop.folder, at.location)
          for (const [appId, version] of at.transactions)
            expect(await deltaRs.ask('transaction_version', { location, app_id: appId })).toBe(
              version,
            )
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
        name: 'delta-rs',
        judge: deltaRs,
        open: (at: TheirTable) => openDeltaTable(workshop.deps, at.key),
        read: ({ location }: TheirTable, out: string) => deltaRs.ask('read', { location, out }),
      }
      const conditions = fc.array(conditionChoice, { maxLength: 3 })
      await runRandomly(
        { name: 'delta-rs writes what we read', runs: 12 },
        [tableShape(), deltaRsSteps, conditions],
        async ({ columns, partitionBy, properties }, todo, choices) => {
          const configuration = {
            'delta.checkpointInterval': properties['delta.checkpointInterval'] ?? '100',
          }
          const key = `theirs-${++tableCount}`
          const at = theirTable(workshop, deltaRs, { key, columns, partitionBy })
          if (!(await isDone(tally, createWith(configuration), at))) return
          await followSteps(at, engine, { steps: todo, conditions: choices, tally })
        },
      )
      expectMostlyDone(tally)
    },
    RANDOM_TIMEOUT_MS,
  )
})
