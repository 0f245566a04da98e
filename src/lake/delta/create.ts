import type { Columns } from '../../model/column.ts'
import { uuidV7Maker } from '../../model/uuid.ts'
import { TableMismatchError } from '../errors.ts'
import type { CommitInfoAction, MetadataAction, StringMap } from './actions.ts'
import { MAPPING_MODE, withMapping } from './column-mapping.ts'
import { putCommit } from './commit.ts'
import { GENERATION } from './constraints.ts'
import { ENGINE_INFO } from './engine-info.ts'
import { LAST_CHECKPOINT, LOG_FOLDER, parseLogFile } from './log-files.ts'
import { checkProperties, feedProblems, neededFeatures, protocolWith } from './protocol-upgrade.ts'
import { type DeltaStruct, schemaOfColumns } from './schema.ts'
import { commitContext, type DeltaDeps } from './table-log.ts'

export interface CreateOptions {
  readonly columns: Columns
  /** Names of columns, in order. Not all of them, and none nested or binary. Default: none. */
  readonly partitionBy?: readonly string[]
  /** `delta.…` properties and any others. Default: none. */
  readonly properties?: StringMap
  /** SQL by column, over the other columns: what the column holds when rows come without it, and must hold when they bring it. */
  readonly generatedColumns?: Readonly<Record<string, string>>
  readonly name?: string
  readonly description?: string
  /** Default: this program and its version. */
  readonly engineInfo?: string
}

/** `exists`: somebody else made a table there, now or earlier; whether it is the one wanted is for the caller to see. */
export type CreateOutcome =
  | { readonly status: 'created' }
  | { readonly status: 'exists' }
  | { readonly status: 'unknown'; readonly cause: unknown }

/**
 * Make an empty table at `location`, a key in the store, unless one is there.
 * @throws TableMismatchError when the options contradict each other
 * @throws TableUnsupportedError when a property needs what Mekong cannot do
 */
export async function createDeltaTable(
  deps: DeltaDeps,
  location: string,
  options: CreateOptions,
): Promise<CreateOutcome> {
  checkCreateOptions(location, options)
  checkProperties(location, options.properties ?? {})
  const newId = uuidV7Maker(deps.clock, deps.randomness)
  const { schema, configuration } = plannedSchema(options, newId)
  const protocol = protocolWith(neededFeatures(schema, configuration))
  const context = commitContext(deps, location)
  if (await hasLog(deps, location)) return { status: 'exists' }
  const commitId = newId()
  const nowMs = deps.clock.nowMs()
  const metaData: MetadataAction = {
    id: newId(),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.description === undefined ? {} : { description: options.description }),
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify(schema),
    partitionColumns: options.partitionBy ?? [],
    createdTime: nowMs,
    configuration,
  }
  const commitInfo: CommitInfoAction = {
    timestamp: nowMs,
    ...(options.properties?.['delta.enableInCommitTimestamps'] === 'true'
      ? { inCommitTimestamp: nowMs }
      : {}),
    operation: 'CREATE TABLE',
    operationParameters: { partitionBy: JSON.stringify(options.partitionBy ?? []) },
    isBlindAppend: true,
    engineInfo: options.engineInfo ?? ENGINE_INFO,
    txnId: commitId,
  }
  const put = await putCommit(context, 0, [{ commitInfo }, { protocol }, { metaData }], commitId)
  switch (put.status) {
    case 'mine':
      return { status: 'created' }
    case 'taken':
      return { status: 'exists' }
    case 'unknown':
      return { status: 'unknown', cause: put.cause }
  }
}

/** The schema as Delta writes it, with generation expressions and, under column mapping, ids and physical names. */
function plannedSchema(
  { columns, generatedColumns = {}, properties = {} }: CreateOptions,
  newId: () => string,
): { schema: DeltaStruct; configuration: StringMap } {
  const { fields } = schemaOfColumns(columns)
  const schema: DeltaStruct = {
    type: 'struct',
    fields: fields.map((field) => {
      const expression = generatedColumns[field.name]
      if (expression === undefined) return field
      return { ...field, metadata: { ...field.metadata, [GENERATION]: expression } }
    }),
  }
  return properties[MAPPING_MODE] === 'name'
    ? withMapping(schema, properties, () => `col-${newId()}`)
    : { schema, configuration: properties }
}

/** Also finds a table whose first commits have been cleaned up; a new version 0 under it would be a disaster. */
export async function hasLog({ store }: DeltaDeps, location: string): Promise<boolean> {
  const prefix = `${location}/${LOG_FOLDER}/`
  for await (const { key } of store.list({ prefix, delimiter: '/' })) {
    const name = key.slice(prefix.length)
    if (name === LAST_CHECKPOINT || parseLogFile(name) !== undefined) return true
  }
  return false
}

/** @throws TableMismatchError */
export function checkCreateOptions(
  location: string,
  { columns, partitionBy = [], properties = {}, generatedColumns = {} }: CreateOptions,
): void {
  const problems: string[] = []
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (name === '') problems.push('a column has no name')
    // PROTOCOL.md, "Schema Serialization Format"; the characters are those that old Parquet readers trip over.
    if (properties[MAPPING_MODE] !== 'name' && /[ ,;{}()\n\t=]/.test(name))
      problems.push(`column ${JSON.stringify(name)} has one of " ,;{}()\\n\\t=" in its name`)
    if (seen.has(name.toLowerCase())) problems.push(`column ${name} is there twice`)
    seen.add(name.toLowerCase())
  }
  for (const name of partitionBy) {
    const column = columns.find((candidate) => candidate.name === name)
    if (column === undefined)
      problems.push(`it cannot be partitioned by ${name}, which is no column`)
    else if (
      column.type === 'binary' ||
      (typeof column.type === 'object' && column.type.kind !== 'decimal')
    )
      problems.push(`it cannot be partitioned by ${name}: values of its type do not fit a path`)
  }
  if (new Set(partitionBy).size !== partitionBy.length)
    problems.push('a partition column is named twice')
  for (const name of Object.keys(generatedColumns))
    if (!columns.some((column) => column.name === name))
      problems.push(`${name} cannot be generated, because it is no column`)
  problems.push(...feedProblems(schemaOfColumns(columns), properties))
  if (columns.length === 0) problems.push('it has no columns')
  else if (partitionBy.length === columns.length)
    problems.push('every column is a partition column, so that its files would be empty')
  if (problems.length > 0) throw new TableMismatchError(`Creating the table ${location}`, problems)
}
