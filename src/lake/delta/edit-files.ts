import type { Relation } from '../../model/relation.ts'
import { CHANGE_TYPE_COLUMN } from '../../model/row-edit.ts'
import {
  type EditMetrics,
  type FileMark,
  type FoundEdits,
  fileMarks,
  findRowEdits,
  type RowStatement,
} from '../row-edits.ts'
import type { RowEdits } from '../rows-port.ts'
import type { Action, AddAction } from './actions.ts'
import { writeDeletionVectors } from './deletion-vector-write.ts'
import { addActionAt, fileKeyAt, removeActionAt, statsTexts } from './file-actions.ts'
import { generationsOf } from './generated-columns.ts'
import type { LogReader } from './log-read.ts'
import type { LogState } from './log-state.ts'
import type { TableProperties } from './properties.ts'
import type { PlannedFiles } from './scan.ts'
import type { TableSchema } from './table-schema.ts'
import { type WriteContext, writeFiles } from './write-files.ts'

/**
 * A statement that changes rows, as actions. Files are looked at only when partition values and statistics say that they may hold rows
 * concerned; of those the engine says which rows. Where the table keeps deletion vectors, rows that go are
 * marked in them (merge-on-read); else the files that hold them are written anew (copy-on-write). A crash before the
 * commit leaves orphan files, which vacuum removes.
 */

/** A statement at work on one state of a table. */
export interface Edit {
  readonly reader: LogReader
  readonly state: LogState
  readonly schema: TableSchema
  readonly properties: TableProperties
  readonly statement: RowStatement
  readonly planned: PlannedFiles
}

/** One statement as actions. */
export interface Change {
  readonly actions: readonly Action[]
  readonly removes: ReadonlySet<string>
  readonly metrics: EditMetrics
}

/** What a statement does to the files. Files whose rows all go are removed without a look, when that needs no change files. */
export async function changeOf(
  edit: Edit,
  context: WriteContext,
  signal?: AbortSignal,
): Promise<Change> {
  const { statement, planned, state, properties } = edit
  const { table } = state.files
  const isWhole = planned.isSure.every((sure) => statement.deletesPredicate === true && sure)
  const { appended } = statement
  await using found = await findRowEdits(
    context.rows,
    { ...planned, columns: edit.schema.scanColumns },
    statement,
    // Change files want every row.
    properties.changeDataFeed && !isWhole,
    signal,
  )
  const { edits, looked } = found
  const gone = found.gone.map((place) => planned.rows[place]!)
  const marks = await marksOf(edit, found, signal)
  const rewritten = marks.flatMap(({ kind, file }) => (kind === 'rewrite' ? [file] : []))
  const adds = await newFiles(edit, context, { edits, rewritten }, signal)
  const feed = await changeFiles(
    edit,
    context,
    { edits, isPartial: marks.some((m) => m.kind !== 'remove') },
    signal,
  )
  const again = await markedAgain(edit, context, marks, signal)
  const removedRows = [...gone, ...marks.map((mark) => mark.row)]
  const goneRowCount = countGone(edit, gone)
  return {
    actions: [
      ...removedRows.map((row) => ({
        remove: removeActionAt(table, row, { nowMs: context.nowMs, dataChange: true }),
      })),
      ...[...again, ...adds].map((add) => ({ add })),
      ...feed.map(({ path, partitionValues, size }) => ({
        cdc: { path, partitionValues, size, dataChange: false as const },
      })),
    ],
    removes: new Set(removedRows.map((row) => fileKeyAt(table, row))),
    metrics: {
      deletedRowCount: edits.deletedCount + goneRowCount,
      updatedRowCount: edits.updatedCount,
      insertedRowCount: edits.insertedCount + (appended?.rowCount ?? 0),
      scannedFileCount: looked.length,
      addedFileCount: adds.length,
      removedFileCount: removedRows.length - again.length,
      markedFileCount: again.length,
      addedBytes: adds.reduce((sum, add) => sum + add.size, 0),
    },
  }
}

type RowMark = FileMark & {
  /** In the file table. */
  readonly row: number
}

async function marksOf(
  { planned, properties, state }: Edit,
  found: FoundEdits,
  signal?: AbortSignal,
): Promise<RowMark[]> {
  // PROTOCOL.md, "Per-file Statistics": a file with a vector has to know its row count.
  const mayMark = (place: number) =>
    properties.deletionVectors &&
    hasVectors(state) &&
    planned.plan.files[place]!.rowCount !== undefined
  const marks: RowMark[] = []
  for await (const mark of fileMarks(found, planned.plan, mayMark, signal)) {
    const row = planned.rows[mark.place]!
    // Only vectors are made of positions.
    marks.push({ ...mark, row, ...(mark.kind === 'mark' ? {} : { positions: NONE }) })
  }
  return marks
}

