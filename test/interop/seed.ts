/** Runs longer, with `npm run nightly`. */
export const isNightly = process.env.MEKONG_NIGHTLY === '1'

/**
 * Settings for `fc.assert`: a new seed each time, printed, or the one of `MEKONG_SEED`; `path` of a failure goes into
 * `MEKONG_SEED_PATH`. `runs` is for `npm test`, and twenty times as many are for the night.
 */
export function seededRuns(runs: number) {
  const seed = Number(process.env.MEKONG_SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`seed ${seed}`)
  const path = process.env.MEKONG_SEED_PATH
  return {
    seed,
    numRuns: isNightly ? runs * 20 : runs,
    // Every run is a table and several programs: shrinking takes minutes, so it is for the night and for a given seed.
    ...(isNightly || process.env.MEKONG_SEED !== undefined ? {} : { endOnFailure: true }),
    ...(path === undefined ? {} : { path }),
  }
}
