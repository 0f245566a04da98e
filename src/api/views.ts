import type { LakeTableFacts } from '../flow/lake-catalog.ts'
import type { HistoryEntry } from '../lake/delta/history.ts'
import type { DeltaSnapshot } from '../lake/delta/snapshot.ts'
import type { TopicDescription } from '../log/log.ts'
import { columnTypeText } from '../model/column.ts'
import type { LedgerLine } from '../model/ledger.ts'
import type { HopReport } from '../orchestrator/platform.ts'

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
  const { name, version, rows, files, bytes, committedMs } = facts
  return {
    name,
    version,
    rows: rows ?? null,
    files,
    bytes,
    committed_at: committedMs === undefined ? null : instant(committedMs),
  }
}

export type TableDetailView = Awaited<ReturnType<typeof tableDetailView>>

export async function tableDetailView(name: string, snapshot: DeltaSnapshot) {
  const { protocol } = snapshot
  return {
    name,
    id: snapshot.id,
    description: snapshot.description ?? null,
    format: 'delta',
    version: snapshot.version,
    rows: (await snapshot.rowCount()) ?? null,
    files: snapshot.fileCount,
    bytes: snapshot.bytes,
    created_at: snapshot.createdMs === undefined ? null : instant(snapshot.createdMs),
    columns: snapshot.columns.map((column) => ({
      name: column.name,
      type: columnTypeText(column.type),
      nullable: column.nullable,
      doc: column.doc ?? null,
    })),
    partition_by: snapshot.partitionBy,
    properties: snapshot.properties,
    protocol: { reader: protocol.minReaderVersion, writer: protocol.minWriterVersion },
  }
}

export type CommitView = ReturnType<typeof commitView>

export function commitView(entry: HistoryEntry) {
  const { numOutputRows: rows, numOutputBytes: bytes } = entry.operationMetrics
  return {
    version: entry.version,
    committed_at: instant(entry.timestampMs),
    operation: entry.operation ?? null,
    rows_added: rows === undefined ? null : Number(rows),
    bytes_added: bytes === undefined ? null : Number(bytes),
    files_added: entry.addedFileCount,
    files_removed: entry.removedFileCount,
    engine: entry.engineInfo ?? null,
    parameters: entry.operationParameters,
  }
}

export type TopicView = ReturnType<typeof topicView>

/** Replay topics are the platform's own: `<topic>.replay.<hop>`. */
export const isReplayTopic = (name: string): boolean => name.includes('.replay.')

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

export function hopView({ pipeline, name, state, lagRecords }: HopReport) {
  return {
    pipeline,
    hop: name,
    state: state.name,
    reason: 'reason' in state ? state.reason : null,
    lag_records: lagRecords,
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
