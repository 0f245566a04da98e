import path from 'node:path'
import type { Platform } from '../../orchestrator/platform.ts'
import type { PipelinePlan, SimulatedRequest } from '../../pipeline/plan.ts'
import type { ComputeEngine } from '../../sql/duckdb/engine.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { type PlaybackTally, play } from '../playback.ts'
import { loadProject } from '../project.ts'
import { type PipelineReport, pipelineReport, reportTable } from '../report.ts'
import { requestsOf } from '../source-events.ts'
import { type LoadTask, loadTasks } from '../source-files.ts'
import { withPlatform } from '../with-platform.ts'

export const load: Command = {
  name: 'load',
  summary: 'play files into a pipeline, through its front door, and say what became of every row',
  usage: 'load PIPELINE FILE|FOLDER…',
  about: `
Reads files, or the files of a folder, as the pipeline's loaders say, sends their rows as events through the real front door, waits until everything has arrived,
and prints what became of it. Events have ids made from their content, so loading a file twice adds nothing. The platform must not be
running on this home.`,
  options: {},
  examples: [
    ['mekong load user-events ratings.csv.gz', 'ratings become rate events'],
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
    const tasks = await loadTasks(plan.loaders, paths)
    // A port of its own: nobody else needs to find the door.
    return withPlatform(
      context,
      project,
      async (platform) => {
        const report = await loadFiles(context, platform, plan, tasks)
        if (context.options.json === true) {
          context.terminal.printJson({ ok: report.balanced, ...report, files: fileCount(tasks) })
        } else context.terminal.print(reportTable([report]))
        return report.balanced ? EXIT.ok : EXIT.failed
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
): Promise<PipelineReport> {
  const startMs = performance.now()
  const tally = await play({
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
  return pipelineReport({ plan, tally, ledger: await platform.ledger(), seconds })
}

async function* allRequests(
  engine: ComputeEngine,
  tasks: readonly LoadTask[],
): AsyncGenerator<SimulatedRequest> {
  for (const task of tasks) yield* requestsOf(engine, task)
}

const fileCount = (tasks: readonly LoadTask[]) =>
  tasks.flatMap((task) => (task.kind === 'file' ? [task.file] : Object.values(task.files).flat()))
    .length

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
