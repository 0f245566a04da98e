import type { StringMap } from './actions.ts'

/**
 * Table properties that we act on, parsed from `metaData.configuration`. Names and meanings are Delta's own; where its
 * specification leaves the default open, ours is below.
 */
export interface TableProperties {
  /** Commits between checkpoints. */
  readonly checkpointInterval: number
  /** How long removed files stay, for readers of old snapshots. */
  readonly deletedFileRetentionMs: number
  /** Leaf columns, from the first, that get statistics; -1 for all. */
  readonly statsColumnCount: number
  /** Columns that get statistics, by dotted path, instead of the first so many. */
  readonly statsColumns: readonly string[] | undefined
  readonly inCommitTimestamps: boolean
  readonly appendOnly: boolean
  /** Whether rows that go are marked in vectors (merge-on-read), and files written anew only otherwise (copy-on-write). */
  readonly deletionVectors: boolean
  readonly changeDataFeed: boolean
  /** Whether appends that look at nothing count as conflicts of those who read what they match. */
  readonly isolation: 'serializable' | 'write_serializable'
  /** How long commits stay behind a checkpoint. */
  readonly logRetentionMs: number
  readonly cleansLog: boolean
  readonly compression: 'zstd' | 'snappy'
}

export const DEFAULT_TABLE_PROPERTIES: TableProperties = Object.freeze({
  // Spark's default is 10. Our commits are small and frequent, a checkpoint costs what the table has in files, and
  // a reader replays a hundred commits in milliseconds.
  checkpointInterval: 100,
  // One week, as everywhere in the Delta world.
  deletedFileRetentionMs: 7 * 24 * 60 * 60 * 1000,
  // As Spark: more would bloat the log of wide tables.
  statsColumnCount: 32,
  statsColumns: undefined,
  inCommitTimestamps: false,
  appendOnly: false,
  deletionVectors: false,
  changeDataFeed: false,
  // As Delta without Databricks has it.
  isolation: 'serializable',
  logRetentionMs: 30 * 24 * 60 * 60 * 1000,
  cleansLog: true,
  // The specification's advice when nothing is said.
  compression: 'zstd',
})

/** Values that are not understood count as not given: another program may know better, and none is needed to be right. */
export function parseProperties(configuration: StringMap): TableProperties {
  const number = (name: string, min: number) => {
    const value = Number(configuration[name])
    return Number.isSafeInteger(value) && value >= min ? value : undefined
  }
  const d = DEFAULT_TABLE_PROPERTIES
  const codec = configuration['delta.parquet.compression.codec']?.toLowerCase()
  return {
    checkpointInterval: number('delta.checkpointInterval', 1) ?? d.checkpointInterval,
    deletedFileRetentionMs:
      parseIntervalMs(configuration['delta.deletedFileRetentionDuration']) ??
      d.deletedFileRetentionMs,
    statsColumnCount: number('delta.dataSkippingNumIndexedCols', -1) ?? d.statsColumnCount,
    statsColumns: parseNames(configuration['delta.dataSkippingStatsColumns']),
    inCommitTimestamps: configuration['delta.enableInCommitTimestamps'] === 'true',
    appendOnly: configuration['delta.appendOnly'] === 'true',
    deletionVectors: configuration['delta.enableDeletionVectors'] === 'true',
    changeDataFeed: configuration['delta.enableChangeDataFeed'] === 'true',
    isolation:
      configuration['delta.isolationLevel']?.toLowerCase() === 'writeserializable'
        ? 'write_serializable'
        : d.isolation,
    logRetentionMs:
      parseIntervalMs(configuration['delta.logRetentionDuration']) ?? d.logRetentionMs,
    cleansLog: configuration['delta.enableExpiredLogCleanup'] !== 'false',
    compression: codec === 'snappy' ? 'snappy' : d.compression,
  }
}

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}

/** Spark's calendar intervals without months and years: `interval 1 week`, `interval 36 hours 30 minutes`. */
export function parseIntervalMs(text: string | undefined): number | undefined {
  const match = /^\s*(?:interval\s+)?((?:\d+\s+[a-z]+\s*)+)$/i.exec(text ?? '')
  if (match === null) return undefined
  let totalMs = 0
  for (const [, count, unit] of match[1]!.matchAll(/(\d+)\s+([a-z]+)/gi)) {
    const unitMs = UNIT_MS[unit!.toLowerCase().replace(/s$/, '')]
    if (unitMs === undefined) return undefined
    totalMs += Number(count) * unitMs
  }
  return totalMs
}

/** `a,b.c`, with backquotes around names that need them. */
function parseNames(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  const names = [...text.matchAll(/(?:`(?:[^`]|``)*`|[^,`])+/g)].map(([name]) =>
    name.trim().replaceAll('``', '\0').replaceAll('`', '').replaceAll('\0', '`'),
  )
  return names.filter((name) => name !== '')
}
