import type { LanceTable } from './package.ts'

// Optimising rewrites a table and its text index whole, whatever changed: a second for twenty thousand titles. A search finds rows outside the index too, by reading
// them, so this may wait until it is worth its cost.

export const OPTIMIZE_DEFAULTS = Object.freeze({
  /** Of all rows. Ten increments of a hundredth share one rewrite, and a search reads a tenth of the texts at most. */
  unindexedPartMax: 0.1,
  /** Each commit leaves a file, a mark of removal or a version behind: some dozen are read in milliseconds. */
  commitCountMax: 32,
})

/** Optimise a table when too much of it is outside its indexes, or its commits since version `since` complete another `commitCountMax`. */
export async function optimizeByNeed(table: LanceTable, since: number): Promise<void> {
  const { commitCountMax } = OPTIMIZE_DEFAULTS
  const round = (version: number) => Math.floor(version / commitCountMax)
  const isRoundOver = round(await table.version()) > round(since)
  if (isRoundOver || (await isMostlyUnindexed(table))) await table.optimize()
}

async function isMostlyUnindexed(table: LanceTable): Promise<boolean> {
  const rowsMax = OPTIMIZE_DEFAULTS.unindexedPartMax * (await table.countRows())
  for (const { name } of await table.listIndices()) {
    const found = await table.indexStats(name)
    if (found !== undefined && found.numUnindexedRows > rowsMax) return true
  }
  return false
}
