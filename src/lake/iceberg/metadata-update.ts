import { assert } from '../../model/errors.ts'
import type { CatalogCommit, MetadataUpdate, Requirement } from './catalog.ts'
import { MAIN_BRANCH, PARTITION_ID_START, snapshotById, type TableMetadata } from './metadata.ts'

/** Table metadata as a value that updates make into the next one. Pure; no I/O. */

/** What requirement of a commit does not hold, and how; `undefined` when all do. `undefined` metadata is no table. */
export function brokenRequirement(
  metadata: TableMetadata | undefined,
  { requirements, updates }: CatalogCommit,
): { readonly requirement: string; readonly message: string } | undefined {
  for (const requirement of requirements) {
    const message = problemOf(metadata, requirement)
    if (message !== undefined) return { requirement: requirement.type, message }
  }
  if (metadata === undefined && !requirements.some(({ type }) => type === 'assert-create'))
    return { requirement: 'assert-table-exists', message: 'there is no such table' }
  for (const update of updates)
    if (update.action === 'add-snapshot' && metadata !== undefined) {
      const last = metadata['last-sequence-number']
      // Also a commit to another branch takes a number.
      if (metadata['format-version'] > 1 && update.snapshot['sequence-number'] <= last)
        return {
          requirement: 'sequence-number',
          message: `the sequence number ${last} is taken already`,
        }
    }
  return undefined
}

function problemOf(
  metadata: TableMetadata | undefined,
  requirement: Requirement,
): string | undefined {
  if (requirement.type === 'assert-create')
    return metadata === undefined ? undefined : 'the table exists already'
  if (metadata === undefined) return 'there is no such table'
  const differs = (what: string, found: unknown, expected: unknown) =>
    found === expected ? undefined : `the ${what} is ${found}, not ${expected}`
  switch (requirement.type) {
    case 'assert-table-uuid':
      return differs('table’s id', metadata['table-uuid'], requirement.uuid)
    case 'assert-ref-snapshot-id':
      return differs(
        `snapshot of ${requirement.ref}`,
        metadata.refs[requirement.ref]?.['snapshot-id'] ?? null,
        requirement['snapshot-id'],
      )
    case 'assert-last-assigned-field-id':
      return differs(
        'last field id',
        metadata['last-column-id'],
        requirement['last-assigned-field-id'],
      )
    case 'assert-current-schema-id':
      return differs(
        'current schema',
        metadata['current-schema-id'],
        requirement['current-schema-id'],
      )
    case 'assert-last-assigned-partition-id':
      return differs(
        'last partition field id',
        metadata['last-partition-id'],
        requirement['last-assigned-partition-id'],
      )
    case 'assert-default-spec-id':
      return differs('partition spec', metadata['default-spec-id'], requirement['default-spec-id'])
    case 'assert-default-sort-order-id':
      return differs(
        'sort order',
        metadata['default-sort-order-id'],
        requirement['default-sort-order-id'],
      )
  }
}

/** How much of its past a table's metadata keeps in sight; the property is Iceberg's own, and so is its default. */
const PREVIOUS_VERSIONS_PROPERTY = 'write.metadata.previous-versions-max'
const PREVIOUS_VERSIONS_MAX = 100

export interface UpdateContext {
  readonly nowMs: number
  /** Where the metadata is that the updates start from; absent for a new table. */
  readonly previousLocation?: string | undefined
}

/** The metadata after some updates. Requirements must hold. @throws InvariantError when an update makes no sense */
export function applyUpdates(
  metadata: TableMetadata | undefined,
  updates: readonly MetadataUpdate[],
  { nowMs, previousLocation }: UpdateContext,
): TableMetadata {
  const start: Draft = { ...(metadata ?? EMPTY) }
  const draft = updates.reduce(applyUpdate, start)
  // Clocks of several writers differ; time in the logs may not go back.
  const updatedMs = Math.max(nowMs, metadata?.['last-updated-ms'] ?? 0)
  const before = metadata?.refs[MAIN_BRANCH]?.['snapshot-id']
  const current = draft.refs[MAIN_BRANCH]?.['snapshot-id']
  const kept = new Set(draft.snapshots.map((snapshot) => snapshot['snapshot-id']))
  const { 'current-snapshot-id': _, ...rest } = draft
  return {
    ...rest,
    ...(current === undefined ? {} : { 'current-snapshot-id': current }),
    'last-updated-ms': updatedMs,
    'snapshot-log': [
      ...draft['snapshot-log'].filter((entry) => kept.has(entry['snapshot-id'])),
      ...(current === undefined || current === before
        ? []
        : [{ 'timestamp-ms': updatedMs, 'snapshot-id': current }]),
    ],
    'metadata-log': metadataLog(metadata, draft, previousLocation),
  }
}

