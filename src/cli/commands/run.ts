import { setTimeout as sleep } from 'node:timers/promises'
import { type RunDetailView, runDetailView, runTaskView, taskView } from '../../api/run-views.ts'
import type { RunTask } from '../../model/run.ts'
import type { Task } from '../../model/task.ts'
import { homeAt, homeUse, type RunningPlatform } from '../../orchestrator/home.ts'
import type { Platform } from '../../orchestrator/platform.ts'
import {
  type RunWish,
  requestOf,
  scheduleNamed,
  wishOfSchedule,
} from '../../orchestrator/runs/run-wish.ts'
import { SELECTOR_HELP, selectTasks } from '../../orchestrator/runs/select-tasks.ts'
import { taskGraph } from '../../orchestrator/runs/task-graph.ts'
import { schedulesOf } from '../../orchestrator/schedules/schedules-of.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { textOption, wholeNumber } from '../numbers.ts'
import { loadProject, type Project } from '../project.ts'
import { askedOf } from '../running-platform.ts'
import { factsText, runText } from '../runs/run-text.ts'
import { untilFree } from '../until-free.ts'
import { withPlatform } from '../with-platform.ts'

export const run: Command = {
  name: 'run',
  summary: 'run models, syncs, maintenance and other tasks, in order, once, now',
  usage: 'run [SELECTOR…] [--full-refresh] [--from DAY --to DAY]',
  about: `
Carries out the tasks that the selectors name, each after those it waits for; without a selector every task but maintenance. A selector is
${SELECTOR_HELP}.
A task that fails is tried again; what depends on it is left out, and the rest goes on. Where a platform runs on this home, the run goes
there, and Ctrl+C stops only the looking on; where none runs, records that are in the log are carried first, and Ctrl+C interrupts the run:
what was done stays done, and "mekong run --resume" goes on with it, as it does after a crash. Exit code 1 when a task failed.`,
  options: {
    'full-refresh': { type: 'boolean', doc: 'Make everything anew, whatever was done before.' },
    from: { type: 'string', value: 'DAY', doc: 'Only days from this one (YYYY-MM-DD); with --to.' },
    to: { type: 'string', value: 'DAY', doc: 'Only days up to this one, inclusive.' },
    'logical-time': {
      type: 'string',
      value: 'INSTANT',
      doc: 'The moment the run is for (default now).',
    },
    retries: { type: 'string', value: 'N', doc: 'Attempts of a task after its first (default 1).' },
    timeout: { type: 'string', value: 'SECONDS', doc: 'For one attempt (default six hours).' },
    schedule: {
      type: 'string',
      value: 'ID',
      doc: 'Instead of selectors: what a schedule runs (pipeline/name), as it says.',
    },
    wait: {
      type: 'string',
      value: 'SECONDS',
      doc: 'Wait so long for another command to let go of the home (default 0).',
    },
    resume: { type: 'boolean', doc: 'Go on with the runs that were interrupted.' },
    'dry-run': { type: 'boolean', doc: 'Only list what would run, in order.' },
  },
  examples: [
    ['mekong run', 'everything'],
    ['mekong run github-events', 'the models of one pipeline'],
    ['mekong run +gold.github_user_activity', 'one model and what it needs'],
    ['mekong run tag:hourly --json', 'for a script'],
    ['mekong run maintain/bronze.user_events', 'maintenance of a table'],
    ['mekong run --resume', 'after a crash'],
  ],

  async run(context) {
    const project = await loadProject(context)
    const wish = wishOf(context, project)
    const use = homeUse(homeAt(project.homeFolder))
    return use.status === 'running'
      ? runThere(context, use.running)
      : runHere(context, project, wish)
  },
}

function wishOf({ args, options }: CommandContext, { plans, settings }: Project): RunWish {
  const retries = wholeNumber(options.retries, '--retries')
  const timeout = wholeNumber(options.timeout, '--timeout')
  const [from, to, time] = ['from', 'to', 'logical-time'].map((name) => textOption(options[name]))
  const isDay = (day: string) => /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day))
  if ((from === undefined) !== (to === undefined)) throw new UsageError('Give --from and --to.')
  if (from !== undefined && !(isDay(from) && isDay(to!) && from <= to!))
    throw new UsageError('--from and --to take days as YYYY-MM-DD, in order.')
  const logicalMs = time === undefined ? undefined : Date.parse(time)
  if (Number.isNaN(logicalMs))
    throw new UsageError('--logical-time takes an instant, such as 2026-01-01T00:00:00Z.')
  if (options.resume === true && args.length > 0)
    throw new UsageError('--resume goes on with what was interrupted; name no tasks beside it.')
  const id = textOption(options.schedule)
  if (id !== undefined && args.length > 0)
    throw new UsageError('Name tasks or a schedule, not both.')
  const scheduled: Pick<RunWish, 'limits'> =
    id === undefined ? {} : wishOfSchedule(scheduleNamed(schedulesOf(plans, settings), id))
  return {
    selectors: args,
    ...scheduled,
    fullRefresh: options['full-refresh'] === true,
    logicalMs,
    range: from === undefined ? undefined : { from, to: to! },
    limits: {
      ...scheduled.limits,
      ...(retries === undefined ? {} : { retries }),
      ...(timeout === undefined ? {} : { timeoutMs: Math.max(1, timeout) * 1_000 }),
    },
  }
}

