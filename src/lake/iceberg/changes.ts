import { CHANGE_COLUMNS, type ChangePart, type ChangePlan } from '../../model/change-plan.ts'
import type { ScanFile, ScanPlan } from '../../model/scan-plan.ts'
import { ChangesMissingError, SnapshotMissingError, TableMismatchError } from '../errors.ts'
import { complementOfPositions, differenceOfPositions } from '../positions.ts'
import type { DeletableFile } from './applied-deletes.ts'
import type { CatalogEntry } from './catalog.ts'
import { type DeleteIndex, deleteIndex } from './delete-index.ts'
import type { IcebergTools } from './deps.ts'
import type { ManifestEntry } from './manifest.ts'
import { liveEntries, manifestsOf } from './manifest-read.ts'
import { mainId, type Snapshot, schemaById, snapshotById } from './metadata.ts'
import { type BoundSpec, boundSpecs } from './partition-spec.ts'
import { readDeletedRows } from './position-deletes.ts'
import { checkReadable, type ScanContext, wholeFilesPlan } from './scan.ts'
import { columnOf, fieldsById } from './schema.ts'
import {
  type FileChanges,
  fileChangesOf,
  type SnapshotsContext,
  snapshotsBetween,
} from './snapshot-changes.ts'
import { keyOfLocation, tableLocation } from './table-location.ts'

/** Which snapshots' changes are wanted: `from` with the one named, `after` without it; `after: null` is all there ever were. */
export type ChangesOptions = ChangesRange & {
  /** The last one, inclusive. Default: the newest. */
  readonly to?: bigint
  /**
   * Columns that tell rows apart, so that a delete and an insert of one commit are known to be an update. Default: the table's identifier
   * fields, if it has any. Empty: updates stay a delete and an insert.
   */
  readonly keys?: readonly string[]
}
export type ChangesRange = { readonly from: bigint } | { readonly after: bigint | null }

/**
 * What some snapshots did to the rows, derived from the files that came and went and from the deletes of what stayed. Snapshots
 * that only moved rows (`replace`) changed nothing; rows that a rewritten file has again are no changes. Reads the
 * manifests of those snapshots, and their deletes.
 *
 * @throws ChangesMissingError when snapshots or files that the changes need are no longer kept
 * @throws SnapshotMissingError when one that is named was never there or has expired
 * @throws TableMismatchError when a key is no column
 */
export async function readChanges(
  tools: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  options: ChangesOptions,
  signal?: AbortSignal,
): Promise<ChangePlan> {
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const wanted = wantedSnapshots({ metadata, tableKey }, options)
  // Under the schema of the last, as Delta's change feed has it.
  const last = wanted.at(-1)
  const isNewest = last === undefined || last['snapshot-id'] === mainId(metadata)
  const then = isNewest ? undefined : schemaById(metadata, last['schema-id'] ?? -1)
  const schema = then ?? schemaById(metadata, metadata['current-schema-id'])!
  const columns = schema.fields.map((field) => columnOf(field, tableKey))
  const known = fieldsById(schema)
  const identifiers = (schema['identifier-field-ids'] ?? []).map((id) => known.get(id)!.path)
  const keys =
    options.keys ?? (identifiers.every((path) => path.length === 1) ? identifiers.flat() : [])
  const unknown = keys.filter((key) => !columns.some(({ name }) => name === key))
  if (unknown.length > 0)
    throw new TableMismatchError(
      `Reading changes of ${tableKey}`,
      unknown.map((key) => `there is no column ${key}`),
    )
  const reader = new ChangeReader(
    { place, metadata, schema, parquet: tools.ports.parquet, snapshot: undefined },
    keys,
  )
  const parts: ChangePart[] = []
  for (const snapshot of wanted) parts.push(...(await reader.parts(snapshot, signal)))
  return { columns: [...columns, ...CHANGE_COLUMNS], parts }
}

