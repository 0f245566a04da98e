import { existsSync } from 'node:fs'
import { sessionView } from '../../api/access-views.ts'
import type { SessionRow } from '../../model/access.ts'
import { systemClock } from '../../model/clock.ts'
import type { Home } from '../../orchestrator/home.ts'
import type { HomeReader } from '../../orchestrator/home-reader.ts'
import { openStateStore, type StateStore } from '../../state/state-store.ts'
import { onlyArgument } from '../arguments.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { SessionMissingError } from '../errors.ts'
import { timeText } from '../numbers.ts'
import { nothingYet, withHome } from '../with-home.ts'

export const sessions: Command = {
  name: 'sessions',
  summary: 'who is signed in to the console, and since when; end a session',
  usage: 'sessions\n       mekong sessions end ID',
  about: `
Lists the sessions of the console that are not over: with which key, from where, seen when. A session ends half an hour after its last request, eight
hours after it began (MEKONG_SESSION_IDLE_MINUTES, MEKONG_SESSION_HOURS), when it is signed out, and with its key. "end" ends one now; a running
platform notices with the next request, and cuts what it is being pushed within seconds.`,
  options: {},
  examples: [
    ['mekong sessions', 'who is signed in'],
    ['mekong sessions end Zk3v0cQ1yTt8', 'sign somebody out'],
  ],

  run(context) {
    const [verb, ...args] = context.args
    if (verb === undefined) return withHome(context, (reader) => list(context, reader))
    if (verb === 'end') return withHome(context, (reader) => end({ ...context, args }, reader))
    throw new UsageError(`There is no "sessions ${verb}". There is: end.`)
  },
}

async function list({ terminal, options }: CommandContext, reader: HomeReader): Promise<number> {
  const { settings, home } = reader
  const idleMs = settings.sessionIdleMinutes * 60_000
  const nowMs = systemClock.nowMs()
  const rows = existsSync(home.state) ? await withState(home, sessionsInForce) : []
  const found = rows
    .filter((row) => Math.min(row.expiresMs, row.seenMs + idleMs) > nowMs)
    .map((row) => sessionView(row, idleMs))
  if (options.json === true) terminal.printJson({ sessions: found })
  else if (found.length === 0) terminal.print(nothingYet(reader, 'sessions in force'))
  else
    terminal.table(
      ['session', 'key', 'from', 'began (UTC)', 'seen (UTC)', 'over (UTC)'],
      found.map((one) => [
        ...[one.id, one.key, one.address ?? '', timeText(one.began_at)],
        ...[timeText(one.seen_at), timeText(one.expires_at)],
      ]),
    )
  return EXIT.ok
}

async function end(context: CommandContext, { home }: HomeReader): Promise<number> {
  const { terminal, options } = context
  const id = onlyArgument(context, 'the session')
  const ended = existsSync(home.state) && (await withState(home, (state) => state.endSession(id)))
  if (!ended)
    throw new SessionMissingError(
      `There is no session "${id}" that is not over. "mekong sessions" lists them. Nothing was changed.`,
    )
  if (options.json === true) terminal.printJson({ ok: true, id })
  else terminal.print(`${id}: ended`)
  return EXIT.ok
}

/** Those that were not ended and whose key is in force. */
async function sessionsInForce(state: StateStore): Promise<readonly SessionRow[]> {
  const inForce = new Set(
    (await state.keys()).filter(({ revokedMs }) => revokedMs === null).map(({ name }) => name),
  )
  return (await state.sessions()).filter(
    ({ endedMs, keyName }) => endedMs === null && inForce.has(keyName),
  )
}

/** The state, brought up to date where it is older than sessions. */
async function withState<T>(home: Home, work: (state: StateStore) => Promise<T>): Promise<T> {
  const state = await openStateStore({ file: home.state, clock: systemClock })
  try {
    return await work(state)
  } finally {
    await state.close()
  }
}
