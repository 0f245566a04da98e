import type { Columns, ColumnType } from '../../model/column.ts'
import { TableMismatchError } from '../errors.ts'
import type { MetadataUpdate } from './catalog.ts'
import { fieldsOf } from './define-schema.ts'
import { type PartitionBy, type SortBy, sortOrderOf, specOf } from './define-spec.ts'
import { type IcebergDeps, type IcebergTools, icebergTools } from './deps.ts'
import { PARTITION_ID_START } from './metadata.ts'
import type { IcebergSchema } from './schema.ts'
import { locationOf } from './table-location.ts'

export interface CreateOptions {
  readonly columns: Columns
  /** Default: none. */
  readonly partitionBy?: readonly PartitionBy[]
  /** How writers should sort. Default: not at all. */
  readonly sortBy?: readonly SortBy[]
  /** Columns that tell rows apart (identifier fields); never null, no floats. Nothing enforces it. Default: none are known. */
  readonly keys?: readonly string[]
  /** Iceberg's own properties and any others. Default: none. */
  readonly properties?: Readonly<Record<string, string>>
  /** Key of the table's folder in the store. Default: the table's name. */
  readonly location?: string
}

/** `exists`: somebody else made a table there, now or earlier; whether it is the one wanted is for the caller to see. */
export type CreateOutcome =
  | { readonly status: 'created' }
  | { readonly status: 'exists' }
  | { readonly status: 'unknown'; readonly cause: unknown }

/**
 * Make an empty table of format version 2, unless one is there.
 * @throws TableMismatchError when the options contradict each other
 */
export async function createIcebergTable(
  deps: IcebergDeps,
  table: string,
  options: CreateOptions,
): Promise<CreateOutcome> {
  const tools = icebergTools(deps)
  const { updates } = creationUpdates(tools, table, options)
  const outcome = await tools.catalog.commit(table, {
    requirements: [{ type: 'assert-create' }],
    updates,
  })
  switch (outcome.status) {
    case 'committed':
      return { status: 'created' }
    case 'conflict':
      return { status: 'exists' }
    case 'unknown':
      return outcome
  }
}

/** What makes an empty table of nothing. @throws TableMismatchError when the options contradict each other */
export function creationUpdates(
  tools: IcebergTools,
  table: string,
  options: CreateOptions,
): { readonly updates: readonly MetadataUpdate[]; readonly schema: IcebergSchema } {
  const { properties = {}, location = table } = options
  const attempted = `Creating the table ${table}`
  checkColumns(options, attempted)
  let lastId = 0
  const fields = fieldsOf(options.columns, () => ++lastId)
  const schema: IcebergSchema = {
    type: 'struct',
    'schema-id': 0,
    'identifier-field-ids': fields
      .filter(({ name }) => options.keys?.includes(name))
      .map(({ id }) => id),
    fields,
  }
  const nothing = { 'partition-specs': [], 'last-partition-id': PARTITION_ID_START - 1 }
  const spec = specOf(schema, options.partitionBy ?? [], nothing, attempted)
  const order = sortOrderOf(schema, options.sortBy ?? [], [], attempted)
  const updates: MetadataUpdate[] = [
    { action: 'assign-uuid', uuid: tools.newId() },
    { action: 'upgrade-format-version', 'format-version': 2 },
    { action: 'set-location', location: locationOf(tools.store, location) },
    { action: 'add-schema', schema, 'last-column-id': lastId },
    { action: 'set-current-schema', 'schema-id': -1 },
    { action: 'add-spec', spec },
    { action: 'set-default-spec', 'spec-id': -1 },
    { action: 'add-sort-order', 'sort-order': order },
    { action: 'set-default-sort-order', 'sort-order-id': -1 },
    { action: 'set-properties', updates: properties },
  ]
  return { updates, schema }
}

function checkColumns({ columns, keys = [] }: CreateOptions, attempted: string): void {
  const problems: string[] = []
  const seen = new Set<string>()
  if (columns.length === 0) problems.push('it has no columns')
  for (const { name } of columns) {
    if (name === '') problems.push('a column has no name')
    if (seen.has(name.toLowerCase())) problems.push(`column ${name} is there twice`)
    seen.add(name.toLowerCase())
  }
  for (const key of keys) {
    const column = columns.find(({ name }) => name === key)
    if (column === undefined) problems.push(`there is no column ${key} to be a key`)
    else if (column.nullable || !mayBeKey(column.type))
      problems.push(`${key} cannot be a key: it may be null, is nested or a float`)
  }
  if (problems.length > 0) throw new TableMismatchError(attempted, problems)
}

/** Table spec, "Identifier Field IDs". */
const mayBeKey = (type: ColumnType) =>
  typeof type === 'string' ? !type.startsWith('float') : type.kind === 'decimal'
