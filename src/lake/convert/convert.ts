import type { DeltaDeps } from '../delta/table-log.ts'
import type { IcebergDeps } from '../iceberg/deps.ts'
import { plainFromDelta } from './read-delta.ts'
import { plainFromIceberg } from './read-iceberg.ts'
import { deltaFromPlain } from './write-delta.ts'
import { icebergFromPlain } from './write-iceberg.ts'

/**
 * From one table format to the other, over the same data files: nothing but metadata is written, beside what is there.
 *
 * In: the newest state of a table. Out: a table of the other format with the same rows, columns, partition columns and
 * applications' progress; its history begins here. The new table is there as a whole or not at all; a crash in between
 * leaves metadata files that nothing refers to. The old table stays and can be read as it was, yet the two know
 * nothing of each other's later commits: write to one of them, and let only that one remove files.
 */
export type ConvertOutcome =
  | {
      /** `planned` in a dry run: it could be done, and nothing was. */
      readonly status: 'created' | 'planned'
      readonly fileCount: number
      readonly bytes: number
    }
  /** There is a table of that format already; nothing was changed. */
  | { readonly status: 'exists' }
  /** No answer came. Look whether the table is there before trying again. */
  | { readonly status: 'unknown'; readonly cause: unknown }

/**
 * Make an Iceberg table of the Delta table at `location`.
 * @param options.name the table's name in its catalog. Default: `location`, as the file system's catalog has it
 * @throws TableUnsupportedError naming what Iceberg cannot tell: column mapping, constraints, generated columns, …
 */
export async function convertDeltaToIceberg(
  deps: DeltaDeps & IcebergDeps,
  location: string,
  options: { readonly name?: string; readonly dryRun?: boolean } = {},
  signal?: AbortSignal,
): Promise<ConvertOutcome> {
  const plain = await plainFromDelta(deps, location, signal)
  if (options.dryRun === true) return { status: 'planned', ...sizesOf(plain.files) }
  const outcome = await icebergFromPlain(deps, options.name ?? location, location, plain, signal)
  return outcome.status === 'created' ? { ...outcome, ...sizesOf(plain.files) } : outcome
}

/**
 * Make a Delta table of the Iceberg table `name`, in the same folder.
 * @throws TableUnsupportedError naming what Delta cannot tell: partition transforms, equality deletes, renamed columns, …
 */
export async function convertIcebergToDelta(
  deps: DeltaDeps & IcebergDeps,
  name: string,
  options: { readonly dryRun?: boolean } = {},
  signal?: AbortSignal,
): Promise<ConvertOutcome> {
  const { location, plain } = await plainFromIceberg(deps, name, signal)
  if (options.dryRun === true) return { status: 'planned', ...sizesOf(plain.files) }
  const outcome = await deltaFromPlain(deps, location, plain, signal)
  return outcome.status === 'created' ? { ...outcome, ...sizesOf(plain.files) } : outcome
}

const sizesOf = (files: readonly { readonly bytes: number }[]) => ({
  fileCount: files.length,
  bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
})
