import type { ReplayView } from '../../api/letter-views.ts'
import { replayView } from '../../api/letter-views.ts'
import { decideReplay } from '../../flow/replay-decision.ts'
import { systemClock } from '../../model/clock.ts'
import { homeUse, type RunningPlatform } from '../../orchestrator/home.ts'
import type { HomeReader } from '../../orchestrator/home-reader.ts'
import { type Arrival, replayAtRest } from '../../orchestrator/replay-at-rest.ts'
import { type CommandContext, EXIT, UsageError } from '../command.ts'
import { PlatformRefusedError } from '../errors.ts'
import type { Project } from '../project.ts'
import { askPlatform } from '../running-platform.ts'
import { withHome } from '../with-home.ts'
import { chosenLetters } from './letter-filter.ts'
import { stateToRead } from './letter-state.ts'
import { previewText } from './show.ts'

type Replayed = ReplayView & { readonly arrival?: Arrival }

/** `mekong dlq replay ID… | --all` */
export function replayLetters(context: CommandContext): Promise<number> {
  return withHome(context, async (reader, project) => {
    const { terminal, options } = context
    const ids = await chosenIds(context, reader)
    const replayed = ids.length === 0 ? [] : await replayAll(context, reader, project, ids)
    const refused = replayed.filter(isRefused)
    if (options.json === true) terminal.printJson({ ok: refused.length === 0, replayed })
    else if (replayed.length === 0) terminal.print('There are no such dead letters waiting.')
    else for (const one of replayed) terminal.print(`${one.id}: ${replayedText(one)}`)
    return refused.length === 0 ? EXIT.ok : EXIT.failed
  })
}

async function chosenIds(context: CommandContext, reader: HomeReader): Promise<readonly string[]> {
  const { args, options } = context
  if (options.all === true && args.length > 0)
    throw new UsageError('Name letters or say --all, not both.')
  if (options.all !== true && args.length === 0)
    throw new UsageError('Name the dead letters to replay, or say --all.')
  if (options.all !== true && [options.pipeline, options.hop, options.reason].some(Boolean)) {
    throw new UsageError('--pipeline, --hop and --reason choose among --all.')
  }
  if (options.all !== true) {
    const state = await stateToRead(reader)
    const letters = await Promise.all(args.map((id) => state.find(id)))
    return [...new Set(letters.map(({ id }) => id))]
  }
  const state = await reader.state()
  if (state === undefined) return []
  const statuses = ['open', 'fixed'] as const
  const letters = await chosenLetters(state, context, { statuses, limit: Number.POSITIVE_INFINITY })
  return letters.map(({ id }) => id)
}

async function replayAll(
  context: CommandContext,
  reader: HomeReader,
  project: Project,
  ids: readonly string[],
): Promise<readonly Replayed[]> {
  const { options, terminal } = context
  const force = options.force === true
  if (options['dry-run'] === true) return previewAll(reader, project.plans, { ids, force })
  const use = homeUse(reader.home)
  if (use.status !== 'running') return replayHere(context, reader, project, { ids, force })
  const replayed: Replayed[] = []
  for (const [index, id] of ids.entries()) {
    terminal.progress(`${index} of ${ids.length} replayed`)
    replayed.push(await replayThere(context, use.running, id, force))
  }
  terminal.progress('')
  return replayed
}

interface Choice {
  readonly ids: readonly string[]
  readonly force: boolean
}

/** Replay where no platform runs. One is started only when there is something to send. */
async function replayHere(
  { options, terminal, signal }: CommandContext,
  reader: HomeReader,
  { homeFolder, settings, plans }: Project,
  { ids, force }: Choice,
): Promise<readonly Replayed[]> {
  const previewed = await previewAll(reader, plans, { ids, force })
  if (!previewed.some(({ status }) => status === 'would_replay')) return previewed
  if (options.json !== true)
    terminal.note('No platform runs here: starting one without front door for the replay …')
  const onNotice = terminal.note
  const wish = { force }
  const world = { homeFolder, settings, plans, signal, onNotice }
  const replayed = await replayAtRest({ ...world, ids, wish })
  return replayed.map(({ id, outcome, arrival }) => ({
    ...replayView(id, outcome),
    ...(arrival === undefined ? {} : { arrival }),
  }))
}

/** What would become of letters; needs no platform and changes nothing. */
async function previewAll(
  reader: HomeReader,
  plans: Project['plans'],
  { ids, force }: Choice,
): Promise<readonly Replayed[]> {
  const state = await stateToRead(reader)
  const engine = await reader.engine()
  const replayed: Replayed[] = []
  for (const id of ids) {
    const world = { plans, engine, clock: systemClock }
    replayed.push(replayView(id, await decideReplay(world, await state.find(id), { force })))
  }
  return replayed
}

async function replayThere(
  context: CommandContext,
  running: RunningPlatform,
  id: string,
  force: boolean,
): Promise<Replayed> {
  const path = `/v1/dead-letters/${id}/replay`
  const answer = await askPlatform(running, context, { method: 'POST', path, body: { force } })
  if (answer.ok) return answer.body as ReplayView
  const { code, detail, preview } = answer.problem
  if (code === 'would_die_again') return { id, status: code, preview: preview as never }
  if (code === 'dead_letter_dropped') return { id, status: 'dropped' }
  if (code === 'replay_refused') return { id, status: 'impossible', message: String(detail) }
  throw new PlatformRefusedError(String(detail), String(code))
}

const isRefused = ({ status, arrival }: Replayed) =>
  ['would_die_again', 'dropped', 'impossible'].includes(status) || arrival?.status === 'died_again'

function replayedText(one: Replayed): string {
  switch (one.status) {
    case 'replayed':
      return `sent back to ${one.to}${arrivalText(one.arrival)}`
    case 'already_replayed':
      return `was sent back before, to ${one.to}; nothing was sent now`
    case 'would_replay':
      return `not sent (dry run); ${previewText(one.preview)}`
    case 'would_die_again':
      return `REFUSED, nothing was sent: ${previewText(one.preview)}\n  Mend it with "mekong dlq fix ${one.id}", or use --force`
    case 'dropped':
      return `REFUSED, nothing was sent: it was dropped. "mekong dlq fix ${one.id}" brings it back`
    case 'impossible':
      return `REFUSED: ${one.message}`
  }
}

function arrivalText(arrival: Arrival | undefined): string {
  switch (arrival?.status) {
    case undefined:
      return '; the running platform takes it from there'
    case 'arrived':
      return ', and it has arrived'
    case 'died_again':
      return `, and it DIED AGAIN: ${arrival.letters.join(', ')}`
    case 'on_its_way':
      return `; still on its way: ${arrival.reason}`
  }
}
