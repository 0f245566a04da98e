import type { ContentFile } from './manifest.ts'
import type { Snapshot } from './metadata.ts'
import { partitionKey } from './partition-spec.ts'

/** What a commit adds and takes away (table spec, "Optional Snapshot Summary Fields"). */
export interface FileChanges {
  readonly operation: 'append' | 'overwrite' | 'delete' | 'replace'
  readonly added: readonly ContentFile[]
  readonly removed: readonly ContentFile[]
}

/** How Mekong signs its snapshots. */
const ENGINE = { 'engine-name': 'mekong', 'engine-version': '0.1.0' }

/** Counts that a summary goes on from; a parent without them has its successors do without them too. */
const TOTALS = [
  ['total-data-files', (file: ContentFile) => (file.content === 'data' ? 1 : 0)],
  ['total-records', (file: ContentFile) => (file.content === 'data' ? file.recordCount : 0)],
  ['total-files-size', (file: ContentFile) => file.bytes],
  ['total-delete-files', (file: ContentFile) => (file.content === 'data' ? 0 : 1)],
  [
    'total-position-deletes',
    (file: ContentFile) => (file.content === 'position_deletes' ? file.recordCount : 0),
  ],
  [
    'total-equality-deletes',
    (file: ContentFile) => (file.content === 'equality_deletes' ? file.recordCount : 0),
  ],
] as const

/** The summary of a snapshot on top of `parent`, without applications' own entries. */
export function summaryOf(
  parent: Snapshot | undefined,
  { operation, added, removed }: FileChanges,
): Record<string, string> {
  const sum = (files: readonly ContentFile[], of: (file: ContentFile) => number) =>
    files.reduce((total, file) => total + of(file), 0)
  const data = (files: readonly ContentFile[]) => files.filter(({ content }) => content === 'data')
  const partitions = new Set(
    [...added, ...removed].map((file) => partitionKey(file.specId, file.partition)),
  )
  const counts: Record<string, number> = {
    'added-data-files': data(added).length,
    'added-records': sum(data(added), (file) => file.recordCount),
    'added-files-size': sum(added, (file) => file.bytes),
    'deleted-data-files': data(removed).length,
    'deleted-records': sum(data(removed), (file) => file.recordCount),
    'removed-files-size': sum(removed, (file) => file.bytes),
    ...deleteCounts('added', added),
    ...deleteCounts('removed', removed),
  }
  const summary: Record<string, string> = { operation }
  for (const [name, count] of Object.entries(counts)) if (count > 0) summary[name] = String(count)
  summary['changed-partition-count'] = String(partitions.size)
  for (const [name, of] of TOTALS) {
    const before = parent === undefined ? 0 : Number(parent.summary[name] ?? Number.NaN)
    if (Number.isSafeInteger(before))
      summary[name] = String(before + sum(added, of) - sum(removed, of))
  }
  return { ...summary, ...ENGINE }
}

function deleteCounts(word: 'added' | 'removed', files: readonly ContentFile[]) {
  const positions = files.filter(({ content }) => content === 'position_deletes')
  const equalities = files.filter(({ content }) => content === 'equality_deletes')
  const rowsIn = (of: readonly ContentFile[]) => of.reduce((n, file) => n + file.recordCount, 0)
  return {
    [`${word}-delete-files`]: positions.length + equalities.length,
    [`${word}-position-delete-files`]: positions.length,
    [`${word}-position-deletes`]: rowsIn(positions),
    [`${word}-equality-delete-files`]: equalities.length,
    [`${word}-equality-deletes`]: rowsIn(equalities),
  }
}
