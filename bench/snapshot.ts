import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Bench, median, rounded } from './bench.ts'

const run = promisify(execFile)
const CHILD = path.join(import.meta.dirname, 'snapshot-child.ts')
const COMMIT_COUNT = 10_000
const FILE_COUNT = 100_000
const READ_COUNT = 5

interface Read {
  readonly snapshotMs: number
  readonly snapshotCpuMs: number
  readonly firstPlanMs: number
  readonly firstPlanCpuMs: number
  readonly laterPlanMs: number
  readonly plannedFiles: number
  readonly residentMb: number
}

/** Opening a Delta table with a long history, in a new process each time, and writing many small commits. */
export const snapshot: Bench = {
  name: 'snapshot',
  question:
    'How long and how much memory does a snapshot of 10,000 commits and 100,000 files take, and how many commits a second are there?',
  secondsDefault: 5,
  async run({ folder, seconds, say }) {
    say(`making a log of ${COMMIT_COUNT} commits and ${FILE_COUNT} files`)
    const child = async (...args: string[]) => {
      const { stdout } = await run(process.execPath, [CHILD, ...args, '--folder', folder])
      return JSON.parse(stdout)
    }
    await child('build', '--commits', String(COMMIT_COUNT), '--files', String(FILE_COUNT))
    const reads: Read[] = []
    for (let index = 0; index < READ_COUNT; index += 1) {
      const read: Read = await child('read')
      const { snapshotMs, firstPlanMs, residentMb } = read
      say(
        `snapshot ${rounded(snapshotMs)} ms, first plan ${rounded(firstPlanMs)} ms, ${rounded(residentMb)} MB`,
      )
      reads.push(read)
    }
    const { commitsPerSecond } = await child('append', '--seconds', String(seconds))
    const of = (figure: keyof Read) => rounded(median(reads.map((read) => read[figure])), 1)
    return {
      figures: {
        snapshotMs: of('snapshotMs'),
        snapshotCpuMs: of('snapshotCpuMs'),
        firstPlanMs: of('firstPlanMs'),
        firstPlanCpuMs: of('firstPlanCpuMs'),
        laterPlanMs: of('laterPlanMs'),
        plannedFiles: of('plannedFiles'),
        residentMb: of('residentMb'),
        commitsPerSecond: rounded(commitsPerSecond, 1),
      },
      goals: [
        { figure: 'snapshotMs', below: 1_000 },
        { figure: 'firstPlanMs', below: 200 },
        { figure: 'residentMb', below: 300 },
        { figure: 'commitsPerSecond', atLeast: 20 },
      ],
      limits: [
        `Medians of ${READ_COUNT} processes, each of which opens the table once; the log is one checkpoint of all files. CPU is that of all threads, which a busy machine changes less. The memory is the whole process's at its highest.`,
        'The plan is for one value of a column that files are laid by; it reads that column of the statistics, and later plans find it in memory.',
        'Appends are of 1,000 rows each by one writer, fsynced, with the checkpoints that fall due.',
      ],
    }
  },
}
