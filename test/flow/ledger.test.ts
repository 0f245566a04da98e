import { expect, test } from 'vitest'
import { type LedgerHop, pipelineLedger } from '../../src/flow/ledger.ts'
import type { PipelinePlan } from '../../src/pipeline/plan.ts'

// Goal: the ledger cries out when a target holds something else than its cursor says, and not while a hop is merely in the middle of
// something, such as before it has read its cursor, when the rows are there and the cursor is not known.

const plan = { name: 'p', topics: [] } as unknown as PipelinePlan
const log = {
  topics: async () => [],
  bounds: async () => [{ partition: 0, offsetStart: 0, offsetEnd: 10 }],
}
const state = { counts: async () => [], rejectedCount: async () => 0 }
const hop = (facts: Partial<LedgerHop>): LedgerHop => ({
  name: 'bronze.t',
  topics: ['t'],
  cursor: async () => [],
  isAtRest: () => true,
  rowsFound: async () => 10,
  ...facts,
})
const lineOf = async (facts: Partial<LedgerHop>) =>
  (await pipelineLedger({ plan, log, state, hops: [hop(facts)] }))[0]!

test('rows that no cursor speaks of are a disagreement', async () => {
  expect(await lineOf({})).toMatchObject({
    balanced: false,
    disagreement: '0 rows were committed and 10 are there',
  })
})

test('a hop that has not read its cursor yet is not compared with its target', async () => {
  const line = await lineOf({ isAtRest: () => false })
  expect(line).toMatchObject({ in: 10, inFlight: 10, missing: 0, balanced: true })
})

test('a hop that comes to rest is compared as it then is', async () => {
  let looks = 0
  const cursor = [{ topic: 't', partition: 0, offset: 10, rows: 10, dead: 0, filtered: 0 }]
  const line = await lineOf({
    cursor: async () => (looks > 2 ? cursor : []),
    isAtRest: () => {
      looks += 1
      return looks > 2
    },
  })
  expect(line).toMatchObject({ out: 10, inFlight: 0, balanced: true })
})
