import type { CollectRequest } from '../model/collect.ts'
import { ConfigError } from '../orchestrator/errors.ts'
import type { CollectorPlan } from '../pipeline/collector.ts'
import { type CommandContext, UsageError } from './command.ts'
import { namesOption } from './numbers.ts'

/** What the options ask a collector for. @throws UsageError */
export function collectRequest(
  { types: known, ways }: CollectorPlan,
  options: CommandContext['options'],
  nowMs: number,
): CollectRequest {
  const types = namesOption(options.types, '--types') ?? known
  const unknown = types.find((type) => !known.includes(type))
  if (unknown !== undefined)
    throw new UsageError(`--types takes ${known.join(', ')}, not ${JSON.stringify(unknown)}`)
  const since = options.since === undefined ? undefined : sinceDay(String(options.since), nowMs)
  const ids = namesOption(options.ids, '--ids') ?? []
  const isChanges = since !== undefined || options.changes === true
  if (isChanges && ids.length > 0)
    throw new UsageError('Give --changes (or --since DATE) or --ids, not both')
  const way = ids.length > 0 ? 'ids' : isChanges ? 'changes' : 'all'
  if (way !== 'all' && !ways.includes(way))
    throw new UsageError(`This collector does not know --${way}`)
  if (way === 'ids' && types.length > 1)
    throw new UsageError(`--ids needs one type: --types ${known.join(' | ')}`)
  const wrong = way === 'ids' ? ids.find((id) => !/^[1-9]\d*$/.test(id)) : undefined
  if (wrong !== undefined)
    throw new UsageError(`--ids takes whole numbers separated by commas, not "${wrong}"`)
  return { types, way, ids, nowMs, ...(since === undefined ? {} : { since }) }
}

function sinceDay(text: string, nowMs: number): string {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(ms) || ms > nowMs)
    throw new UsageError(
      `--since takes a day that has begun, as YYYY-MM-DD, not ${JSON.stringify(text)}`,
    )
  return text
}

/** The variables that a collector declares, and no others. @throws ConfigError when none is set of those it needs */
export function collectorVariables(
  { variables: declared, needsOneOf, without }: CollectorPlan,
  variables: CommandContext['variables'],
): Readonly<Record<string, string | undefined>> {
  const isMissing = needsOneOf.length > 0 && needsOneOf.every((name) => !variables[name])
  if (isMissing)
    throw new ConfigError([
      { where: needsOneOf.join(' or '), what: `is not set. Nothing was asked. ${without}` },
    ])
  return Object.fromEntries(Object.keys(declared).map((name) => [name, variables[name]]))
}
