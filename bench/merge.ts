import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Bench, rounded } from './bench.ts'

const run = promisify(execFile)
const CHILD = path.join(import.meta.dirname, 'merge-child.ts')
/** Made by the two-way tests; without it delta-rs is not measured. */
const PYTHON = path.join(os.tmpdir(), 'mekong-test-deltalake', 'bin', 'python')
const TARGET_ROW_COUNT = 8_000_000
const MEMORY_MB = 300

const THEIRS = `
import sys, time, json, resource
import pyarrow.parquet as pq
from deltalake import DeltaTable
rows = pq.read_table(sys.argv[2])
start = time.time()
merger = DeltaTable(sys.argv[1]).merge(rows, predicate='target.id = source.id', source_alias='source', target_alias='target')
merger.when_matched_update_all().when_not_matched_insert_all().execute()
print(json.dumps({'seconds': time.time() - start, 'residentMb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`

interface Measured {
  readonly seconds: number
  readonly residentMb: number
}

/** An upsert into a big Delta table, nine of ten rows of which are there already, anywhere in it. */
export const merge: Bench = {
  name: 'merge',
  question:
    'How long does an upsert into 8 million rows take, in how much memory, and how long does delta-rs take?',
  secondsDefault: 120,
  async run({ folder, say }) {
    say(`making a table of ${TARGET_ROW_COUNT} rows`)
    const build = [CHILD, 'build', '--folder', folder, '--rows', String(TARGET_ROW_COUNT)]
    await run(process.execPath, [...build, '--memory', '1500'])
    await writeFile(path.join(folder, 'theirs.py'), THEIRS)
    const figures: Record<string, number | null> = {}
    for (const count of [1_000, 100_000]) {
      const source = path.join(folder, `source-${count}.parquet`)
      const ours = await onCopy(folder, async (table) => {
        const options = ['--table', table, '--source', source, '--memory', String(MEMORY_MB)]
        const { stdout } = await run(process.execPath, [
          CHILD,
          'merge',
          '--folder',
          folder,
          ...options,
        ])
        return JSON.parse(stdout) as Measured
      })
      say(`${count} rows: ${ours.seconds.toFixed(1)} s, ${ours.residentMb.toFixed(0)} MB`)
      const theirs = existsSync(PYTHON)
        ? await onCopy(folder, async (table) => {
            const { stdout } = await run(PYTHON, [
              path.join(folder, 'theirs.py'),
              path.join(folder, table),
              source,
            ])
            return JSON.parse(stdout) as Measured
          })
        : undefined
      figures[`merge${count}Seconds`] = rounded(ours.seconds, 2)
      figures[`merge${count}ResidentMb`] = rounded(ours.residentMb)
      figures[`deltaRs${count}Seconds`] = theirs === undefined ? null : rounded(theirs.seconds, 2)
      figures[`deltaRs${count}ResidentMb`] =
        theirs === undefined ? null : rounded(theirs.residentMb)
      figures[`ratio${count}`] =
        theirs === undefined ? null : rounded(ours.seconds / theirs.seconds, 2)
    }
    return {
      figures,
      goals: [1_000, 100_000].flatMap((count) => [
        { figure: `merge${count}ResidentMb`, atMost: 500 },
        { figure: `ratio${count}`, atMost: 1.5 },
      ]),
      limits: [
        `The engine may use ${MEMORY_MB} MB; the process holds Node and what the engine does not count besides.`,
        'Files are written anew (copy-on-write), which is most of the time; with deletion vectors it would not be.',
        existsSync(PYTHON)
          ? 'delta-rs is its Python package, with its defaults, after us on a copy of the same table.'
          : 'delta-rs is not there: run the two-way tests once, which make its virtual environment.',
      ],
    }
  },
}

/** Work on a copy of the table. */
async function onCopy(
  folder: string,
  work: (table: string) => Promise<Measured>,
): Promise<Measured> {
  const copy = path.join(folder, 'copy')
  await cp(path.join(folder, 'base'), copy, { recursive: true })
  try {
    return await work('copy')
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}