/** Oldest first. @throws SnapshotMissingError, ChangesMissingError */
export function wantedSnapshots(
  { metadata, tableKey }: Pick<CatalogEntry, 'metadata' | 'tableKey'>,
  { to = mainId(metadata), ...range }: ChangesRange & { readonly to?: bigint | undefined },
): readonly Snapshot[] {
  const find = (id: bigint): Snapshot => {
    const found = snapshotById(metadata, id)
    if (found !== undefined) return found
    throw new SnapshotMissingError(
      `${tableKey} has no snapshot ${id}; it was never there or has expired.`,
    )
  }
  if (to !== undefined) find(to)
  const after =
    'from' in range ? find(range.from)['parent-snapshot-id'] : (range.after ?? undefined)
  const found = snapshotsBetween(metadata, after, to)
  if (found === undefined)
    throw new ChangesMissingError(
      `The changes of ${tableKey} up to snapshot ${to} cannot be told: ${after ?? 'the first snapshot'} is not among its ` +
        'ancestors, or snapshots in between have expired.',
    )
  return found
}

/** @throws ChangesMissingError */
export async function knownChanges(
  context: SnapshotsContext,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<FileChanges> {
  const changes = await fileChangesOf(context, snapshot, signal)
  if (changes !== undefined) return changes
  throw new ChangesMissingError(
    `The changes of snapshot ${snapshot['snapshot-id']} of ${context.place.tableKey} cannot be told: the one before it has expired.`,
  )
}

/** Turns snapshots into plans under one schema. */
class ChangeReader {
  readonly #context: ScanContext
  readonly #specs: ReadonlyMap<number, BoundSpec>
  readonly #keys: readonly string[]

  constructor(context: ScanContext, keys: readonly string[]) {
    this.#context = context
    this.#specs = boundSpecs(context.metadata, context.place.tableKey)
    this.#keys = keys
  }

  async parts(snapshot: Snapshot, signal?: AbortSignal): Promise<ChangePart[]> {
    if (snapshot.summary.operation === 'replace') return []
    const { place, metadata } = this.#context
    const context = { place, metadata, specs: this.#specs }
    const changes = await knownChanges(context, snapshot, signal)
    const parentId = snapshot['parent-snapshot-id']
    const parent = parentId === undefined ? undefined : snapshotById(metadata, parentId)
    const before = await this.#deletesAt(changes, parent, signal)
    const after = await this.#deletesAt(changes, snapshot, signal)
    checkReadable([...changes.addedData, ...changes.deletedData], place.tableKey)
    const came = changes.addedData.map((entry) => ({ entry, deletes: after.deletesFor(entry) }))
    const went = changes.deletedData.map((entry) => ({ entry, deletes: before.deletesFor(entry) }))
    const stayed = await this.#stayed(snapshot, changes, { before, after }, signal)
    const inserted = await this.#plan([...came, ...stayed.isComparedAfter], snapshot, signal)
    const deleted = await this.#plan([...went, ...stayed.isComparedBefore], snapshot, signal)
    const plans = {
      inserted: { ...inserted, files: [...inserted.files, ...stayed.back] },
      deleted: { ...deleted, files: [...deleted.files, ...stayed.gone] },
    }
    return this.#partsOf(snapshot, plans)
  }

  /** Rows on both sides that are the same only moved. */
  #partsOf(
    snapshot: Snapshot,
    { inserted, deleted }: { inserted: ScanPlan; deleted: ScanPlan },
  ): ChangePart[] {
    const commit = { version: snapshot['snapshot-id'], timestampMs: snapshot['timestamp-ms'] }
    const isBoth = inserted.files.length > 0 && deleted.files.length > 0
    const keys = this.#keys
    const part = (type: 'insert' | 'delete', plan: ScanPlan, other: ScanPlan): ChangePart[] => {
      if (plan.files.length === 0) return []
      if (!isBoth) return [{ ...commit, type, plan }]
      const pairs = keys.length === 0 ? {} : { pairs: { keys, plan: other, except: plan } }
      return [{ ...commit, type, plan, except: other, ...pairs }]
    }
    return [...part('delete', deleted, inserted), ...part('insert', inserted, deleted)]
  }

  /** Deletes that applied at a snapshot; nothing is read when none of its changes has anything to do with deletes. */
  async #deletesAt(
    { deletedData, addedDeletes, deletedDeletes }: FileChanges,
    snapshot: Snapshot | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DeleteIndex> {
    const matters = deletedData.length + addedDeletes.length + deletedDeletes.length > 0
    if (snapshot === undefined || !matters) return deleteIndex([], this.#specs)
    return deleteIndex(await this.#live(snapshot, 'deletes', signal), this.#specs)
  }

  async #live(
    snapshot: Snapshot,
    content: 'data' | 'deletes',
    signal: AbortSignal | undefined,
  ): Promise<ManifestEntry[]> {
    const { place } = this.#context
    const manifests = await manifestsOf(place, snapshot, signal)
    const wanted = manifests.filter((manifest) => manifest.content === content)
    const found: ManifestEntry[] = []
    for await (const entries of liveEntries(place, wanted, this.#specs, signal))
      found.push(...entries)
    return found
  }

  /**
   * Data files that a snapshot left where they are with other deletes. What only changed by position is known row by row; where rows went by
   * their values, all rows before are compared with all rows after.
   */
  async #stayed(
    snapshot: Snapshot,
    { addedData, addedDeletes, deletedDeletes }: FileChanges,
    { before, after }: { readonly before: DeleteIndex; readonly after: DeleteIndex },
    signal: AbortSignal | undefined,
  ) {
    const found = {
      gone: [] as ScanFile[],
      back: [] as ScanFile[],
      isComparedBefore: [] as DeletableFile[],
      isComparedAfter: [] as DeletableFile[],
    }
    if (addedDeletes.length + deletedDeletes.length === 0) return found
    const changed = deleteIndex([...addedDeletes, ...deletedDeletes], this.#specs)
    const isNew = new Set(addedData.map(({ file }) => file.path))
    const byPosition: ManifestEntry[] = []
    for (const entry of await this.#live(snapshot, 'data', signal)) {
      if (isNew.has(entry.file.path)) continue
      const { vector, positions, equalities } = changed.deletesFor(entry)
      const hadEqualities = before.deletesFor(entry).equalities.length > 0
      if (equalities.length > 0 || (hadEqualities && (vector ?? positions[0]) !== undefined)) {
        found.isComparedBefore.push({ entry, deletes: before.deletesFor(entry) })
        found.isComparedAfter.push({ entry, deletes: after.deletesFor(entry) })
      } else if (vector !== undefined || positions.length > 0) byPosition.push(entry)
    }
    checkReadable(byPosition, this.#context.place.tableKey)
    const then = await this.#positions(byPosition, before, signal)
    const now = await this.#positions(byPosition, after, signal)
    const whole = await this.#plan(
      byPosition.map((entry) => ({ entry, deletes: { positions: [], equalities: [] } })),
      snapshot,
      signal,
    )
    for (const [index, { file }] of byPosition.entries()) {
      const [old, young] = [then.get(file.path) ?? NONE, now.get(file.path) ?? NONE]
      const only = (rows: Float64Array): ScanFile[] =>
        rows.length === 0
          ? []
          : [
              {
                ...whole.files[index]!,
                deletedRows: { positions: complementOfPositions(rows, file.recordCount) },
              },
            ]
      found.gone.push(...only(differenceOfPositions(young, old)))
      found.back.push(...only(differenceOfPositions(old, young)))
    }
    return found
  }

  #positions(entries: readonly ManifestEntry[], index: DeleteIndex, signal?: AbortSignal) {
    const files = entries.map((entry) => ({ path: entry.file.path, ...index.deletesFor(entry) }))
    return readDeletedRows(this.#context, files, signal)
  }

  /** @throws ChangesMissingError when a file is gone */
  async #plan(
    files: readonly DeletableFile[],
    snapshot: Snapshot,
    signal: AbortSignal | undefined,
  ): Promise<ScanPlan> {
    const { place } = this.#context
    for (const { entry } of files) {
      const key = keyOfLocation(place, entry.file.path)
      if (key !== undefined && (await place.store.head(key, signal)) === undefined)
        throw new ChangesMissingError(
          `The changes of ${place.tableKey} cannot be read: ${entry.file.path} is gone, most likely with snapshots that ` +
            'needed it and have expired. Ask for younger ones.',
        )
    }
    return wholeFilesPlan({ ...this.#context, snapshot }, files, signal)
  }
}

const NONE = new Float64Array(0)
