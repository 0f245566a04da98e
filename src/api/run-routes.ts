import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { RUN_STATUSES, type RunRequest } from '../model/run.ts'
import type { TaskRange } from '../model/task.ts'
import type { Platform } from '../orchestrator/platform.ts'
import {
  type RunWish,
  requestAgain,
  requestOf,
  scheduleNamed,
  wishOfSchedule,
} from '../orchestrator/runs/run-wish.ts'
import { SELECTOR_HELP, selectTasks } from '../orchestrator/runs/select-tasks.ts'
import { nextRuns } from '../orchestrator/schedules/due-run.ts'
import { type Schedule, schedulesOf } from '../orchestrator/schedules/schedules-of.ts'
import { apiRoute } from './exchange.ts'
import { queryCount, queryValue, readJsonObject, refusal } from './read-request.ts'
import { runDetailView, runLineView, runView, scheduleView, taskView } from './run-views.ts'

const LIST_SIZE = { otherwise: 20, max: 1_000 }
const NEXT_COUNT = 3
const LOG_SIZE = { otherwise: 1_000, max: 100_000 }

/** Runs over HTTP: begin, look, stop. */
export function runRoutes({ runner, scheduler, clock, plans }: Platform): readonly HttpRoute[] {
  const { store, graph } = runner
  const found = async ({ params }: HttpExchange) => store.find(params.id!)
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/tasks',
      summary: 'Everything that can be run: models, syncs, maintenance, steps, in order',
      query: { select: `Only what these selectors name, with commas between: ${SELECTOR_HELP}.` },
      async answer(exchange) {
        const selectors = queryValue(exchange, 'select')?.split(',')
        const tasks = selectors === undefined ? graph.tasks : selectTasks(graph, selectors)
        return { tasks: tasks.map(taskView) }
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/schedules',
      summary: 'What runs when; empty where this platform begins no runs by itself',
      answer: async () => ({
        schedules: (scheduler?.schedules ?? []).map((schedule) =>
          scheduleView(schedule, nextRuns(schedule, clock.nowMs(), NEXT_COUNT)),
        ),
      }),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/runs',
      summary: 'Runs, newest first',
      query: {
        status: RUN_STATUSES.join(', '),
        schedule: 'Of this schedule only: `<pipeline>/<name>`.',
        limit: 'At most so many; default 20.',
      },
      async answer(exchange) {
        const status = RUN_STATUSES.find((name) => name === queryValue(exchange, 'status'))
        const schedule = queryValue(exchange, 'schedule')
        const runs = await store.list({
          limit: queryCount(exchange, 'limit', LIST_SIZE),
          ...(status === undefined ? {} : { status }),
          ...(schedule === undefined ? {} : { schedule }),
        })
        return { runs: runs.map(runView) }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/runs',
      summary: 'Begin a run; answers at once, with the run as it begins',
      body: RUN_BODY,
      async answer(exchange) {
        const request = requestOf(
          wishOf(await readJsonObject(exchange), schedulesOf(plans, { maintenance: 'on' })),
          clock.nowMs(),
        )
        exchange.about(aboutOf(request))
        const run = await runner.start(request)
        return runDetailView(await store.find(run.id))
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/runs/:id',
      summary: 'One run with its tasks',
      description: 'The first characters of an id are enough where they are unambiguous.',
      answer: async (exchange) => runDetailView(await found(exchange)),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/runs/:id/log',
      summary: 'What the tasks of a run said, oldest first',
      query: { task: 'Of this task only.', limit: 'The last so many lines; default 1000.' },
      async answer(exchange) {
        const { run } = await found(exchange)
        const task = queryValue(exchange, 'task')
        const limit = queryCount(exchange, 'limit', LOG_SIZE)
        const lines = await store.log(run.id, { limit, ...(task === undefined ? {} : { task }) })
        return { lines: lines.map(runLineView) }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/runs/:id/cancel',
      summary: 'Stop a run for good; what was done stays done',
      async answer(exchange) {
        const { run } = await found(exchange)
        const told = await runner.cancel(run.id)
        if (!told) throw refusal(409, 'run_over', `Run ${run.id} is over: it ${run.status}.`)
        return runDetailView(await store.find(run.id))
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/runs/:id/resume',
      summary: 'Go on with an interrupted run',
      async answer(exchange) {
        const { run } = await found(exchange)
        if (!(await runner.resume(run.id)))
          throw refusal(
            409,
            'run_not_interrupted',
            `Run ${run.id} is not interrupted: ${run.status}.`,
          )
        return runDetailView(await store.find(run.id))
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/runs/:id/again',
      summary: 'Begin a run that does a finished one again, for the same moment',
      description:
        'With `only: "unfinished"`, just the tasks that failed, were skipped or were stopped.',
      body: { type: 'object', properties: { only: { enum: ['unfinished'] } } },
      async answer(exchange) {
        const { run, tasks } = await found(exchange)
        const { only } = await readJsonObject(exchange)
        if (only !== undefined && only !== 'unfinished')
          throw badBody('"only" is "unfinished" or left out')
        if (run.status === 'running' || run.status === 'interrupted')
          throw refusal(409, 'run_not_over', `Run ${run.id} is not over: it is ${run.status}.`)
        const request = requestAgain(run, tasks, only ?? 'all')
        if (request === undefined)
          throw refusal(409, 'run_complete', `Every task of run ${run.id} came to a good end.`)
        return runDetailView(await store.find((await runner.start(request)).id))
      },
    }),
  ]
}

const RUN_BODY = {
  type: 'object',
  properties: {
    selectors: {
      type: 'array',
      items: { type: 'string' },
      description: 'Tasks, pipelines, `tag:…`, `kind:…`, with + for what is up- or downstream.',
    },
    schedule: {
      type: 'string',
      description: 'Instead of selectors: what this schedule runs, `<pipeline>/<name>`.',
    },
    full_refresh: { type: 'boolean', description: 'Make everything anew.' },
    logical_time: { type: 'string', description: 'The moment the run is for; default now.' },
    from: { type: 'string', description: 'Only days from this one, `YYYY-MM-DD`; with `to`.' },
    to: { type: 'string', description: 'Only days up to this one, inclusive.' },
    retries: { type: 'integer' },
    timeout_seconds: { type: 'integer', description: 'For one attempt of a task.' },
  },
}

type JsonObject = Readonly<Record<string, unknown>>

function wishOf(body: JsonObject, schedules: readonly Schedule[]): RunWish {
  const unknown = Object.keys(body).filter((name) => !(name in RUN_BODY.properties))
  if (unknown.length > 0) throw badBody(`There is no "${unknown[0]}"`)
  const { selectors = [], full_refresh: fullRefresh = false } = body
  if (!Array.isArray(selectors) || selectors.some((one) => typeof one !== 'string'))
    throw badBody('"selectors" is a list of texts')
  if (typeof fullRefresh !== 'boolean') throw badBody('"full_refresh" is true or false')
  const { schedule } = body
  if (schedule !== undefined && (typeof schedule !== 'string' || selectors.length > 0))
    throw badBody('"schedule" is a text, and stands instead of "selectors"')
  const scheduled = schedule === undefined ? {} : wishOfSchedule(scheduleNamed(schedules, schedule))
  const retries = countOf(body, 'retries')
  const timeout = countOf(body, 'timeout_seconds')
  return {
    selectors: selectors as string[],
    ...scheduled,
    fullRefresh,
    range: rangeOf(body),
    logicalMs: logicalMsOf(body),
    limits: {
      ...('limits' in scheduled ? scheduled.limits : {}),
      ...(retries === undefined ? {} : { retries }),
      ...(timeout === undefined ? {} : { timeoutMs: Math.max(1, timeout) * 1_000 }),
    },
  }
}

function rangeOf({ from, to }: JsonObject): TaskRange | undefined {
  if (from === undefined && to === undefined) return undefined
  if (isDayText(from) && isDayText(to) && from <= to) return { from, to }
  throw badBody('"from" and "to" are days as YYYY-MM-DD, in order')
}

const isDayText = (value: unknown): value is string =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}$/.test(value) &&
  !Number.isNaN(Date.parse(`${value}T00:00:00Z`))

function logicalMsOf({ logical_time: time }: JsonObject): number | undefined {
  if (time === undefined) return undefined
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN
  if (Number.isNaN(ms)) throw badBody('"logical_time" is an instant, such as 2026-01-01T00:00:00Z')
  return ms
}

/** Numbers of a body are opaque, for the sake of their digits; ours are small. */
function countOf(body: JsonObject, name: string): number | undefined {
  if (body[name] === undefined) return undefined
  const value = Number(JSON.stringify(body[name]))
  if (!Number.isSafeInteger(value) || value < 0) throw badBody(`"${name}" is a whole number`)
  return value
}

/** What is run, for the audit log. */
function aboutOf({ schedule, selectors, range, fullRefresh }: RunRequest): string {
  const what = schedule ?? (selectors.length === 0 ? 'everything' : selectors.join(' '))
  const when = range === null ? '' : `, ${range.from} to ${range.to}`
  return `${what}${when}${fullRefresh ? ', anew' : ''}`
}

const badBody = (what: string) => refusal(400, 'bad_run', `${what}. Nothing was begun.`)
