import { execFile } from 'node:child_process'
import { cp, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Bench, median, rounded } from './bench.ts'

const run = promisify(execFile)
const CHILD = path.join(import.meta.dirname, 'optimize-child.ts')
const ROW_COUNT = 4_000_000
const FILE_COUNT = 200
/** What the engine may take, ours and the one that copies. */
const MEMORY_MB = 300
const ROUND_COUNT = 3

interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly residentMb: number
}

/** What rows of one value cost to read, by the column that has the value. */
type Read = Readonly<Record<'user' | 'product', { files: number; mb: number; ms: number }>>

const WORKS = ['copy', 'pack', 'sort', 'zorder'] as const
type Work = (typeof WORKS)[number]

/** Packing the small files of a Delta table, and laying its rows along a Z-order curve, against what DuckDB's COPY of the same files costs. */
export const optimize: Bench = {
  name: 'optimize',
  question:
    'What do packing 200 small files and laying their rows along a curve cost, against copies by DuckDB, and what does reading one value cost before and after?',
  secondsDefault: 90,
  async run({ folder, say, rows = ROW_COUNT }) {
    const child = async (...args: string[]) => {
      const { stdout } = await run(process.execPath, [CHILD, ...args, '--folder', folder])
      return JSON.parse(stdout)
    }
    say(`making ${FILE_COUNT} files of ${Math.ceil(rows / FILE_COUNT)} rows`)
    const { bytes } = await child('build', '--rows', String(rows), '--files', String(FILE_COUNT))
    const taken: Record<Work, Measured[]> = { copy: [], pack: [], sort: [], zorder: [] }
    const reads: Record<string, Read> = { small: await child('read') }
    say(`${rounded(bytes / 1e6)} MB; ${toldRead('as they came', reads.small!)}`)
    for (let round = 0; round < ROUND_COUNT; round += 1)
      for (const work of WORKS) {
        const table = `${work}-${round}`
        await cp(path.join(folder, 'base'), path.join(folder, table), { recursive: true })
        const measured: Measured = await child(
          ...[work, '--table', table, '--memory', String(MEMORY_MB)],
        )
        taken[work].push(measured)
        say(toldWork(work, measured))
        if (round === 0 && (work === 'pack' || work === 'zorder')) {
          reads[work] = await child('read', '--table', table)
          say(toldRead(work, reads[work]!))
        }
        await rm(path.join(folder, table), { recursive: true })
      }
    return {
      figures: { ...figuresOf(taken, bytes), ...readFigures(reads) },
      goals: [{ figure: 'packResidentMb', atMost: 500 }],
      limits: [
        `${FILE_COUNT} files, ${rows} rows, ${rounded(bytes / 1e6)} MB; medians of ${ROUND_COUNT} rounds that take turns, each in a process and on a copy of the table of its own, with ${MEMORY_MB} MB for the engine; memory is the whole process's, the highest of all.`,
        'Packing is measured against COPY of the same files into one, the curve against COPY in the order of its columns. Copies are neither fsynced nor committed, and have no statistics; ours are and have.',
        'Reading is for rows of one value with two other columns, plan included, in a process of its own: what it takes from files, whether the disk or the system had them.',
      ],
    }
  },
}

const toldWork = (work: Work, { seconds, cpuSeconds, residentMb }: Measured) =>
  `${work}: ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), ${residentMb.toFixed(0)} MB resident`

const toldRead = (name: string, { user, product }: Read) =>
  `${name}: a user ${user.mb.toFixed(1)} MB of ${user.files} files, a product ${product.mb.toFixed(1)} MB of ${product.files} files`

function figuresOf(taken: Record<Work, readonly Measured[]>, bytes: number) {
  const of = (work: Work, what: keyof Measured) => median(taken[work].map((each) => each[what]))
  const ratio = (work: Work, to: Work, what: keyof Measured) =>
    rounded(of(work, what) / of(to, what), 2)
  const most = (work: Work) => rounded(Math.max(...taken[work].map((each) => each.residentMb)))
  return {
    packSeconds: rounded(of('pack', 'seconds'), 2),
    packMbPerSecond: rounded(bytes / 1e6 / of('pack', 'seconds')),
    packRatio: ratio('pack', 'copy', 'seconds'),
    packCpuRatio: ratio('pack', 'copy', 'cpuSeconds'),
    packResidentMb: most('pack'),
    copyResidentMb: most('copy'),
    zOrderSeconds: rounded(of('zorder', 'seconds'), 2),
    zOrderMbPerSecond: rounded(bytes / 1e6 / of('zorder', 'seconds')),
    zOrderRatio: ratio('zorder', 'sort', 'seconds'),
    zOrderCpuRatio: ratio('zorder', 'sort', 'cpuSeconds'),
    zOrderResidentMb: most('zorder'),
    sortResidentMb: most('sort'),
  }
}

function readFigures(reads: Record<string, Read>): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const [state, name] of [
    ['small', 'Small'],
    ['pack', 'Packed'],
    ['zorder', 'ZOrdered'],
  ] as const)
    for (const column of ['user', 'product'] as const)
      figures[`${column}Read${name}Mb`] = rounded(reads[state]![column].mb, 2)
  return figures
}
