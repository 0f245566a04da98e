import path from 'node:path'
import type { Platform } from '../../orchestrator/platform.ts'
import type { PipelinePlan, SimulatedRequest } from '../../pipeline/plan.ts'
import type { ComputeEngine } from '../../sql/duckdb/engine.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { type DaysReport, loadDayFiles } from '../load-days.ts'
import { type PlaybackTally, play, together } from '../playback.ts'
import { loadProject } from '../project.ts'
import { type PipelineReport, pipelineReport, publishedRows, reportTable } from '../report.ts'
import { NOTHING_RAN, runTasks } from '../runs/run-tasks.ts'
import { referenceRows, requestsOf } from '../source-events.ts'
import { type LoadTask, loadTasks } from '../source-files.ts'
import { withPlatform } from '../with-platform.ts'

/** A statement of a few hundred kilobytes. */
const REFERENCE_ROWS_PER_PUT = 5_000

export const load: Command = {
  name: 'load',
  summary: 'play files into a pipeline, through its front door, and say what became of every row',
  usage: 'load PIPELINE FILE|FOLDER…',
  about: `
Reads files as the pipeline says, and folders for all files in them that it can read. Rows of event files are sent through the real front door; day
files go straight into their table, a day that comes again with other content replaces that day. Waits until everything has arrived, runs the tasks of the
pipeline (models, publishes, syncs; not maintenance), and prints what became of it all. Loading a file twice adds nothing. The platform must not be running on this home.`,
  options: { 'no-run': { type: 'boolean', doc: 'Only load; run no tasks afterwards.' } },
  examples: [
    ['mekong load user-events ratings.csv.gz', 'ratings become rate events'],
    ['mekong load ott data/log_content data/log_search', 'every day file in two folders'],
    ['mekong load user-events *.csv.gz --home DIR --json', 'the same for a script'],
  ],

  async run(context) {
    const [name, ...files] = context.args
    const project = await loadProject(context)
    const plan = project.plans.find((known) => known.name === name)
    if (plan === undefined) {
      const known = project.plans.map((p) => p.name).join(', ')
      throw new UsageError(
        `Name a pipeline: ${known}${name === undefined ? '' : `; there is no "${name}"`}`,
      )
    }
    if (files.length === 0) throw new UsageError('Name at least one file or folder')
    const paths = files.map((file) => path.resolve(context.cwd, file))
    const tasks = await loadTasks(plan, paths)
    // A port of its own: nobody else needs to find the door.
    return withPlatform(
      context,
      project,
      async (platform) => {
        const { report: loaded, days } = await loadFiles(context, platform, plan, tasks)
        const ran =
          context.options['no-run'] === true
            ? NOTHING_RAN
            : await runTasks(context, platform, { pipeline: plan.name, trigger: 'load' })
        const report = { ...loaded, served: loaded.served + publishedRows(ran.tasks) }
        const ok = report.balanced && ran.ok && days.days.every(({ status }) => status !== 'failed')
        if (context.options.json === true) {
          const facts = plan.files.length === 0 ? {} : { days: days.days, reported: days.reported }
          context.terminal.printJson({
            ...{ ok, ...report, files: fileCount(tasks), ...facts, tasks: ran.tasks },
          })
        } else
          context.terminal.print(
            [reportTable([report]), ...reportedLines(days), ...ran.lines].join('\n'),
          )
        return ok ? EXIT.ok : EXIT.failed
      },
      { port: 0 },
    )
  },
}

async function loadFiles(
  context: CommandContext,
  platform: Platform,
  plan: PipelinePlan,
  tasks: readonly LoadTask[],
): Promise<{ readonly report: PipelineReport; readonly days: DaysReport }> {
  const startMs = performance.now()
  await loadReferences(context, platform, plan, tasks)
  const dayPaths = tasks.flatMap((task) => (task.kind === 'day' ? [task.file] : []))
  const days = await loadDayFiles(context, platform, plan, dayPaths)
  const played = await play({
    url: platform.url!,
    apiKey: context.variables.MEKONG_API_KEY,
    requests: allRequests(platform.engine, tasks),
    signal: context.signal,
    onProgress: (sent) => progress(context, sent, startMs),
  })
  context.terminal.progress('waiting for the last records to arrive')
  await platform.drained(context.signal)
  context.terminal.progress('')
  const seconds = (performance.now() - startMs) / 1_000
  const tally = together(played, days.tally)
  return { days, report: pipelineReport({ plan, tally, ledger: await platform.ledger(), seconds }) }
}

/** Reference data is there before the first event that needs it. */
async function loadReferences(
  { terminal }: CommandContext,
  platform: Platform,
  plan: PipelinePlan,
  tasks: readonly LoadTask[],
): Promise<void> {
  let count = 0
  for (const task of tasks) {
    if (task.kind !== 'folder') continue
    for (const [reference, sql] of Object.entries(task.loader.references ?? {})) {
      let rows: Readonly<Record<string, unknown>>[] = []
      const put = async () => {
        count += await platform.references.put(plan.name, reference, rows)
        terminal.progress(`${count.toLocaleString('en')} reference rows put in place`)
        rows = []
      }
      for await (const chunk of referenceRows(platform.engine, task.files, sql)) {
        rows.push(...chunk)
        if (rows.length >= REFERENCE_ROWS_PER_PUT) await put()
      }
      if (rows.length > 0) await put()
    }
  }
  if (count > 0) await platform.references.sync()
}

async function* allRequests(
  engine: ComputeEngine,
  tasks: readonly LoadTask[],
): AsyncGenerator<SimulatedRequest> {
  for (const task of tasks) if (task.kind !== 'day') yield* requestsOf(engine, task)
}

const fileCount = (tasks: readonly LoadTask[]) =>
  tasks.flatMap((task) => (task.kind === 'folder' ? Object.values(task.files).flat() : [task.file]))
    .length

/** Values shown to a person; all of them are in the JSON. */
const SHOWN_VALUE_COUNT = 5

function reportedLines({ reported }: DaysReport): string[] {
  return Object.entries(reported).flatMap(([files, byName]) =>
    Object.entries(byName).flatMap(([name, counts]) => {
      const values = Object.entries(counts)
      if (values.length === 0) return []
      const shown = values
        .slice(0, SHOWN_VALUE_COUNT)
        .map(([value, count]) => `${value} (${count.toLocaleString('en')})`)
      const more = values.length - shown.length
      return `${files}: ${name.replaceAll('_', ' ')}: ${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''}`
    }),
  )
}

function progress(
  { terminal }: CommandContext,
  { produced }: PlaybackTally,
  startMs: number,
): void {
  const seconds = (performance.now() - startMs) / 1_000
  terminal.progress(
    `${produced.toLocaleString('en')} rows sent, ${Math.round(produced / seconds).toLocaleString('en')} rows/s`,
  )
}
