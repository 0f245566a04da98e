import {
  type EditMetrics,
  type FileMark,
  type FoundEdits,
  fileMarks,
  findRowEdits,
  type RowStatement,
} from '../row-edits.ts'
import type { CatalogEntry } from './catalog.ts'
import { onlyPath } from './delete-index.ts'
import type { IcebergTools } from './deps.ts'
import type { ContentFile, ManifestEntry } from './manifest.ts'
import { writePositionDeletes } from './position-delete-write.ts'
import type { PlannedFile, PlannedFiles } from './scan.ts'
import { writeFiles } from './write-files.ts'

/** How a statement's deletes are kept: files written anew, or position delete files beside them. */
export type WriteMode = 'copy-on-write' | 'merge-on-read'

/** A statement at work on one state of a table. */
export interface Edit {
  readonly entry: CatalogEntry
  readonly statement: RowStatement
  readonly planned: PlannedFiles
  readonly mode: WriteMode
}

/** What a statement does to the files; all that it adds is in place and seen by nobody. */
export interface Change {
  readonly added: readonly ContentFile[]
  /** Data files, and delete files that were about nothing else. */
  readonly removed: readonly PlannedFile[]
  readonly removedDeletes: readonly ContentFile[]
  /** Data files whose rows were written again. */
  readonly copied: readonly ManifestEntry[]
  /** Data files that get position deletes. */
  readonly marked: readonly ManifestEntry[]
  readonly metrics: EditMetrics
}

/** Files whose rows all go are removed without a look. */
export async function changeOf(
  { entry, statement, planned, mode }: Edit,
  tools: IcebergTools,
  signal?: AbortSignal,
): Promise<Change> {
  await using found = await findRowEdits(tools.ports.tableRows, planned, statement, false, signal)
  const { edits, gone } = found
  const marks = await marksOf(found, planned, mode, signal)
  const having = (kind: FileMark['kind']) => marks.filter((mark) => mark.kind === kind)
  const fileAt = ({ place }: { readonly place: number }) => planned.files[place]!
  const rewritten = having('rewrite')
  const added: ContentFile[] = []
  if (rewritten.length > 0 || edits.updatedCount + edits.insertedCount > 0) {
    const numbers = rewritten.map(({ file }) => file)
    const rows = await edits.newRows(numbers, signal)
    added.push(...(await writeFiles(tools, entry, rows, {}, signal)))
  }
  const { appended } = statement
  if (appended !== undefined) added.push(...(await writeFiles(tools, entry, appended, {}, signal)))
  const marked = having('mark')
  const deletes = await writePositionDeletes(
    tools,
    entry,
    edits,
    marked.map((mark) => ({ file: mark.file, data: fileAt(mark).entry.file })),
    signal,
  )
  const removed = [...gone.map((place) => ({ place })), ...having('remove'), ...rewritten].map(
    fileAt,
  )
  // Rows that a statement updates may be in any of the files that lose some.
  const copying = edits.updatedCount > 0 ? marks : rewritten
  const goneRows = gone.reduce((sum, place) => sum + liveRowCount(planned, place), 0)
  return {
    added: [...added, ...deletes],
    removed,
    removedDeletes: onlyAbout(removed),
    copied: copying.map((mark) => fileAt(mark).entry),
    marked: marked.map((mark) => fileAt(mark).entry),
    metrics: {
      deletedRowCount: edits.deletedCount + goneRows,
      updatedRowCount: edits.updatedCount,
      insertedRowCount: edits.insertedCount + (appended?.rowCount ?? 0),
      scannedFileCount: found.looked.length,
      addedFileCount: added.length,
      removedFileCount: removed.length,
      markedFileCount: marked.length,
      addedBytes: [...added, ...deletes].reduce((sum, { bytes }) => sum + bytes, 0),
    },
  }
}

async function marksOf(
  found: FoundEdits,
  { plan }: PlannedFiles,
  mode: WriteMode,
  signal: AbortSignal | undefined,
): Promise<Omit<FileMark, 'positions'>[]> {
  const marks: Omit<FileMark, 'positions'>[] = []
  const mayMark = () => mode === 'merge-on-read'
  // The engine keeps the positions; nobody here needs them once it is known how many they are.
  for await (const { positions: _, ...mark } of fileMarks(found, plan, mayMark, signal))
    marks.push(mark)
  return marks
}

/** Delete files that were about one of these files alone: without it they are about nothing. */
function onlyAbout(removed: readonly PlannedFile[]): ContentFile[] {
  const deletes = new Set<ContentFile>()
  for (const { entry, deletes: of } of removed)
    for (const file of of.positions) if (onlyPath(file) === entry.file.path) deletes.add(file)
  return [...deletes]
}

/** Rows deleted by value are counted as if they were still there. */
function liveRowCount({ plan }: PlannedFiles, place: number): number {
  const { rowCount, deletedRows } = plan.files[place]!
  return (rowCount ?? 0) - (deletedRows?.positions.length ?? 0)
}
