import path from 'node:path'
import { apiRoutes } from '../../api/routes.ts'
import { type LockedHome, lockHome } from '../../orchestrator/home.ts'
import { startPlatform } from '../../orchestrator/platform.ts'
import type { SimulatedRequest } from '../../pipeline/plan.ts'
import type { ComputeEngine } from '../../sql/duckdb/engine.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { type PlaybackTally, play } from '../playback.ts'
import { loadProject } from '../project.ts'
import { pipelineReport, reportTable } from '../report.ts'
import { checkFiles, loaderOf, requestsOf } from '../source-files.ts'

export const load: Command = {
  name: 'load',
  summary: 'play files into a pipeline, through its front door, and say what became of every row',
  usage: 'load PIPELINE FILE…',
  about: `
Reads files as the pipeline's loaders say, sends their rows as events through the real front door, waits until everything has arrived,
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
    if (files.length === 0) throw new UsageError('Name at least one file')
    const paths = files.map((file) => path.resolve(context.cwd, file))
    await checkFiles(paths)
    const loaders = paths.map((file) => loaderOf(plan.loaders, file))
    const home: LockedHome = lockHome(project.homeFolder)
    try {
      const platform = await startPlatform({
        home,
        // A port of its own: nobody else needs to find the door.
        settings: { ...project.settings, port: 0 },
        plans: project.plans,
        routes: apiRoutes,
        onNotice: context.terminal.note,
      })
      try {
        const startMs = performance.now()
        const requests = allRequests(platform.engine, loaders, paths)
        const tally = await play({
          url: platform.url!,
          apiKey: context.variables.MEKONG_API_KEY,
          requests,
          signal: context.signal,
          onProgress: (sent) => progress(context, sent, startMs),
        })
        context.terminal.progress('waiting for the last records to arrive')
        await platform.drained(context.signal)
        context.terminal.progress('')
        const seconds = (performance.now() - startMs) / 1_000
        const report = pipelineReport({ plan, tally, ledger: await platform.ledger(), seconds })
        const { rejected } = tally
        if (context.options.json === true) {
          context.terminal.printJson({
            ok: report.balanced,
            ...report,
            rejected,
            files: files.length,
          })
        } else context.terminal.print(reportTable([report]))
        return report.balanced ? EXIT.ok : EXIT.failed
      } finally {
        await platform.stop()
      }
    } finally {
      home.release()
    }
  },
}

async function* allRequests(
  engine: ComputeEngine,
  loaders: readonly ReturnType<typeof loaderOf>[],
  paths: readonly string[],
): AsyncGenerator<SimulatedRequest> {
  for (const [index, file] of paths.entries()) yield* requestsOf(engine, loaders[index]!, file)
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
