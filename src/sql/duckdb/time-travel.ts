import { momentMs } from '../../model/iso-time.ts'
import { QueryRefusedError } from './errors.ts'

/** Which state of a table a statement wants: `version => 3`, `at => '2026-01-01'`, `ref => 'audit'`. */
export type QueryPoint =
  /** A Delta table's version, an Iceberg table's snapshot id. */
  | { readonly version: bigint }
  /** What was current then, milliseconds since 1970. */
  | { readonly atMs: number }
  /** A branch or tag of an Iceberg table. */
  | { readonly ref: string }

/**
 * Arguments that are plain values, as text by lower-case name; '' for the one without a name.
 * @throws QueryRefusedError for anything that would have to be computed
 */
export function constantArguments(
  nodes: readonly unknown[],
  what: string,
): ReadonlyMap<string, string> {
  const given = new Map<string, string>()
  for (const node of nodes) {
    const { alias } = node as { alias?: string }
    const name = (alias ?? '').toLowerCase()
    const value = constantText(node)
    if (value === undefined)
      throw new QueryRefusedError(
        `${what} takes plain values, not something to be computed${name === '' ? '' : ` (${name})`}. Nothing was run.`,
      )
    if (given.has(name))
      throw new QueryRefusedError(
        `${what} is given ${name === '' ? 'two places' : `${name} twice`}. Nothing was run.`,
      )
    given.set(name, value)
  }
  return given
}

const POINT_NAMES = ['version', 'at', 'timestamp', 'ref']

/** @throws QueryRefusedError when names are unknown, several, or their values no versions or times */
export function pointOf(given: ReadonlyMap<string, string>, what: string): QueryPoint | undefined {
  const names = [...given.keys()].filter((name) => name !== '')
  const unknown = names.find((name) => !POINT_NAMES.includes(name))
  if (unknown !== undefined || names.length > 1)
    throw new QueryRefusedError(
      `${what} takes one of version => N, at => 'TIME' and ref => 'NAME', not ${names.join(' and ')}. Nothing was run.`,
    )
  const [name] = names
  if (name === undefined) return undefined
  const value = given.get(name)!
  if (name === 'ref') return { ref: value }
  if (name === 'version') {
    if (/^\d{1,19}$/.test(value)) return { version: BigInt(value) }
    throw new QueryRefusedError(
      `${what}: ${JSON.stringify(value)} is no version. Give a Delta version or an Iceberg snapshot id; "mekong history" shows them. Nothing was run.`,
    )
  }
  const atMs = momentMs(value)
  if (atMs !== undefined) return { atMs }
  throw new QueryRefusedError(
    `${what}: ${JSON.stringify(value)} is no time. Write it as in 2026-01-31 or 2026-01-31T12:00:00Z; without a zone it is UTC. Nothing was run.`,
  )
}

/** Text, numbers, and what is written as `TIMESTAMP '…'`. */
function constantText(node: unknown): string | undefined {
  const { type, value, child } = node as { type?: string; value?: unknown; child?: unknown }
  if (type === 'OPERATOR_CAST') return constantText(child)
  if (type !== 'VALUE_CONSTANT') return undefined
  const { is_null: isNull, value: held } = value as { is_null: boolean; value?: unknown }
  return isNull || (typeof held !== 'string' && typeof held !== 'number') ? undefined : String(held)
}
