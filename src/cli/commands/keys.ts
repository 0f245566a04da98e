import { existsSync } from 'node:fs'
import { instant } from '../../api/views.ts'
import { createApiKey } from '../../gateway/api-keys.ts'
import { systemClock, systemRandomness } from '../../model/clock.ts'
import { checkHomeVersion, homeAt } from '../../orchestrator/home.ts'
import type { KeyRow } from '../../state/key-rows.ts'
import { openStateStore, type StateStore } from '../../state/state-store.ts'
import { onlyArgument } from '../arguments.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { KeyNameError } from '../errors.ts'
import { timeText, wholeNumber } from '../numbers.ts'
import { homeFolder } from '../project.ts'

export const keys: Command = {
  name: 'keys',
  summary: 'make, list and revoke API keys',
  usage: 'keys create NAME [--rate N]\n       mekong keys list\n       mekong keys revoke NAME',
  about: `
The first key turns authentication on: from then on requests need one, as "Authorization: Bearer KEY". Only its hash is kept, so the
key is shown once. A running platform notices new and revoked keys within a second or two. Revoking the last key does not open the doors again.
Commands that talk to a running platform take their key from MEKONG_API_KEY.`,
  options: {
    rate: {
      type: 'string',
      value: 'N',
      doc: 'create: records per second it may send (default: no limit).',
    },
  },
  examples: [
    ['mekong keys create crawler --rate 500', 'a key with a limit; printed once'],
    ['mekong keys list', 'names, limits, since when; never the keys'],
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
> = { create, list, revoke }

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/

async function create(context: CommandContext, state: KeyState): Promise<number> {
  const { terminal, options } = context
  const name = onlyArgument(context, 'the key')
  if (!NAME.test(name)) {
    throw new UsageError(
      'A name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.',
    )
  }
  const rate = wholeNumber(options.rate, '--rate')
  if (rate === 0) throw new UsageError('--rate takes 1 or more records per second.')
  const isFirst = (await state.keys()).length === 0
  const { key, stored } = createApiKey(systemRandomness, { name })
  const added = await state.addKey({ name, hash: stored.hash, recordsPerSecondMax: rate ?? null })
  if (!added)
    throw new KeyNameError(`There is a key "${name}" already, or there was. Choose another name.`)
  if (options.json === true) {
    terminal.printJson({ ok: true, name, key, records_per_second_max: rate ?? null })
    return EXIT.ok
  }
  terminal.print(key)
  terminal.note(
    `This is the key "${name}". It is not shown again. Send it as "Authorization: Bearer …".`,
  )
  if (isFirst) terminal.note('It is the first one: every request needs a key from now on.')
  return EXIT.ok
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
      ['name', 'records/s', 'made (UTC)', 'state'],
      rows
        .map(keyView)
        .map(({ name, records_per_second_max: rate, created_at, revoked_at }) => [
          name,
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

/** Never the hash: it is of no use to people, and of some to an attacker. */
const keyView = ({ name, recordsPerSecondMax, createdMs, revokedMs }: KeyRow) => ({
  name,
  records_per_second_max: recordsPerSecondMax,
  created_at: instant(createdMs),
  revoked_at: revokedMs === null ? null : instant(revokedMs),
})