function runHere(context: CommandContext, project: Project, wish: RunWish): Promise<number> {
  const { signal, options, terminal } = context
  const onTask = (_run: unknown, task: RunTask) => sayTask(context, task)
  const work = async (platform: Platform) => {
    const { runner, clock } = platform
    if (options['dry-run'] === true) {
      return listTasks(context, selectTasks(runner.graph, wish.selectors ?? []).map(taskView))
    }
    terminal.progress('carrying what is in the log')
    await platform.drained(signal)
    signal.throwIfAborted()
    // Whoever calls by schedule calls again, and nobody else would go on with what was interrupted.
    const goesOn = options.resume === true || options.schedule !== undefined
    const ids = goesOn ? [...(await runner.resumeInterrupted())] : []
    if (options.resume !== true) ids.push((await runner.start(requestOf(wish, clock.nowMs()))).id)
    const stop = () => void runner.stop()
    signal.addEventListener('abort', stop, { once: true })
    const details: RunDetailView[] = []
    for (const id of ids) details.push(runDetailView(await runner.ended(id)))
    return show(context, details)
  }
  return untilFree(context, () =>
    withPlatform(context, project, work, {}, { openGateway: false, onTask }),
  )
}

async function runThere(context: CommandContext, running: RunningPlatform): Promise<number> {
  const { args, options } = context
  const ask = <T>(path: string, body?: unknown) =>
    askedOf<T>(running, context, body === undefined ? { path } : { method: 'POST', path, body })
  if (options['dry-run'] === true) {
    const { tasks } = await ask<{ tasks: readonly Omit<Task, 'run'>[] }>('/v1/tasks')
    const graph = taskGraph(tasks.map((task) => ({ ...task, run: notHere })))
    return listTasks(context, selectTasks(graph, args).map(taskView))
  }
  if (options.resume === true) {
    const { runs } = await ask<{ runs: RunDetailView[] }>('/v1/runs?status=interrupted')
    const resumed: RunDetailView[] = []
    for (const { id } of runs) {
      await ask(`/v1/runs/${id}/resume`, {})
      resumed.push(await lookOn(context, ask, id))
    }
    return show(context, resumed)
  }
  const text = (name: string) => textOption(options[name])
  const { id } = await ask<RunDetailView>('/v1/runs', {
    selectors: args,
    schedule: text('schedule'),
    full_refresh: options['full-refresh'] === true,
    from: text('from'),
    to: text('to'),
    logical_time: text('logical-time'),
    retries: wholeNumber(options.retries, '--retries'),
    timeout_seconds: wholeNumber(options.timeout, '--timeout'),
  })
  return show(context, [await lookOn(context, ask, id)])
}

const notHere = () => Promise.reject(new Error('This task runs in the platform.'))

const LOOK_INTERVAL_MS = 500

/** Look on until a run of the running platform is over. */
async function lookOn(
  context: CommandContext,
  ask: <T>(path: string) => Promise<T>,
  id: string,
): Promise<RunDetailView> {
  const seen = new Map<string, string>()
  while (true) {
    const detail = await ask<RunDetailView>(`/v1/runs/${id}`)
    for (const task of detail.tasks) {
      if (seen.get(task.id) !== task.status && task.status !== 'waiting') sayView(context, task)
      seen.set(task.id, task.status)
    }
    if (detail.status !== 'running') return detail
    await sleep(LOOK_INTERVAL_MS, undefined, { signal: context.signal })
  }
}

const sayTask = (context: CommandContext, task: RunTask) => sayView(context, runTaskView(task))

function sayView(
  { terminal, options }: CommandContext,
  task: RunDetailView['tasks'][number],
): void {
  if (task.status === 'running') terminal.progress(`${task.id} ${factsText(task)}`)
  else if (options.json !== true) terminal.note(`${task.id}: ${task.status} ${factsText(task)}`)
}

function listTasks(
  { terminal, options }: CommandContext,
  tasks: readonly ReturnType<typeof taskView>[],
): number {
  if (options.json === true) terminal.printJson({ ok: true, tasks })
  else
    terminal.table(
      ['task', 'kind', 'pipeline', 'after', 'tags'],
      tasks.map((t) => [t.id, t.kind, t.pipeline, t.after.join(', '), t.tags.join(', ')]),
    )
  return EXIT.ok
}

function show(
  { terminal, options, signal }: CommandContext,
  runs: readonly RunDetailView[],
): number {
  const ok = runs.every(({ status }) => status === 'succeeded')
  const [only] = runs
  if (options.json === true) {
    terminal.printJson(runs.length === 1 ? { ok, ...only } : { ok, runs })
  } else if (only === undefined) terminal.print('No run was interrupted.')
  else terminal.print(runs.map(runText).join('\n\n'))
  if (signal.aborted) return EXIT.interrupted
  return ok ? EXIT.ok : EXIT.failed
}
