import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { Checkpoint } from '../../collect/checkpoint.ts'
import {
  type CollectReport,
  collect as collectAll,
  type Delivered,
} from '../../collect/collect-run.ts'
import { sourceClient } from '../../collect/source-client.ts'
import type { CollectedEvent } from '../../model/collect.ts'
import { homeAt, homeUse } from '../../orchestrator/home.ts'
import type { CollectorPlan } from '../../pipeline/collector.ts'
import type { PipelinePlan } from '../../pipeline/plan.ts'
import { collectorVariables, collectRequest } from '../collect-request.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { textOption, wholeNumber } from '../numbers.ts'
import { play } from '../playback.ts'
import { loadProject, type Project } from '../project.ts'
import { NOTHING_RAN, type RanTasks, runTasks } from '../runs/run-tasks.ts'
import { tableText } from '../terminal.ts'
import { withPlatform } from '../with-platform.ts'

export const collect: Command = {
  name: 'collect',
  summary: "fetch a pipeline's records from their source on the network, through the front door",
  usage: 'collect PIPELINE [--types A,B] [--changes | --since DATE | --ids 1,2] [--limit N]',
  about: `
Lists what the source has, or what changed there, and fetches it item by item within the rate that the source allows; asks again, with growing pauses, when the source is
away or busy, and rests as long as it says. What was fetched is remembered in the home folder: a run that was stopped or killed goes on where it was, nothing is fetched twice
and nothing is sent twice. What is as it was when it was last sent is not sent again. Records go through the real front door: of the platform that runs on this home, or of
one started for this, which runs the pipeline's tasks afterwards. Keys come from the environment; the pipeline's README names them.`,
  options: {
    types: {
      type: 'string',
      value: 'A,B',
      doc: 'What to collect (default: everything the collector knows).',
    },
    changes: { type: 'boolean', doc: 'What changed since changes were last collected.' },
    since: { type: 'string', value: 'DATE', doc: 'What changed since a UTC day, YYYY-MM-DD.' },
    ids: { type: 'string', value: '1,2', doc: 'These alone; needs one type.' },
    limit: { type: 'string', value: 'N', doc: 'Fetch at most so many now; the rest stays listed.' },
    rate: {
      type: 'string',
      value: 'N',
      doc: 'Requests per second at most (default: as the pipeline says).',
    },
    out: {
      type: 'string',
      value: 'DIR',
      doc: 'Keep the records as JSON lines too, a file for each type.',
    },
    'files-only': {
      type: 'boolean',
      doc: 'With --out: write files and send nothing. The folder remembers what it has.',
    },
    'no-run': { type: 'boolean', doc: 'Run no tasks afterwards.' },
  },
  examples: [
    ['mekong collect catalog --limit 1000', 'the thousand most popular that are not here yet'],
    ['mekong collect catalog --changes', 'what changed since the last time'],
    ['mekong collect catalog --types movie --ids 603,604', 'two movies'],
    [
      'mekong collect catalog --types tv --out tmdb --files-only',
      'series into files, for "mekong load"',
    ],
  ],

  async run(context) {
    const project = await loadProject(context)
    const plan = collectedPlan(project, context.args)
    const work = {
      ...{ context, collector: plan.collector, pipeline: plan.name },
      request: collectRequest(plan.collector, context.options, Date.now()),
      variables: collectorVariables(plan.collector, context.variables),
      outFolder: outFolder(context),
    }
    if (context.options['files-only'] === true) {
      const { outFolder: folder } = work
      if (folder === undefined) throw new UsageError('--files-only needs --out DIR')
      const checkpoint = path.join(folder, `.${plan.name}-collected.sqlite`)
      return show(context, await collectInto(work, checkpoint, undefined), NOTHING_RAN)
    }
    const home = homeAt(project.homeFolder)
    const checkpoint = path.join(home.path, 'collected', `${plan.name}.sqlite`)
    const use = homeUse(home)
    if (use.status === 'running') {
      const report = await collectInto(work, checkpoint, use.running.url)
      context.terminal.note(
        `The platform at ${use.running.url} has the records. "mekong run ${plan.name}" runs their tasks now.`,
      )
      return show(context, report, NOTHING_RAN)
    }
    return withPlatform(
      context,
      project,
      async (platform) => {
        const report = await collectInto(work, checkpoint, platform.url)
        await platform.drained(context.signal)
        const isRun = context.options['no-run'] !== true
        const trigger = { pipeline: plan.name, trigger: 'load' } as const
        const ran = isRun ? await runTasks(context, platform, trigger) : NOTHING_RAN
        return show(context, report, ran)
      },
      { port: 0 },
    )
  },
}

