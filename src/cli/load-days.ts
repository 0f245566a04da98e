import { type DayUnit, dayUnits } from '../flow/day-unit.ts'
import type { DayOutcome } from '../flow/files-to-lake.ts'
import type { Platform } from '../orchestrator/platform.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { CommandContext } from './command.ts'
import type { PlaybackTally } from './playback.ts'

/** What became of day files. */
export interface DaysReport {
  readonly tally: PlaybackTally
  readonly days: readonly DayReport[]
  /** What the pipeline reports by value, most frequent first: `{ content: { unmapped_app: { RADIO: 12 } } }`. */
  readonly reported: Readonly<Record<string, Readonly<Record<string, Record<string, number>>>>>
}

export interface DayReport {
  readonly files: string
  readonly day: string
  readonly status: DayOutcome['status']
  readonly lines: number
  readonly rows: number
  readonly duplicates: number
  readonly dead: number
  readonly message?: string
}

/** Load day files of a pipeline into its tables, with progress. */
export async function loadDayFiles(
  { terminal, signal }: Pick<CommandContext, 'terminal' | 'signal'>,
  platform: Platform,
  plan: PipelinePlan,
  paths: readonly string[],
): Promise<DaysReport> {
  const units = await dayUnits(plan.files, paths)
  const progress = dayProgress(units, terminal.progress)
  const outcomes = await platform.loadDays({
    pipeline: plan.name,
    units,
    signal,
    onDay: progress,
  })
  terminal.progress('')
  const days = outcomes.map(dayReport)
  for (const { message } of days) if (message !== undefined) terminal.note(`Not loaded: ${message}`)
  return { tally: tallyOf(days), days, reported: reportedValues(outcomes) }
}

function dayReport(outcome: DayOutcome): DayReport {
  const { status, unit } = outcome
  const name = { files: unit.files.name, day: unit.day, status }
  if (status === 'failed')
    return { ...name, lines: 0, rows: 0, duplicates: 0, dead: 0, message: outcome.message }
  const { lines, rows, duplicates, dead } = outcome.counts
  return { ...name, lines, rows, duplicates, dead }
}

/** A day that was there already is nothing but repeats. */
function tallyOf(days: readonly DayReport[]): PlaybackTally {
  const sum = (pick: (day: DayReport) => number) => days.reduce((all, day) => all + pick(day), 0)
  const isNew = ({ status }: DayReport) => status !== 'unchanged'
  return {
    produced: sum(({ lines }) => lines),
    accepted: sum((day) => (isNew(day) ? day.rows + day.dead : 0)),
    duplicates: sum((day) => (isNew(day) ? day.duplicates : day.lines)),
    rejected: 0,
  }
}

function reportedValues(outcomes: readonly DayOutcome[]): DaysReport['reported'] {
  const reported: Record<string, Record<string, Record<string, number>>> = {}
  for (const outcome of outcomes) {
    if (outcome.status !== 'loaded' && outcome.status !== 'replaced') continue
    const ofFiles = reported[outcome.unit.files.name] ?? {}
    reported[outcome.unit.files.name] = ofFiles
    for (const [name, values] of Object.entries(outcome.values)) {
      const counts = ofFiles[name] ?? {}
      ofFiles[name] = counts
      for (const { value, count } of values) counts[value] = (counts[value] ?? 0) + count
    }
  }
  const inOrder = (counts: Record<string, number>) =>
    Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a))
  return Object.fromEntries(
    Object.entries(reported).map(([files, byName]) => [
      files,
      Object.fromEntries(Object.entries(byName).map(([name, counts]) => [name, inOrder(counts)])),
    ]),
  )
}

/** Says after each day how fast it goes and how long it will take, by the bytes that are left. */
export function dayProgress(
  units: readonly DayUnit[],
  say: (line: string) => void,
): (outcome: DayOutcome) => void {
  const startMs = performance.now()
  const total = units.reduce((sum, { bytes }) => sum + bytes, 0)
  let bytes = 0
  let lines = 0
  return (outcome) => {
    bytes += outcome.unit.bytes
    if (outcome.status !== 'failed') lines += outcome.counts.lines
    const seconds = (performance.now() - startMs) / 1_000
    const leftSeconds = bytes === 0 ? 0 : (seconds * (total - bytes)) / bytes
    say(
      `${outcome.unit.files.name} ${outcome.unit.day}: ${lines.toLocaleString('en')} rows, ` +
        `${Math.round(lines / seconds).toLocaleString('en')} rows/s, ${Math.ceil(leftSeconds)} s left`,
    )
  }
}