function metadataLog(
  metadata: TableMetadata | undefined,
  draft: Draft,
  previousLocation: string | undefined,
) {
  if (metadata === undefined || previousLocation === undefined) return draft['metadata-log']
  const asked = Number(draft.properties[PREVIOUS_VERSIONS_PROPERTY])
  const max = Number.isSafeInteger(asked) && asked > 0 ? asked : PREVIOUS_VERSIONS_MAX
  const entry = { 'timestamp-ms': metadata['last-updated-ms'], 'metadata-file': previousLocation }
  return [...draft['metadata-log'], entry].slice(-max)
}

type Draft = { -readonly [K in keyof TableMetadata]: TableMetadata[K] }

const EMPTY: TableMetadata = {
  'format-version': 2,
  'table-uuid': '',
  location: '',
  'last-sequence-number': 0,
  'last-updated-ms': 0,
  'last-column-id': 0,
  'current-schema-id': -1,
  schemas: [],
  'default-spec-id': -1,
  'partition-specs': [],
  'last-partition-id': PARTITION_ID_START - 1,
  'default-sort-order-id': -1,
  'sort-orders': [],
  properties: {},
  refs: {},
  snapshots: [],
  'snapshot-log': [],
  'metadata-log': [],
}

function applyUpdate(draft: Draft, update: MetadataUpdate): Draft {
  switch (update.action) {
    case 'assign-uuid':
      return { ...draft, 'table-uuid': update.uuid }
    case 'upgrade-format-version':
      return { ...draft, 'format-version': update['format-version'] }
    case 'set-location':
      return { ...draft, location: update.location }
    case 'add-schema':
      return {
        ...draft,
        schemas: [...draft.schemas, update.schema],
        'last-column-id': Math.max(draft['last-column-id'], update['last-column-id']),
      }
    case 'set-current-schema':
      return {
        ...draft,
        'current-schema-id': idOrLast(update['schema-id'], draft.schemas, 'schema-id'),
      }
    case 'add-spec': {
      const ids = update.spec.fields.map((field) => field['field-id'])
      return {
        ...draft,
        'partition-specs': [...draft['partition-specs'], update.spec],
        'last-partition-id': Math.max(draft['last-partition-id'], ...ids),
      }
    }
    case 'set-default-spec':
      return {
        ...draft,
        'default-spec-id': idOrLast(update['spec-id'], draft['partition-specs'], 'spec-id'),
      }
    case 'add-sort-order':
      return { ...draft, 'sort-orders': [...draft['sort-orders'], update['sort-order']] }
    case 'set-default-sort-order':
      return {
        ...draft,
        'default-sort-order-id': idOrLast(
          update['sort-order-id'],
          draft['sort-orders'],
          'order-id',
        ),
      }
    case 'add-snapshot':
      return {
        ...draft,
        snapshots: [...draft.snapshots, update.snapshot],
        'last-sequence-number': Math.max(
          draft['last-sequence-number'],
          update.snapshot['sequence-number'],
        ),
      }
    case 'set-snapshot-ref': {
      const { action: _, 'ref-name': name, ...ref } = update
      const isKnown = snapshotById(draft as TableMetadata, ref['snapshot-id']) !== undefined
      assert(isKnown, `the snapshot of ${name} is in the table`)
      return { ...draft, refs: { ...draft.refs, [name]: ref } }
    }
    case 'remove-snapshots': {
      const gone = new Set(update['snapshot-ids'])
      for (const ref of Object.values(draft.refs))
        assert(!gone.has(ref['snapshot-id']), 'a snapshot that is referred to is not removed')
      return {
        ...draft,
        snapshots: draft.snapshots.filter((snapshot) => !gone.has(snapshot['snapshot-id'])),
      }
    }
    case 'remove-snapshot-ref': {
      const { [update['ref-name']]: _, ...refs } = draft.refs
      return { ...draft, refs }
    }
    case 'set-properties':
      return { ...draft, properties: { ...draft.properties, ...update.updates } }
    case 'remove-properties': {
      const gone = new Set(update.removals)
      const properties = Object.entries(draft.properties).filter(([name]) => !gone.has(name))
      return { ...draft, properties: Object.fromEntries(properties) }
    }
  }
}

function idOrLast<K extends string>(
  id: number,
  list: readonly { readonly [key in K]?: number }[],
  key: K,
): number {
  const found = id === -1 ? list.at(-1)?.[key] : list.find((each) => each[key] === id)?.[key]
  assert(found !== undefined, `the table has ${key} ${id}`)
  return found
}
