import { describe, expect, test } from 'vitest'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import type { RowsPort } from '../../../src/lake/rows-port.ts'
import { systemRandomness } from '../../../src/model/clock.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { chanceFaults } from '../../../src/storage/faults.ts'
import { type MemoryDisk, memoryDisk, memoryStore } from '../../../src/storage/memory.ts'

// Goal: whatever fails, and wherever, a table is the old or the new one, and a commit that was reported is there, once.
// Method: processes count one application's transaction up, each step expecting the one before, on a disk that fails by
// a seeded chance; dead processes are replaced. Afterwards the history must be 1, 2, 3 … with every reported step in it.

const SEED = Number(process.env.MEKONG_TEST_SEED ?? Date.now() % 1_000_000)
const clock = { nowMs: () => 1_700_000_000_000 }
const unused = () => {
  throw new Error('no data files are written here')
}
const ports: IcebergDeps['ports'] = {
  stageFiles: { stageFiles: unused },
  parquet: {
    readFields: unused,
    readPositions: unused,
    writePositions: unused,
    writeJsonRows: unused,
  },
  scratch: { makeFolder: unused },
  tableRows: {} as RowsPort,
}
const depsOn = (store: ObjectStore): IcebergDeps => ({
  store,
  ports,
  clock,
  randomness: systemRandomness,
  pause: async () => {},
})

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function chanceFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Count up until the process dies or has had its turns; what was reported as committed. */
async function countUp(
  disk: MemoryDisk,
  chance: () => number,
): Promise<{ version: number; snapshotId: bigint }[]> {
  const faults = chanceFaults(chance, { io: 0.02, full: 0.01, crash: 0.004 })
  const store = memoryStore({ clock, disk, faults })
  const reported: { version: number; snapshotId: bigint }[] = []
  for (let turn = 0; turn < 12 && !store.isDead; turn += 1)
    try {
      const table = await openIcebergTable(depsOn(store), 'counted')
      const standing = (await table.snapshot()).transaction('a') ?? null
      const version = (standing ?? 0) + 1
      const outcome = await table.commitAppend(undefined, {
        transactions: [{ appId: 'a', version, expected: standing }],
      })
      if (outcome.status === 'committed') reported.push({ version, snapshotId: outcome.snapshotId })
    } catch (error) {
      // A platform error says what failed; anything else is a bug of ours.
      expect((error as { code?: string }).code, `seed ${SEED}: ${error}`).toMatch(/^[A-Z_]+$/)
      expect((error as { code?: string }).code).not.toMatch(/INVARIANT|BROKEN/)
    }
  return reported
}

describe('commits on a failing disk', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'are all or nothing, and none is lost (round %i)',
    async (round) => {
      const chance = chanceFrom(SEED * 10 + round)
      const disk = memoryDisk()
      const sound = depsOn(memoryStore({ clock, disk }))
      await createIcebergTable(sound, 'counted', {
        columns: [{ name: 'id', type: 'int64', nullable: true }],
      })
      const reported = (
        await Promise.all(
          [1, 2, 3].map(async () => [
            ...(await countUp(disk, chance)),
            ...(await countUp(disk, chance)),
          ]),
        )
      ).flat()
      const table = await openIcebergTable(sound, 'counted')
      const history = (await table.history({ limit: 1000 })).reverse()
      const versions = history.map((entry) => Number(entry.summary['mekong.txn.a']))
      expect(versions, `seed ${SEED}`).toEqual(history.map((_, index) => index + 1))
      for (const { version, snapshotId } of reported)
        expect(history[version - 1]?.snapshotId, `seed ${SEED}, step ${version}`).toBe(snapshotId)
      expect(reported.length).toBeGreaterThan(0)
      // Every snapshot that is named can be read.
      for (const { snapshotId } of history)
        expect((await (await table.snapshot({ snapshotId })).plan()).files).toEqual([])
    },
  )
})
