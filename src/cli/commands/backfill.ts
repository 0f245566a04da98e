import { type BackfillView, backfillView } from '../../api/run-views.ts'
import { systemClock } from '../../model/clock.ts'
import { homeUse } from '../../orchestrator/home.ts'
import type { HomeReader } from '../../orchestrator/home-reader.ts'
import { openRunDatabase } from '../../orchestrator/open-run-database.ts'
import { DEFAULT_LIMITS } from '../../orchestrator/runs/run-wish.ts'
import { type BackfillChange, backfillStore } from '../../state/backfill-store.ts'
import { openStateStore } from '../../state/state-store.ts'
import { onlyArgument } from '../arguments.ts'
import { backfillHere } from '../backfills/backfill-here.ts'
import { backfillText, backfillThere } from '../backfills/backfill-there.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { textOption, timeText, wholeNumber } from '../numbers.ts'
import type { Project } from '../project.ts'
import { askedOf } from '../running-platform.ts'
import { nothingYet, withHome } from '../with-home.ts'

const LIST_SIZE = 20
const VERBS = ['list', 'status', 'pause', 'resume', 'cancel'] as const
type Verb = (typeof VERBS)[number]

export const backfill: Command = {
  name: 'backfill',
  summary: 'make tasks again for days or versions of the past, part by part',
  usage: [
    'backfill SELECTOR… --from DAY --to DAY [--part N] [--versions]',
    'mekong backfill list',
    'mekong backfill status | pause | resume | cancel ID',
  ].join('\n       '),
  about: `
Runs the tasks once for each day from --from to --to (or for each N days with --part), oldest first. Models that are kept by partitions make
these days anew; other tasks get the days to do with as they know. With --versions, --from and --to are versions of the incoming table. It is remembered:
after a crash, or Ctrl+C, it goes on where it was when a platform starts, or with "resume". "pause" lets the part in hand end; a part that fails stops
it until "resume". Exit code 1 when a part failed.`,
  options: {
    from: { type: 'string', value: 'DAY', doc: 'First day, YYYY-MM-DD, or version.' },
    to: { type: 'string', value: 'DAY', doc: 'Last day or version, inclusive.' },
    part: { type: 'string', value: 'N', doc: 'Days or versions in one run (default 1).' },
    versions: { type: 'boolean', doc: '--from and --to are versions of the incoming table.' },
  },
  examples: [
    ['mekong backfill gold.x --from 2026-01-01 --to 2026-01-31', 'a month, day by day'],
    ['mekong backfill +gold.x --from 2025-01-01 --to 2025-12-31 --part 7', 'a year, by weeks'],
    ['mekong backfill list', 'how far they are'],
    ['mekong backfill pause 1k9', 'not now'],
  ],

  run: (context) =>
    withHome(context, async (reader, project) => {
      const [verb] = context.args
      const known = VERBS.find((name) => name === verb)
      if (known === undefined) return begin(context, reader, project)
      return act({ ...context, args: context.args.slice(1) }, { verb: known, reader, project })
    }),
}

async function begin(
  context: CommandContext,
  reader: HomeReader,
  project: Project,
): Promise<number> {
  const { args, options } = context
  const [from, to] = [textOption(options.from), textOption(options.to)]
  if (args.length === 0) throw new UsageError('Name the tasks to make again.')
  if (from === undefined || to === undefined) throw new UsageError('Give --from and --to.')
  const request = {
    ...{ selectors: args, from, to, partSize: wholeNumber(options.part, '--part') ?? 1 },
    unit: options.versions === true ? 'versions' : 'days',
    limits: DEFAULT_LIMITS,
  } as const
  const use = homeUse(reader.home)
  if (use.status === 'running') return backfillThere(context, use.running, request)
  return backfillHere(context, project, (backfills) => backfills.begin(request))
}

interface Act {
  readonly verb: Verb
  readonly reader: HomeReader
  readonly project: Project
}

async function act(context: CommandContext, { verb, reader, project }: Act): Promise<number> {
  if (verb === 'list') return list(context, reader)
  const id = onlyArgument(context, 'one backfill')
  const use = homeUse(reader.home)
  if (verb === 'status') return show(context, await found(reader, id))
  if (use.status === 'running') {
    const path = `/v1/backfills/${encodeURIComponent(id)}/${verb}`
    return show(context, await askedOf(use.running, context, { method: 'POST', path, body: {} }))
  }
  if (verb === 'resume') {
    return backfillHere(context, project, async (backfills) => {
      const one = await backfills.store.find(id)
      await backfills.resume(one.id)
      return backfills.store.find(one.id)
    })
  }
  return show(context, await mark(reader, id, verb))
}

/** Where nothing runs, pausing and stopping is no more than saying so. */
async function mark(
  reader: HomeReader,
  idStart: string,
  verb: 'pause' | 'cancel',
): Promise<BackfillView> {
  const { id } = await found(reader, idStart)
  const state = await openStateStore({ file: reader.home.state, clock: systemClock })
  const database = await openRunDatabase(reader.settings, state)
  try {
    const store = backfillStore(database)
    const change: BackfillChange =
      verb === 'pause'
        ? { from: ['running'], to: 'paused', endedMs: null }
        : { from: ['running', 'paused', 'failed'], to: 'cancelled', endedMs: systemClock.nowMs() }
    if (!(await store.move(id, change)))
      throw new UsageError(`Backfill ${id} cannot be ${change.to} any more.`)
    return backfillView(await store.find(id))
  } finally {
    await database.close()
    await state.close()
  }
}

async function found(reader: HomeReader, id: string): Promise<BackfillView> {
  const database = await reader.runDatabase()
  if (database === undefined) throw new UsageError(nothingYet(reader, 'backfills'))
  return backfillView(await backfillStore(database).find(id))
}

async function list({ terminal, options }: CommandContext, reader: HomeReader): Promise<number> {
  const database = await reader.runDatabase()
  const all = database === undefined ? [] : await backfillStore(database).list({ limit: LIST_SIZE })
  const views = all.map(backfillView)
  if (options.json === true) terminal.printJson({ backfills: views })
  else if (views.length === 0) terminal.print(nothingYet(reader, 'backfills'))
  else
    terminal.table(
      ['backfill', 'status', 'tasks', 'from', 'to', 'parts done', 'began (UTC)'],
      views.map((view) => [
        ...[view.id, view.status, view.selectors.join(' '), view.from, view.to],
        ...[`${view.progress.done} of ${view.progress.total}`, timeText(view.created_at)],
      ]),
    )
  return EXIT.ok
}

function show({ terminal, options }: CommandContext, view: BackfillView): number {
  if (options.json === true) terminal.printJson({ ok: view.status !== 'failed', ...view })
  else terminal.print(backfillText(view))
  return view.status === 'failed' ? EXIT.failed : EXIT.ok
}