interface CollectWork {
  readonly context: CommandContext
  readonly pipeline: string
  readonly collector: CollectorPlan
  readonly request: ReturnType<typeof collectRequest>
  readonly variables: ReturnType<typeof collectorVariables>
  readonly outFolder: string | undefined
}

function collectedPlan(
  { plans }: Project,
  [name]: readonly string[],
): PipelinePlan & { readonly collector: CollectorPlan } {
  const plan = plans.find((known) => known.name === name)
  const { collector } = plan ?? {}
  if (plan !== undefined && collector !== undefined) return { ...plan, collector }
  const known = plans.filter((each) => each.collector !== undefined).map((each) => each.name)
  throw new UsageError(`Name a pipeline that collects: ${known.join(', ') || 'there is none'}`)
}

function outFolder({ options, cwd }: CommandContext): string | undefined {
  const out = textOption(options.out)
  if (out === undefined) return undefined
  const folder = path.resolve(cwd, out)
  mkdirSync(folder, { recursive: true })
  return folder
}

async function collectInto(
  { context, collector, pipeline, request, variables, outFolder: out }: CollectWork,
  checkpointFile: string,
  url: string | undefined,
): Promise<CollectReport> {
  const { terminal, signal, options } = context
  const { requestsAtOnce, requestsPerSecond } = collector.limits
  const rate = wholeNumber(options.rate, '--rate') ?? requestsPerSecond
  if (rate === 0) throw new UsageError('--rate must be above 0')
  const itemCountMax = wholeNumber(options.limit, '--limit')
  const checkpoint = new Checkpoint(checkpointFile)
  let waits = ''
  const onWait = (reason: string, ms: number) => {
    waits = `; waited ${(ms / 1_000).toFixed(1)} s: ${reason}`
  }
  try {
    return await collectAll({
      ...{ request, checkpoint, requestsAtOnce, itemCountMax, outFolder: out, signal },
      collector: collector.open(variables),
      source: sourceClient({ requestsPerSecond: rate, signal, onWait }),
      ...(url === undefined ? {} : { deliver: (events) => deliver(context, url, events) }),
      onProgress: progressOf(terminal.progress, pipeline, () => waits),
    })
  } finally {
    checkpoint.close()
    terminal.progress('')
  }
}

/** One request for each door. */
async function deliver(
  { variables, signal }: CommandContext,
  url: string,
  events: readonly CollectedEvent[],
): Promise<Delivered> {
  const byPath = Map.groupBy(events, ({ path: door }) => door)
  const requests = [...byPath].map(([door, of]) => ({ path: door, events: of.map((e) => e.event) }))
  const sent = await play({ url, apiKey: variables.MEKONG_API_KEY, requests, signal })
  const { accepted, duplicates, rejected } = sent
  return { accepted, duplicates, rejected }
}

function progressOf(say: (line: string) => void, pipeline: string, waits: () => string) {
  const startMs = performance.now()
  return ({ listed, fetched, gone, failed }: CollectReport) => {
    const seconds = (performance.now() - startMs) / 1_000
    const rate = (fetched / Math.max(seconds, 0.1)).toFixed(1)
    say(
      `${pipeline}: ${listed.toLocaleString('en')} listed, ${fetched.toLocaleString('en')} fetched, ${gone} gone, ${failed} failed, ${rate}/s${waits()}`,
    )
  }
}

function show({ terminal, options }: CommandContext, report: CollectReport, ran: RanTasks): number {
  const ok = report.failed === 0 && ran.ok
  if (options.json === true) {
    terminal.printJson({ ok, ...report, tasks: ran.tasks })
    return ok ? EXIT.ok : EXIT.failed
  }
  const { listed, fetched, unchanged, gone, accepted, duplicates, rejected, failed, left } = report
  const counts = { listed, fetched, unchanged, gone, accepted, duplicates, rejected, failed, left }
  const lines = [
    tableText(Object.keys(counts), [Object.values(counts)]),
    ...report.files.map((file) => `Written: ${file}`),
    ...report.failures.map(({ type, key, message }) => `Not had: ${type} ${key}: ${message}`),
    ...(left === 0 ? [] : ['Run the same command again for what is left.']),
    ...ran.lines,
  ]
  terminal.print(lines.join('\n'))
  return ok ? EXIT.ok : EXIT.failed
}
