import type { LakeTableFacts } from '../flow/lake-catalog.ts'
import type { TableCommit, TableSize, TableState } from '../flow/table-door.ts'
import { SCHEMAS_TOPIC } from '../log/codec/coded-log.ts'
import type { TopicDescription } from '../log/log.ts'
import { columnTypeText } from '../model/column.ts'
import type { LedgerLine } from '../model/ledger.ts'
import type { HopReport } from '../orchestrator/platform-hops.ts'

// What the platform knows, as the JSON that programs get: from the HTTP API and from `--json`, the same. Names are snake_case,
// moments ISO 8601 in UTC, sizes in bytes. Pure.

export const instant = (ms: number): string => new Date(ms).toISOString()

export type LedgerView = ReturnType<typeof ledgerView>

export function ledgerView(lines: readonly LedgerLine[]) {
  return {
    balanced: lines.every(({ balanced }) => balanced),
    lines: lines.map(({ inFlight, ...line }) => ({ ...line, in_flight: inFlight })),
  }
}

export type TableView = ReturnType<typeof tableView>

export function tableView(facts: LakeTableFacts) {
  if (facts.status === 'unreadable') return { name: facts.name, problem: facts.problem }
  const { name, format, rows, files, bytes, committedMs } = facts
  return {
    name,
    format,
    version: versionView(facts.version),
    rows: rows ?? null,
    files,
    bytes,
    committed_at: committedMs === undefined ? null : instant(committedMs),
  }
}

export type TableDetailView = Awaited<ReturnType<typeof tableDetailView>>

export async function tableDetailView(name: string, state: TableState) {
  const { id, format, description, createdMs, partitionBy, properties } = state
  return {
    ...{ name, id, format },
    description: description ?? null,
    version: versionView(state.version),
    ...sizeView(await state.size()),
    created_at: createdMs === undefined ? null : instant(createdMs),
    columns: state.columns.map((column) => ({
      name: column.name,
      type: columnTypeText(column.type),
      nullable: column.nullable,
      doc: column.doc ?? null,
    })),
    partition_by: partitionBy,
    properties,
    ...state.details,
  }
}

const sizeView = ({ rows, files, bytes }: TableSize) => ({ rows: rows ?? null, files, bytes })

/** Snapshot ids have more digits than a JSON number keeps, so they are text. */
export const versionView = (version: number | bigint | undefined): number | string | null =>
  typeof version === 'bigint' ? String(version) : (version ?? null)

export type CommitView = ReturnType<typeof commitView>

export function commitView(commit: TableCommit) {
  return {
    version: versionView(commit.version),
    committed_at: instant(commit.committedMs),
    operation: commit.operation ?? null,
    rows_added: commit.rowsAdded ?? null,
    bytes_added: commit.bytesAdded ?? null,
    files_added: commit.filesAdded,
    files_removed: commit.filesRemoved,
    engine: commit.engine ?? null,
    parameters: commit.parameters,
  }
}

export type TopicView = ReturnType<typeof topicView>

/** Topics that are the platform's own: those of replayed dead letters, `<topic>.replay.<hop>`, and that of the schemas. */
export const isOwnTopic = (name: string): boolean =>
  name.includes('.replay.') || name === SCHEMAS_TOPIC

export function topicView(topic: TopicDescription) {
  const kept = topic.bounds.map(({ offsetStart, offsetEnd }) => offsetEnd - offsetStart)
  return {
    name: topic.name,
    partitions: topic.bounds.map(({ partition, offsetStart, offsetEnd }) => ({
      partition,
      first_offset: offsetStart,
      next_offset: offsetEnd,
      records: offsetEnd - offsetStart,
    })),
    records: sum(kept),
    appended: sum(topic.bounds.map(({ offsetEnd }) => offsetEnd)),
    duplicates: topic.duplicateCount,
    retention_ms: topic.retentionMs ?? null,
    retention_bytes: topic.retentionBytes ?? null,
  }
}

export type HopView = ReturnType<typeof hopView>

export function hopView({ pipeline, name, state, lagRecords, done }: HopReport) {
  return {
    pipeline,
    hop: name,
    state: state.name,
    reason: 'reason' in state ? state.reason : null,
    lag_records: lagRecords,
    ...done,
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
