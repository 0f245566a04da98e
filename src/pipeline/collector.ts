import type { Collector, CollectRequest } from '../model/collect.ts'

/** How `mekong collect` fetches a pipeline's records from a source on the network. */
export interface CollectorPlan {
  readonly description: string
  /** What it can collect, as `--types` names it. */
  readonly types: readonly string[]
  /** Which of `--changes`, `--since` and `--ids` it knows; all of what the source has is always possible. */
  readonly ways: readonly Exclude<CollectRequest['way'], 'all'>[]
  /** Variables of the environment that `open` is given, and what each is for. */
  readonly variables: Readonly<Record<string, string>>
  /** Variables of which at least one must be set. */
  readonly needsOneOf: readonly string[]
  /** Where to get what is needed, and what to do without. */
  readonly without: string
  readonly limits: {
    readonly requestsPerSecond: number
    readonly requestsAtOnce: number
  }
  open(variables: Readonly<Record<string, string | undefined>>): Collector
}

type Report = (where: string, what: string, fix: string) => void

/** What is wrong with a pipeline's collectors. */
export function checkCollectors(collectors: readonly CollectorPlan[], report: Report): void {
  if (collectors.length > 1)
    report('collect', 'is said more than once', 'Keep one collector a pipeline')
  for (const { types, needsOneOf, variables, limits } of collectors) {
    if (types.length === 0) report('collect', 'collects nothing', 'Name at least one type')
    for (const name of needsOneOf.filter((needed) => !(needed in variables)))
      report('collect', `needs ${name} and does not declare it`, 'Say in variables what it is for')
    if (!(limits.requestsPerSecond > 0) || !(limits.requestsAtOnce >= 1))
      report('collect', 'may never ask', 'Give limits above zero')
  }
}
