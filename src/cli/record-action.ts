import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { AuditEnding, AuditEntry } from '../model/access.ts'
import { systemClock } from '../model/clock.ts'
import { messageOf, PlatformError } from '../model/errors.ts'
import { type Home, homeAt, homeUse } from '../orchestrator/home.ts'
import { openStateStore } from '../state/state-store.ts'
import { type Command, type CommandContext, EXIT } from './command.ts'
import { COMMAND_ACTIONS } from './command-actions.ts'
import { homeFolder } from './project.ts'

/**
 * Run a command, and write into the audit log of its home what it is and how it ended: before it begins and afterwards, in a home that is
 * there; only afterwards in one that it makes. Where nothing can be written nothing is done.
 * @throws what the command throws; StateUnavailableError
 */
export async function runRecorded(command: Command, context: CommandContext): Promise<number> {
  const action = COMMAND_ACTIONS[command.name]?.(context)
  if (action === undefined) return command.run(context)
  const home = homeAt(homeFolder(context.options.home, context.variables, context.cwd))
  if (action.asksPlatform === true && homeUse(home).status === 'running')
    return command.run(context)
  const entry = entryOf(action.action, command, context)
  const id = await withLog(home, (log) => log.addAudit({ ...entry, ...BEGUN }))
  const end = (ending: AuditEnding) =>
    withLog(home, async (log) => {
      if (id === undefined) await log.addAudit({ ...entry, ...ending })
      else await log.endAudit(id, ending)
    })
  try {
    const code = await command.run(context)
    await end({ outcome: code === EXIT.ok ? 'done' : 'failed', status: code, detail: null })
    return code
  } catch (error) {
    const detail = error instanceof PlatformError ? error.code : messageOf(error)
    // What went wrong with the command is what must be heard of.
    await end({ outcome: 'failed', status: null, detail }).catch(() => {})
    throw error
  }
}

const BEGUN = { outcome: 'begun', status: null, detail: null } as const

function entryOf(action: string, { name }: Command, { args, options }: CommandContext) {
  const role = typeof options.role === 'string' ? [`--role ${options.role}`] : []
  return {
    ...{ actor: userName(), by: 'command', session: null, role: null, address: null },
    // Other options are left out: they may hold values of records.
    ...{ action, subject: ['mekong', name, ...args, ...role].join(' ') },
  } satisfies Partial<AuditEntry>
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the user's number may have no name.
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}

/** The audit log of a home; nothing happens in one that has no state yet. */
async function withLog<T>(
  home: Home,
  work: (log: Awaited<ReturnType<typeof openStateStore>>) => Promise<T>,
): Promise<T | undefined> {
  if (!existsSync(home.state)) return undefined
  const log = await openStateStore({ file: home.state, clock: systemClock })
  try {
    return await work(log)
  } finally {
    await log.close()
  }
}