const NONE = new Float64Array(0)

const hasVectors = ({ protocol }: LogState) =>
  protocol.writerFeatures?.includes('deletionVectors') === true

/** Files that stay, each with the deletion vector that it has from now on. */
async function markedAgain(
  { reader, state }: Edit,
  context: WriteContext,
  marks: readonly RowMark[],
  signal?: AbortSignal,
): Promise<AddAction[]> {
  const vectors = marks.filter((mark) => mark.kind === 'mark')
  const positions = vectors.map((mark) => mark.positions)
  const descriptors = await writeDeletionVectors(context, positions, signal)
  const { table } = state.files
  const rows = vectors.map((mark) => mark.row)
  const stats = await statsTexts(reader, table, rows, signal)
  return rows.map((row, index) =>
    addActionAt(table, row, {
      stats: stats.get(row) ?? null,
      dataChange: true,
      deletionVector: descriptors[index],
    }),
  )
}

async function newFiles(
  edit: Edit,
  context: WriteContext,
  { edits, rewritten }: { edits: RowEdits; rewritten: readonly number[] },
  signal?: AbortSignal,
): Promise<AddAction[]> {
  const { state, statement } = edit
  const adds: AddAction[] = []
  if (rewritten.length > 0 || edits.updatedCount + edits.insertedCount > 0) {
    await using rows = await withRecomputed(
      edit,
      context,
      await edits.newRows(rewritten, signal),
      signal,
    )
    const areOldRows = edits.updatedCount + edits.insertedCount === 0
    adds.push(...(await writeFiles(context, state, rows.relation, { areOldRows }, signal)))
  }
  if (statement.appended !== undefined)
    adds.push(...(await writeFiles(context, state, statement.appended, {}, signal)))
  return adds
}

/** Generated columns follow the columns they are made of, unless the statement sets them itself. */
async function withRecomputed(
  { schema, statement }: Edit,
  { rows }: WriteContext,
  relation: Relation,
  signal?: AbortSignal,
) {
  const isSet = (name: string) =>
    statement.clauses.some((clause) => {
      if (clause.when === 'not_matched') return Object.hasOwn(clause.insert, name)
      return clause.do !== 'delete' && Object.hasOwn(clause.do.set, name)
    })
  const generations = [...generationsOf(schema)].filter(([name]) => !isSet(name))
  if (generations.length === 0) return { relation, [Symbol.asyncDispose]: async () => {} }
  const texts = new Map(generations)
  const columns = relation.columns.map(({ name, type }) => ({
    name,
    type,
    from: texts.has(name) ? { sql: texts.get(name)! } : { column: name },
  }))
  return rows.derivedRelation({ relation, columns }, signal)
}

/**
 * Change files (PROTOCOL.md, "Add CDC File"). None are needed when whole files go and come, because then the changes
 * can be read from those.
 */
async function changeFiles(
  edit: Edit,
  context: WriteContext,
  { edits, isPartial }: { edits: RowEdits; isPartial: boolean },
  signal?: AbortSignal,
): Promise<AddAction[]> {
  const { properties, state, statement, schema } = edit
  if (!properties.changeDataFeed || !(isPartial || edits.updatedCount > 0)) return []
  const column = { name: CHANGE_TYPE_COLUMN, type: 'string', nullable: false } as const
  const options = { areOldRows: true, aside: { folder: '_change_data', columns: [column] } }
  const files: AddAction[] = []
  for (const relation of await edits.changedRows(signal)) {
    await using changed = await withRecomputed(edit, context, relation, signal)
    files.push(...(await writeFiles(context, state, changed.relation, options, signal)))
  }
  if (statement.appended === undefined) return files
  await using inserted = await context.rows.derivedRelation(
    {
      relation: statement.appended,
      columns: [
        ...schema.columns.map(({ name, type }) => ({ name, type, from: { column: name } })),
        { name: column.name, type: column.type, from: { sql: `'insert'` } },
      ],
    },
    signal,
  )
  return [...files, ...(await writeFiles(context, state, inserted.relation, options, signal))]
}

/** From statistics; files without any count as nothing. */
function countGone({ planned, state }: Edit, gone: readonly number[]): number {
  const files = new Map(planned.rows.map((row, index) => [row, planned.plan.files[index]!]))
  return gone.reduce((sum, row) => {
    const deleted = state.files.table.deletionVectors.get(row)?.cardinality ?? 0
    return sum + (files.get(row)!.rowCount ?? 0) - deleted
  }, 0)
}
