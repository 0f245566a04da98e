import path from 'node:path'
import type { Platform } from '../../orchestrator/platform.ts'
import type { PipelinePlan, SimulatorOptions } from '../../pipeline/plan.ts'
import { type Command, type CommandContext, EXIT } from '../command.ts'
import { loadDayFiles } from '../load-days.ts'
import { wholeNumber } from '../numbers.ts'
import { type PlaybackTally, play, together } from '../playback.ts'
import { loadProject } from '../project.ts'
import { type PipelineReport, pipelineReport, publishedRows, reportTable } from '../report.ts'
import { type RanTasks, runTasks } from '../runs/run-tasks.ts'
import { writeSimulatedFiles } from '../simulated-files.ts'
import type { Terminal } from '../terminal.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { withPlatform } from '../with-platform.ts'

export const demo: Command = {
  name: 'demo',
  summary: 'start everything, play the simulators through the front door, show what happened',
  usage: 'demo [--exit] [--events N] [--seed N]',
  about: `
Starts the whole platform on this machine, plays each pipeline's simulator through its real front door, waits until every record
has arrived, runs each pipeline's tasks, and prints what became of them. Then it stays up until Ctrl+C. Running it again adds nothing: the same events are the
same records.`,
  options: {
    exit: {
      type: 'boolean',
      doc: 'Stop once the table is printed; exit code 1 when something does not balance.',
    },
    events: {
      type: 'string',
      value: 'N',
      doc: 'Events to play for each pipeline (default: as the pipeline says).',
    },
    seed: { type: 'string', value: 'N', doc: 'Seed of the simulators (default 1).' },
  },
  examples: [
    ['mekong demo', 'the first minute'],
    ['mekong demo --exit --json', 'the same for a script'],
  ],

  async run(context) {
    const { terminal, options, signal } = context
    const project = await loadProject(context)
    const seed = wholeNumber(options.seed, '--seed') ?? 1
    const eventCount = wholeNumber(options.events, '--events')
    const quiet = options.json === true
    const note = quiet ? () => {} : terminal.note
    note(`Starting in ${project.homeFolder}: log, lake, compute, PostgreSQL …`)
    return withPlatform(context, project, async (platform) => {
      note(`Listening on ${platform.url}`)
      const reports: (PipelineReport & Pick<RanTasks, 'tasks'>)[] = []
      const lines: string[] = []
      let ran = true
      for (const plan of project.plans) {
        if (plan.simulator === undefined) continue
        const report = await playPipeline(platform, plan.name, {
          ...{ seed, eventCount, signal, terminal },
        })
        const tasks = await runTasks(context, platform, { pipeline: plan.name, trigger: 'demo' })
        reports.push({
          ...report,
          served: report.served + publishedRows(tasks.tasks),
          tasks: tasks.tasks,
        })
        lines.push(...tasks.lines)
        ran &&= tasks.ok
      }
      const ok = ran && reports.every(({ balanced }) => balanced)
      if (quiet) {
        const pipelines = reports.map(({ pipeline, ...rest }) => [pipeline, rest])
        terminal.printJson({ ok, pipelines: Object.fromEntries(pipelines) })
      } else terminal.print([reportTable(reports), ...lines].join('\n'))
      if (options.exit !== true) {
        if (!quiet) terminal.print(nextSteps(platform))
        await untilInterrupted(signal, note)
      }
      return ok ? EXIT.ok : EXIT.failed
    })
  },
}

interface PlayOptions {
  readonly seed: number
  readonly eventCount: number | undefined
  readonly signal: AbortSignal
  readonly terminal: Terminal
}

async function playPipeline(
  platform: Platform,
  name: string,
  { seed, eventCount, signal, terminal }: PlayOptions,
): Promise<PipelineReport> {
  const plan = platform.plans.find((known) => known.name === name)!
  const simulator = plan.simulator!
  const total = eventCount ?? simulator.eventCountDefault
  const startMs = performance.now()
  const references = Object.entries(simulator.references?.() ?? {})
  for (const [reference, rows] of references) await platform.references.put(name, reference, rows)
  if (references.length > 0) await platform.references.sync()
  const options = { seed, eventCount: total, nowMs: Date.now() }
  const days = await playFiles(platform, plan, options, { signal, terminal })
  const played = await play({
    url: platform.url!,
    requests: simulator.requests?.(options) ?? [],
    signal,
    onProgress: ({ produced }) => terminal.progress(`${name}: ${produced} of ${total} events sent`),
  })
  terminal.progress(`${name}: waiting for the last records to arrive`)
  await platform.drained(signal)
  terminal.progress('')
  return pipelineReport({
    plan,
    tally: together(played, days),
    ledger: await platform.ledger(),
    seconds: (performance.now() - startMs) / 1_000,
  })
}

/** A source of files is written into files first, and loaded as anybody's would be. */
async function playFiles(
  platform: Platform,
  plan: PipelinePlan,
  options: SimulatorOptions,
  context: Pick<CommandContext, 'signal' | 'terminal'>,
): Promise<PlaybackTally> {
  const files = plan.simulator?.files?.(options) ?? []
  context.terminal.progress(`${plan.name}: writing its files`)
  const folder = path.join(platform.folder, 'simulated', plan.name)
  const paths = await writeSimulatedFiles(platform.engine, folder, files)
  return (await loadDayFiles(context, platform, plan, paths)).tally
}

function nextSteps({ url, psqlCommand }: Platform): string {
  const event = '{"user_id":123,"movie_id":456,"event_type":"click","timestamp":1701234567890}'
  return [
    '',
    'Three things to try next, from another terminal:',
    `  curl -i ${url}/events -H 'content-type: application/json' -d '${event}'`,
    `  bin/mekong sql "select event_type, count(*) from bronze.user_events group by all"`,
    `  ${psqlCommand} -c 'select * from get_recent_events(1)'`,
    '',
    `API: ${url}/docs   metrics: ${url}/metrics   stop: Ctrl+C`,
  ].join('\n')
}
