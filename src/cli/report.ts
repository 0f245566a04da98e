import type { RunTaskView } from '../api/run-views.ts'
import type { LedgerLine } from '../model/ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PlaybackTally } from './playback.ts'
import { tableText } from './terminal.ts'

/** What became of the events of one playback, and whether the pipeline's ledger balances. */
export interface PipelineReport {
  readonly pipeline: string
  /** Sent. */
  readonly produced: number
  /** Taken as new records. */
  readonly accepted: number
  /** Known already, and not taken again. */
  readonly duplicates: number
  /** Refused at the front door. */
  readonly rejected: number
  /** Rows in the bronze table, by the table's own count. */
  readonly bronze: number
  /** Rows committed to the serving store. */
  readonly served: number
  /** Turned away and kept as dead letters, at the gateway and at the hops. */
  readonly dead: number
  readonly balanced: boolean
  readonly seconds: number
}

export interface ReportFacts {
  readonly plan: PipelinePlan
  readonly tally: PlaybackTally
  readonly ledger: readonly LedgerLine[]
  readonly seconds: number
}

/**
 * Balanced means that each line of the ledger adds up, that nothing is in flight any more, and that what the client counted is what the
 * gateway said. Only tables that are published may trail: tasks do that, which run afterwards.
 */
export function pipelineReport({ plan, tally, ledger, seconds }: ReportFacts): PipelineReport {
  const lines = ledger.filter(({ pipeline }) => pipeline === plan.name)
  const bronze = lines.filter(({ hop }) => hop.startsWith('bronze.'))
  const hopsServed = lines.filter(({ hop }) => plan.serves.some(({ name }) => name === hop))
  const documents = lines.filter(({ hop }) => hop.startsWith('documents.'))
  const served = [...hopsServed, ...documents]
  const hops = [...bronze, ...hopsServed]
  const { produced, accepted, duplicates, rejected } = tally
  return {
    pipeline: plan.name,
    produced,
    accepted,
    duplicates,
    rejected,
    bronze: sum(bronze, ({ out }) => out),
    served: sum(served, ({ out }) => out),
    dead: rejected + sum(hops, ({ dead }) => dead),
    balanced:
      produced === accepted + duplicates + rejected &&
      lines.every(
        ({ hop, balanced, inFlight }) => balanced && (inFlight === 0 || hop.startsWith('publish.')),
      ),
    seconds: Math.round(seconds * 100) / 100,
  }
}

/** Rows in the tables that a run's tasks have published, or found published. */
export const publishedRows = (tasks: readonly RunTaskView[]): number =>
  tasks.reduce((total, { kind, facts }) => {
    const rows =
      kind === 'publish' ? facts?.rows : kind === 'sync' ? (facts?.put as number) : undefined
    return total + (typeof rows === 'number' ? rows : 0)
  }, 0)

const sum = (lines: readonly LedgerLine[], pick: (line: LedgerLine) => number) =>
  lines.reduce((total, line) => total + pick(line), 0)

export function reportTable(reports: readonly PipelineReport[]): string {
  return tableText(
    [
      'pipeline',
      'produced',
      'accepted',
      'duplicates',
      'bronze',
      'served',
      'dead',
      'ledger',
      'seconds',
    ],
    reports.map((r) => [
      r.pipeline,
      r.produced,
      r.accepted,
      r.duplicates,
      r.bronze,
      r.served,
      r.dead,
      r.balanced ? 'balanced' : 'DOES NOT BALANCE',
      r.seconds,
    ]),
  )
}
