import { existsSync } from 'node:fs'
import { keyView } from '../../api/access-views.ts'
import { createApiKey, isKeyName, KEY_NAME_RULE } from '../../gateway/api-keys.ts'
import { DEFAULT_ROLE, ROLES, type Role, roleNamed } from '../../model/access.ts'
import { systemClock, systemRandomness } from '../../model/clock.ts'
import { checkHomeVersion, homeAt } from '../../orchestrator/home.ts'
import { openStateStore, type StateStore } from '../../state/state-store.ts'
import { onlyArgument } from '../arguments.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { KeyNameError } from '../errors.ts'
import { timeText, wholeNumber } from '../numbers.ts'
import { homeFolder } from '../project.ts'

export const keys: Command = {
  name: 'keys',
  summary: 'make, list and revoke API keys',
  usage:
    'keys create NAME [--role ROLE] [--rate N]\n       mekong keys list\n       mekong keys revoke NAME',
  about: `
A key has a role. ingest: it may send records and see nothing. read: it may look at everything and change nothing. operate: both of these, and
run, cancel, mend, replay and maintain. admin: also make and revoke keys, end sessions and read the audit log, over HTTP and in the console.
Keys from before there were roles are operate. People sign in to the console with a key; programs send it with each request.

The first key turns authentication on: from then on requests need one, as "Authorization: Bearer KEY". Only its hash is kept, so the
key is shown once. A running platform notices new and revoked keys within a second or two. Revoking the last key does not open the doors again.
Commands that talk to a running platform take their key from MEKONG_API_KEY.`,
  options: {
    role: {
      type: 'string',
      value: 'ROLE',
      doc: `create: ${ROLES.join(', ')} (default ${DEFAULT_ROLE}).`,
    },
    rate: {
      type: 'string',
      value: 'N',
      doc: 'create: records per second it may send (default: no limit).',
    },
  },
  examples: [
    ['mekong keys create crawler --role ingest --rate 500', 'a key with a limit; printed once'],
    ['mekong keys create an --role admin', 'a key for a person who signs in to the console'],
    ['mekong keys list', 'names, roles, limits, since when; never the keys'],
    ['mekong keys revoke crawler', 'it stops working'],
  ],

  async run(context) {
    const [verb, ...args] = context.args
    const act = verb === undefined ? undefined : VERBS[verb]
    if (act === undefined)
      throw new UsageError('Say what to do: mekong keys create | list | revoke')
    const home = homeAt(homeFolder(context.options.home, context.variables, context.cwd))
    checkHomeVersion(home)
    if (act !== create && !existsSync(home.state)) return act({ ...context, args }, NO_KEYS)
    // Made when it is not there: off loopback the platform does not start before there is a key.
    const state = await openStateStore({ file: home.state, clock: systemClock })
    try {
      return await act({ ...context, args }, state)
    } finally {
      await state.close()
    }
  },
}

type KeyState = Pick<StateStore, 'keys' | 'addKey' | 'revokeKey'>

/** A home where nothing was kept yet. */
const NO_KEYS: KeyState = {
  keys: async () => [],
  addKey: async () => false,
  revokeKey: async () => false,
}

const VERBS: Readonly<
  Record<string, (context: CommandContext, state: KeyState) => Promise<number>>
> = { create, add: create, list, revoke }

async function create(context: CommandContext, state: KeyState): Promise<number> {
  const { terminal, options } = context
  const name = onlyArgument(context, 'the key')
  if (!isKeyName(name)) throw new UsageError(KEY_NAME_RULE)
  const role = roleOption(options.role)
  const rate = wholeNumber(options.rate, '--rate')
  if (rate === 0) throw new UsageError('--rate takes 1 or more records per second.')
  const isFirst = (await state.keys()).length === 0
  const { key, stored } = createApiKey(systemRandomness, { name, role })
  const { hash } = stored
  const added = await state.addKey({ name, hash, role, recordsPerSecondMax: rate ?? null })
  if (!added)
    throw new KeyNameError(`There is a key "${name}" already, or there was. Choose another name.`)
  if (options.json === true) {
    terminal.printJson({ ok: true, name, role, key, records_per_second_max: rate ?? null })
    return EXIT.ok
  }
  terminal.print(key)
  terminal.note(
    `This is the key "${name}" with the role ${role}. It is not shown again. Send it as "Authorization: Bearer …".`,
  )
  if (isFirst) terminal.note('It is the first one: every request needs a key from now on.')
  return EXIT.ok
}

/** @throws UsageError */
function roleOption(given: string | boolean | undefined): Role {
  const role = given === undefined ? DEFAULT_ROLE : roleNamed(given)
  if (role !== undefined) return role
  throw new UsageError(`--role takes ${ROLES.join(', ')}, not "${given}".`)
}

async function list({ terminal, options }: CommandContext, state: KeyState): Promise<number> {
  const rows = await state.keys()
  if (options.json === true) terminal.printJson({ keys: rows.map(keyView) })
  else if (rows.length === 0) {
    terminal.print(
      'There are no API keys, so none is asked for. Make one with "mekong keys create NAME".',
    )
  } else {
    terminal.table(
      ['name', 'role', 'records/s', 'made (UTC)', 'state'],
      rows
        .map(keyView)
        .map(({ name, role, records_per_second_max: rate, created_at, revoked_at }) => [
          ...[name, role],
          rate ?? 'no limit',
          timeText(created_at),
          revoked_at === null ? 'in force' : `revoked ${timeText(revoked_at)}`,
        ]),
    )
  }
  return EXIT.ok
}

async function revoke(context: CommandContext, state: KeyState): Promise<number> {
  const { terminal, options } = context
  const name = onlyArgument(context, 'the key')
  const revoked = await state.revokeKey(name)
  const inForce = (await state.keys()).filter(({ revokedMs }) => revokedMs === null)
  if (!revoked) {
    const names = inForce.map((row) => row.name).join(', ')
    throw new KeyNameError(
      `There is no key "${name}" in force. ${names === '' ? 'There are none.' : `There are: ${names}.`}`,
    )
  }
  if (options.json === true) terminal.printJson({ ok: true, name })
  else terminal.print(`${name}: revoked`)
  if (inForce.length === 0)
    terminal.note(
      'No key is in force any more, so nobody gets in. Make one with "mekong keys create NAME".',
    )
  return EXIT.ok
}
