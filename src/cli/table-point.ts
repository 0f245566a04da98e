import type { TablePoint } from '../flow/table-door.ts'
import { momentMs } from '../model/iso-time.ts'
import { type CommandContext, type CommandOption, UsageError } from './command.ts'

/** Which state of a table a command is about. */
export const POINT_OPTIONS = {
  version: {
    type: 'string',
    value: 'V',
    doc: 'As of a Delta version, or of an Iceberg snapshot id; "mekong history" shows them.',
  },
  at: {
    type: 'string',
    value: 'TIME',
    doc: 'As of a time, such as 2026-01-31 or 2026-01-31T12:00:00Z; UTC where it names no zone.',
  },
} as const satisfies Record<string, CommandOption>

/** @throws UsageError */
export function pointOption({ version, at }: CommandContext['options']): TablePoint | undefined {
  if (version !== undefined && at !== undefined)
    throw new UsageError('Give --version or --at, not both')
  if (typeof version === 'string') return { version: versionOption(version, '--version') }
  if (typeof at !== 'string') return undefined
  const atMs = momentMs(at)
  if (atMs !== undefined) return { atMs }
  throw new UsageError(`--at takes a time such as 2026-01-31T12:00:00Z, not ${JSON.stringify(at)}`)
}

/** @throws UsageError */
export function versionOption(text: string, name: string): bigint {
  if (/^\d{1,19}$/.test(text)) return BigInt(text)
  throw new UsageError(
    `${name} takes a Delta version or an Iceberg snapshot id, not ${JSON.stringify(text)}`,
  )
}
