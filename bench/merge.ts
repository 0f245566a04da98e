import { execFile } from 'node:child_process'
import { cp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { ensureToolset } from '../test/services.ts'
import { type Bench, median, rounded } from './bench.ts'

const run = promisify(execFile)
const CHILD = path.join(import.meta.dirname, 'merge-child.ts')
const TARGET_ROW_COUNT = 8_000_000
const SOURCE_ROW_COUNTS = [1_000, 100_000]
/** What the engine may take. */
const MEMORY_MB = 300
/** Both ways turn about, each on a copy of its own, so that what else the machine does falls on both. No more are begun once the time is up. */
const ROUND_COUNT_MAX = 5

const THEIRS = `
import sys, time, json, resource
import pyarrow.parquet as pq
from deltalake import DeltaTable
rows = pq.read_table(sys.argv[2])
start, before = time.time(), resource.getrusage(resource.RUSAGE_SELF)
merger = DeltaTable(sys.argv[1]).merge(rows, predicate='target.id = source.id', source_alias='source', target_alias='target')
merger.when_matched_update_all().when_not_matched_insert_all().execute()
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({'seconds': time.time() - start, 'cpuSeconds': cpu, 'residentMb': after.ru_maxrss / 1024}))
`

interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly residentMb: number
}

/** Merges one file of rows into a copy of the table. */
type Way = (source: string) => Promise<Measured>

/** An upsert into a big Delta table, nine of ten rows of which are there already, anywhere in it. */
export const merge: Bench = {
  name: 'merge',
  question:
    'How long does an upsert into 8 million rows take, in how much memory, and how long does delta-rs take?',
  secondsDefault: 120,
  async run({ folder, say, seconds, rows = TARGET_ROW_COUNT }) {
    const tools = await ensureToolset('python')
    if ('skip' in tools) say(`delta-rs is not measured: ${tools.skip}`)
    say(`making a table of ${rows} rows`)
    const build = [CHILD, 'build', '--folder', folder, '--rows', String(rows)]
    await run(process.execPath, [...build, '--memory', '1500'])
    await writeFile(path.join(folder, 'theirs.py'), THEIRS)
    const ours = oursOn(folder)
    const theirs = 'skip' in tools ? undefined : theirsOn(folder, tools.environment.MEKONG_PYTHON!)
    const figures: Record<string, number | null> = {}
    const counted: number[] = []
    for (const count of SOURCE_ROW_COUNTS) {
      const source = path.join(folder, `source-${count}.parquet`)
      const taken = { ours: [] as Measured[], theirs: [] as Measured[] }
      const endMs = performance.now() + (seconds * 1_000) / SOURCE_ROW_COUNTS.length
      for (let round = 0; round === 0 || hasTime(round, endMs); round += 1) {
        taken.ours.push(await ours(source))
        say(`${count} rows: ${told(taken.ours.at(-1)!)}`)
        if (theirs === undefined) continue
        taken.theirs.push(await theirs(source))
        say(`${count} rows with delta-rs: ${told(taken.theirs.at(-1)!)}`)
      }
      counted.push(taken.ours.length)
      Object.assign(figures, figuresOf(count, taken))
    }
    return {
      figures,
      goals: SOURCE_ROW_COUNTS.flatMap((count) => [
        { figure: `merge${count}ResidentMb`, atMost: 500 },
        { figure: `ratio${count}`, atMost: 1.5 },
      ]),
      limits: [
        `The engine may use ${MEMORY_MB} MB; the process holds Node and what the engine does not count besides.`,
        'Files are written anew (copy-on-write), which is most of the time; with deletion vectors it would not be.',
        'skip' in tools
          ? 'delta-rs was not to be had, so it is not measured.'
          : `delta-rs is its Python package, with its defaults; medians of ${counted.join(' and ')} rounds that take turns, each on a copy of the same table. Memory is the highest of all.`,
      ],
    }
  },
}

const hasTime = (round: number, endMs: number) =>
  round < ROUND_COUNT_MAX && performance.now() < endMs

const told = ({ seconds, cpuSeconds, residentMb }: Measured) =>
  `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), ${residentMb.toFixed(0)} MB resident`

function oursOn(folder: string): Way {
  return (source) =>
    onCopy(folder, async (table) => {
      const options = ['--table', table, '--source', source, '--memory', String(MEMORY_MB)]
      const { stdout } = await run(process.execPath, [
        ...[CHILD, 'merge', '--folder', folder],
        ...options,
      ])
      return JSON.parse(stdout) as Measured
    })
}

function theirsOn(folder: string, python: string): Way {
  return (source) =>
    onCopy(folder, async (table) => {
      const { stdout } = await run(python, [
        ...[path.join(folder, 'theirs.py'), path.join(folder, table), source],
      ])
      return JSON.parse(stdout) as Measured
    })
}

function figuresOf(
  count: number,
  taken: { readonly ours: readonly Measured[]; readonly theirs: readonly Measured[] },
): Record<string, number | null> {
  const of = (way: readonly Measured[], what: keyof Measured) =>
    way.length === 0 ? null : median(way.map((each) => each[what]))
  const most = (way: readonly Measured[]) =>
    way.length === 0 ? null : rounded(Math.max(...way.map(({ residentMb }) => residentMb)))
  const shown = (value: number | null) => (value === null ? null : rounded(value, 2))
  const ratio = (what: keyof Measured) => {
    const [a, b] = [of(taken.ours, what), of(taken.theirs, what)]
    return a === null || b === null ? null : rounded(a / b, 2)
  }
  return {
    [`merge${count}Seconds`]: shown(of(taken.ours, 'seconds')),
    [`merge${count}CpuSeconds`]: shown(of(taken.ours, 'cpuSeconds')),
    [`merge${count}ResidentMb`]: most(taken.ours),
    [`deltaRs${count}Seconds`]: shown(of(taken.theirs, 'seconds')),
    [`deltaRs${count}CpuSeconds`]: shown(of(taken.theirs, 'cpuSeconds')),
    [`deltaRs${count}ResidentMb`]: most(taken.theirs),
    [`ratio${count}`]: ratio('seconds'),
    [`cpuRatio${count}`]: ratio('cpuSeconds'),
  }
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
