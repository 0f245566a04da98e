/**
 * Names in a table's `_delta_log` folder (PROTOCOL.md, "Delta Log Entries", "Checkpoints", "Log Compaction Files").
 */
export type LogFile =
  | { readonly kind: 'commit'; readonly name: string; readonly version: number }
  | {
      readonly kind: 'compaction'
      readonly name: string
      /** First version it stands for. */
      readonly version: number
      /** Last version, inclusive. */
      readonly versionEnd: number
    }
  | { readonly kind: 'checkpoint'; readonly name: string; readonly version: number }
  | {
      readonly kind: 'checkpoint_part'
      readonly name: string
      readonly version: number
      /** From 1. */
      readonly part: number
      readonly partCount: number
    }

export const LOG_FOLDER = '_delta_log'
export const LAST_CHECKPOINT = '_last_checkpoint'
export const SIDECAR_FOLDER = '_sidecars'

/** Versions are padded so that they sort as text. */
export const paddedVersion = (version: number): string => String(version).padStart(20, '0')
export const commitName = (version: number): string => `${paddedVersion(version)}.json`
export const checkpointName = (version: number): string =>
  `${paddedVersion(version)}.checkpoint.parquet`

const COMMIT = /^(\d{20})\.json$/
const COMPACTION = /^(\d{20})\.(\d{20})\.compacted\.json$/
const CLASSIC = /^(\d{20})\.checkpoint\.parquet$/
const UUID_NAMED = /^(\d{20})\.checkpoint\.[0-9a-fA-F-]{36}\.(?:json|parquet)$/
const PART = /^(\d{20})\.checkpoint\.(\d{10})\.(\d{10})\.parquet$/

/** What a name in the log folder stands for; `undefined` for checksums, hints and strangers. */
export function parseLogFile(name: string): LogFile | undefined {
  let match = COMMIT.exec(name)
  if (match) return { kind: 'commit', name, version: Number(match[1]) }
  match = CLASSIC.exec(name) ?? UUID_NAMED.exec(name)
  if (match) return { kind: 'checkpoint', name, version: Number(match[1]) }
  match = PART.exec(name)
  if (match) {
    const [part, partCount] = [Number(match[2]), Number(match[3])]
    return { kind: 'checkpoint_part', name, version: Number(match[1]), part, partCount }
  }
  match = COMPACTION.exec(name)
  if (match) {
    const [version, versionEnd] = [Number(match[1]), Number(match[2])]
    return versionEnd > version ? { kind: 'compaction', name, version, versionEnd } : undefined
  }
  return undefined
}
