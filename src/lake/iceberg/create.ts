import type { Columns } from '../../model/column.ts'
import { TableMismatchError } from '../errors.ts'
import type { MetadataUpdate } from './catalog.ts'
import { fieldsOf } from './define-schema.ts'
import { type PartitionBy, type SortBy, sortOrderOf, specOf } from './define-spec.ts'
import { type IcebergDeps, icebergTools } from './deps.ts'
import { PARTITION_ID_START } from './metadata.ts'
import type { IcebergSchema } from './schema.ts'
import { locationOf } from './table-location.ts'

export interface CreateOptions {
  readonly columns: Columns
  /** Default: none. */
  readonly partitionBy?: readonly PartitionBy[]
  /** How writers should sort. Default: not at all. */
  readonly sortBy?: readonly SortBy[]
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
  const { properties = {}, location = table } = options
  const attempted = `Creating the table ${table}`
  checkColumns(options.columns, attempted)
  let lastId = 0
  const schema: IcebergSchema = {
    type: 'struct',
    'schema-id': 0,
    'identifier-field-ids': [],
    fields: fieldsOf(options.columns, () => ++lastId),
  }
  const nothing = { 'partition-specs': [], 'last-partition-id': PARTITION_ID_START - 1 }
  const spec = specOf(schema, options.partitionBy ?? [], nothing, attempted)
  const order = sortOrderOf(schema, options.sortBy ?? [], [], attempted)
  const updates: MetadataUpdate[] = [
    { action: 'assign-uuid', uuid: tools.newId() },
    { action: 'upgrade-format-version', 'format-version': 2 },
    { action: 'set-location', location: locationOf(deps.store, location) },
    { action: 'add-schema', schema, 'last-column-id': lastId },
    { action: 'set-current-schema', 'schema-id': -1 },
    { action: 'add-spec', spec },
    { action: 'set-default-spec', 'spec-id': -1 },
    { action: 'add-sort-order', 'sort-order': order },
    { action: 'set-default-sort-order', 'sort-order-id': -1 },
    { action: 'set-properties', updates: properties },
  ]
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

function checkColumns(columns: Columns, attempted: string): void {
  const problems: string[] = []
  const seen = new Set<string>()
  if (columns.length === 0) problems.push('it has no columns')
  for (const { name } of columns) {
    if (name === '') problems.push('a column has no name')
    if (seen.has(name.toLowerCase())) problems.push(`column ${name} is there twice`)
    seen.add(name.toLowerCase())
  }
  if (problems.length > 0) throw new TableMismatchError(attempted, problems)
}
