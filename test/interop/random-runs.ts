import { randomInt } from 'node:crypto'
import fc from 'fast-check'

/**
 * Whether these are the long runs of `npm run nightly`: a new seed each time, many draws, minutes for each test. Otherwise it is `npm test`:
 * always the same draws, so that what fails is what was changed, and seconds for each test.
 */
export const isNightly = process.env.MEKONG_NIGHTLY === '1'

/** Its first draws, which are all there is time for where Spark is slow, have many features and few steps. */
const SEED_OF_TESTS = 44

/** For each test. The first run is done whatever it takes; after that no run begins that would begin later. */
const BUDGET_MS = isNightly ? 60_000 * Number(process.env.MEKONG_NIGHTLY_MINUTES ?? 6) : 8_000

/** A failure is made smaller only at night and for a given seed: every attempt is a table and several programs. */
const isShrinking = isNightly || process.env.MEKONG_SEED !== undefined

const TELL_EVERY_MS = 60_000

/** Vitest's limit for a test that calls `runRandomly`: its budget, the run that is under way then, and making a failure smaller. */
export const RANDOM_TIMEOUT_MS = 3 * BUDGET_MS + 600_000

export interface RunBounds {
  /** What is drawn, for the lines that tell how far it is. */
  readonly name: string
  /** How many draws `npm test` makes at most; at night there are twenty times as many. */
  readonly runs: number
}

/**
 * Check what holds for whatever is drawn, as often as count and time allow. Prints the seed before and how much was done after; at night
 * every minute too. `MEKONG_SEED` gives a seed back, and `MEKONG_SEED_PATH` the `path` of its failure.
 */
export async function runRandomly<Drawn extends [unknown, ...unknown[]]>(
  { name, runs }: RunBounds,
  drawn: { readonly [K in keyof Drawn]: fc.Arbitrary<Drawn[K]> },
  check: (...of: Drawn) => Promise<void>,
): Promise<void> {
  const seed = Number(process.env.MEKONG_SEED ?? (isNightly ? randomInt(2 ** 31) : SEED_OF_TESTS))
  const path = process.env.MEKONG_SEED_PATH
  const numRuns = isNightly ? runs * 20 : runs
  const startMs = Date.now()
  console.log(`${name}: seed ${seed}, up to ${numRuns} runs or ${BUDGET_MS / 1_000} s`)
  let [doneCount, failedMs, toldMs] = [0, 0, startMs]
  const tell = () =>
    console.log(`${name}: ${doneCount} runs in ${Math.round((Date.now() - startMs) / 1_000)} s`)
  const property = fc.asyncProperty(...drawn, async (...of: Drawn) => {
    // Making a failure smaller has the same time again. What is not looked at any more counts as held.
    const sinceMs = failedMs === 0 ? startMs : failedMs
    if (doneCount > 0 && Date.now() - sinceMs > BUDGET_MS) return
    try {
      await check(...of)
    } catch (error) {
      if (failedMs === 0) {
        failedMs = Date.now()
        console.log(
          `${name}: run ${doneCount} (from 0) fails${isShrinking ? ', and is made smaller' : ''}: ${error}`,
        )
      }
      throw error
    } finally {
      doneCount += 1
      if (isNightly && Date.now() - toldMs > TELL_EVERY_MS) {
        toldMs = Date.now()
        tell()
      }
    }
  })
  try {
    await fc.assert(property, {
      ...{ seed, numRuns, endOnFailure: !isShrinking },
      ...(path === undefined ? {} : { path }),
    })
  } finally {
    tell()
  }
}
