import {
  type RunDetailView,
  type RunLineView,
  type RunView,
  runDetailView,
  runLineView,
  runView,
} from '../../api/run-views.ts'
import { homeUse } from '../../orchestrator/home.ts'
import type { HomeReader } from '../../orchestrator/home-reader.ts'
import { type RunStore, runStore } from '../../state/run-store.ts'
import { onlyArgument } from '../arguments.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { timeText, wholeNumber } from '../numbers.ts'
import { askedOf } from '../running-platform.ts'
import { runText } from '../runs/run-text.ts'
import { nothingYet, withHome } from '../with-home.ts'

const LIST_SIZE = 20
const LINE_COUNT = 200

export const runs: Command = {
  name: 'runs',
  summary: 'what was run, when, by whom, and what came of it',
  usage: 'runs [--limit N]\n       mekong runs show ID [--lines N]\n       mekong runs cancel ID',
  about: `
Lists runs, newest first; "show" prints one with its tasks and what they said, "cancel" stops one for good. The first characters of
an id are enough. A run that was interrupted, by Ctrl+C or by a crash, goes on when a platform starts on this home, or with "mekong run --resume".`,
  options: {
    limit: { type: 'string', value: 'N', doc: `At most so many runs (default ${LIST_SIZE}).` },
    lines: { type: 'string', value: 'N', doc: `The last so many lines (default ${LINE_COUNT}).` },
    task: { type: 'string', value: 'ID', doc: 'show: only what this task said.' },
  },
  examples: [
    ['mekong runs', 'the last ones'],
    ['mekong runs show 1k9', 'one of them'],
    ['mekong runs cancel 1k9', 'stop it'],
  ],

  run(context) {
    const [verb, ...args] = context.args
    if (verb === undefined) return withHome(context, (reader) => list(context, reader))
    if (verb === 'show') return withHome(context, (reader) => show({ ...context, args }, reader))
    if (verb === 'cancel')
      return withHome(context, (reader) => cancel({ ...context, args }, reader))
    throw new UsageError(`There is no "runs ${verb}". There are: show, cancel.`)
  },
}

async function list(context: CommandContext, reader: HomeReader): Promise<number> {
  const { terminal, options } = context
  const limit = wholeNumber(options.limit, '--limit') ?? LIST_SIZE
  const store = await storeOf(reader)
  const found: readonly RunView[] = ((await store?.list({ limit })) ?? []).map(runView)
  if (options.json === true) terminal.printJson({ runs: found })
  else if (found.length === 0) terminal.print(nothingYet(reader, 'runs'))
  else
    terminal.table(
      ['run', 'status', 'what', 'began (UTC)', 'seconds', 'interruptions'],
      found.map((run) => [
        ...[run.id, run.status, whatText(run), timeText(run.created_at), run.seconds],
        run.interruptions,
      ]),
    )
  return EXIT.ok
}

const whatText = ({ schedule, trigger, pipeline, selectors }: RunView): string =>
  schedule ?? [trigger, ...(pipeline === null ? [] : [pipeline]), ...selectors].join(' ')

async function show(context: CommandContext, reader: HomeReader): Promise<number> {
  const { terminal, options } = context
  const id = onlyArgument(context, 'one run')
  const limit = wholeNumber(options.lines, '--lines') ?? LINE_COUNT
  const store = await storeOf(reader)
  if (store === undefined) throw new UsageError(nothingYet(reader, 'runs'))
  const found = await store.find(id)
  const detail: RunDetailView = runDetailView(found)
  const task = typeof options.task === 'string' ? { task: options.task } : {}
  const lines: readonly RunLineView[] = (await store.log(found.run.id, { limit, ...task })).map(
    runLineView,
  )
  if (options.json === true) terminal.printJson({ ...detail, lines })
  else {
    const said = lines.map(({ at, task: by, line }) => `${timeText(at)}  ${by}  ${line}`)
    terminal.print([runText(detail), ...(said.length === 0 ? [] : ['', ...said])].join('\n'))
  }
  return EXIT.ok
}

async function cancel(context: CommandContext, reader: HomeReader): Promise<number> {
  const id = onlyArgument(context, 'one run')
  const use = homeUse(reader.home)
  if (use.status !== 'running')
    throw new UsageError('No platform runs on this home, and so no run does. Nothing was changed.')
  const detail = await askedOf<RunDetailView>(use.running, context, {
    ...{ method: 'POST', path: `/v1/runs/${encodeURIComponent(id)}/cancel`, body: {} },
  })
  const { terminal, options } = context
  if (options.json === true) terminal.printJson({ ok: true, ...detail })
  else terminal.print(`Run ${detail.id} was told to stop.`)
  return EXIT.ok
}

async function storeOf(reader: HomeReader): Promise<RunStore | undefined> {
  const database = await reader.runDatabase()
  return database === undefined ? undefined : runStore(database)
}
