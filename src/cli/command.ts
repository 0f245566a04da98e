import type { ParseArgsOptionsConfig } from 'node:util'
import type { Terminal } from './terminal.ts'

/** What a command may use of the world: nothing else reads the environment or the arguments. */
export interface CommandContext {
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  /** Options that may be given several times, in the order given; every one of them is here, if only empty. */
  readonly lists: Readonly<Record<string, readonly string[]>>
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly terminal: Terminal
  /** Aborted by Ctrl+C or SIGTERM. */
  readonly signal: AbortSignal
}

/** How a command ended. */
export const EXIT = {
  ok: 0,
  /** It ran, and the answer is no: something does not balance, a check failed. */
  failed: 1,
  /** The command was written wrongly. */
  usage: 2,
  /** The configuration or a pipeline is wrong. */
  config: 3,
  /** Something it needs is away or taken. */
  unavailable: 4,
  interrupted: 130,
} as const

export interface Command {
  readonly name: string
  /** One line. */
  readonly summary: string
  /** After `mekong `, such as `load PIPELINE FILE…`. */
  readonly usage: string
  readonly about: string
  readonly examples: readonly (readonly [command: string, meaning: string])[]
  readonly options: Readonly<Record<string, CommandOption>>
  run(context: CommandContext): Promise<number>
}

export interface CommandOption {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly doc: string
  /** Word for the value, such as `FILE`. */
  readonly value?: string
  /** May be given several times; then it is in `lists`. */
  readonly multiple?: true
}

/** Every command has these. */
export const GLOBAL_OPTIONS = {
  home: {
    type: 'string',
    value: 'DIR',
    doc: 'Home folder of the platform (default .mekong, or MEKONG_HOME).',
  },
  config: {
    type: 'string',
    value: 'FILE',
    doc: 'Config file (default mekong.config.ts, if there is one).',
  },
  json: { type: 'boolean', doc: 'Print one JSON document instead of text.' },
  help: { type: 'boolean', short: 'h', doc: 'Show this help.' },
} as const satisfies Record<string, CommandOption>

export function parseArgsOptions(command: Command): ParseArgsOptionsConfig {
  return Object.fromEntries(
    Object.entries({ ...command.options, ...GLOBAL_OPTIONS }).map(([name, option]) => [
      name,
      {
        type: option.type,
        ...('short' in option && option.short !== undefined ? { short: option.short } : {}),
        ...('multiple' in option ? { multiple: true } : {}),
      },
    ]),
  )
}

/** A command written wrongly; the message says how it should be. */
export class UsageError extends Error {}
