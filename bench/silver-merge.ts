import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Bench, rounded } from './bench.ts'

const run = promisify(execFile)
const NODE = path.join(import.meta.dirname, '../bin/node')
const CHILD = path.join(import.meta.dirname, 'silver-merge-child.ts')
const ENTITY_COUNT = 1_000_000
const CHANGE_COUNT = 100_000
/** What the engine may take, tried in turn until it is enough; Node and what the engine does not count come on top. */
const MEMORY_MB = [192, 256, 512] as const
const RESIDENT_MB_MAX = 500

interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly residentMb: number
  readonly facts: Readonly<Record<string, number>>
}

/** The catalog's own model of movies, brought up to a tenth of them changed. */
export const silverMerge: Bench = {
  name: 'silver-merge',
  question:
    'How much memory and time does it take to merge 100,000 changed movies into a million in silver?',
  secondsDefault: 300,
  async run({ folder, rows: entityCount = ENTITY_COUNT, say }) {
    const changeCount = Math.round((CHANGE_COUNT * entityCount) / ENTITY_COUNT)
    const child = async (work: string, memoryMb: number) => {
      const sizes = ['--entities', String(entityCount), '--changes', String(changeCount)]
      const memory = ['--memory', String(memoryMb)]
      // As the platform runs where it is given so much.
      const env = { ...process.env, MEKONG_MEMORY_MB: String(memoryMb) }
      const args = [CHILD, work, '--folder', folder, ...sizes, ...memory]
      const { stdout } = await run(NODE, args, { env })
      return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured
    }
    say(`making silver of ${entityCount} movies`)
    const built = await child('build', 1_500)
    say(`made in ${rounded(built.seconds)} s; ${changeCount} changes wait in bronze`)
    let engineMb = 0
    let merged: Measured | undefined
    for (engineMb of MEMORY_MB) {
      // What did not have enough has changed nothing.
      merged = await child('merge', engineMb).catch(() => undefined)
      if (merged !== undefined) break
      say(`${engineMb} MB are not enough for the engine`)
    }
    if (merged === undefined) throw new Error(`${engineMb} MB are not enough for the merge.`)
    say(`merged in ${rounded(merged.seconds, 1)} s, ${rounded(merged.residentMb)} MB resident`)
    return {
      figures: {
        entity_count: entityCount,
        change_count: changeCount,
        rows_changed: merged.facts.rows_changed ?? null,
        rows_added: merged.facts.rows_added ?? null,
        engine_memory_mb: engineMb,
        merge_seconds: rounded(merged.seconds, 1),
        merge_cpu_seconds: rounded(merged.cpuSeconds, 1),
        merge_resident_mb: rounded(merged.residentMb),
      },
      goals: [{ figure: 'merge_resident_mb', atMost: RESIDENT_MB_MAX }],
      limits: [
        `The engine is given one thread and ${MEMORY_MB.join(', then ')} MB, until that is enough; the process holds Node and what the engine does not count besides. Resident is the peak of the whole process.`,
        'The change feed is written with the merge, as the syncs need it.',
      ],
    }
  },
}
