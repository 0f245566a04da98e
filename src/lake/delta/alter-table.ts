import type { Condition } from '../../model/row-edit.ts'
import { sql } from '../../model/row-edit.ts'
import { TableMismatchError } from '../errors.ts'
import type { Action } from './actions.ts'
import { type AlterOptions, alteredMetadata } from './alter.ts'
import { spokenSql } from './constraints.ts'
import { type CommitOptions, finishCommit, type TableCommitOutcome } from './finish-commit.ts'
import type { LogState } from './log-state.ts'
import { type OpenTable, writeContext } from './open-table.ts'
import { checkWritable } from './protocol.ts'
import { checkProperties, neededFeatures, upgraded } from './protocol-upgrade.ts'
import { planScan } from './scan.ts'
import { tableSchemaOf } from './table-schema.ts'

export type AlterOutcome =
  | TableCommitOutcome
  | { readonly status: 'unchanged'; readonly version: number }

/** Times that the change is made again on top of what others did meanwhile. */
const ATTEMPT_COUNT_MAX = 8

/**
 * Change a table's schema, properties or constraints by one commit. The change itself is cheap, so that it is made anew when others
 * commit in between; only rows that have to be checked cost more.
 * @throws TableMismatchError, TableUnsupportedError
 */
export async function alterTable(
  table: OpenTable,
  options: AlterOptions & CommitOptions,
  signal?: AbortSignal,
): Promise<AlterOutcome> {
  let outcome: AlterOutcome | undefined
  for (let attempt = 0; attempt < ATTEMPT_COUNT_MAX; attempt += 1) {
    outcome = await alterOnce(table, options, signal)
    if (outcome.status !== 'conflict' || outcome.reason === 'transaction_moved') break
  }
  return outcome!
}

async function alterOnce(
  table: OpenTable,
  options: AlterOptions & CommitOptions,
  signal?: AbortSignal,
): Promise<AlterOutcome> {
  const { log } = table
  const { tableKey } = log.context
  const state = await log.newest(signal)
  const { struct } = tableSchemaOf(state, tableKey)
  checkWritable(state.protocol, { metadata: state.metadata, schema: struct }, tableKey)
  const set = Object.entries(options.properties ?? {}).filter(([, value]) => value !== null)
  checkProperties(tableKey, Object.fromEntries(set) as Record<string, string>)
  const altered = alteredMetadata(state.metadata, struct, options, {
    table: tableKey,
    newId: log.newId,
  })
  const { metadata, schema } = altered
  const protocol = upgraded(state.protocol, neededFeatures(schema, metadata.configuration))
  const isSame = JSON.stringify(metadata) === JSON.stringify(state.metadata)
  if (isSame && protocol === state.protocol) return { status: 'unchanged', version: state.version }
  await checkOldRows(table, state, options, signal)
  const actions: Action[] = [
    ...(protocol === state.protocol ? [] : [{ protocol }]),
    ...(isSame ? [] : [{ metaData: metadata }]),
  ]
  return finishCommit(
    table,
    {
      commitId: log.newId(),
      base: state,
      intent: {
        read: 'nothing',
        removes: new Set(),
        changesMetadata: true,
        transactions: options.transactions ?? [],
        domains: new Set(),
      },
      actions,
      info: {
        operation: 'ALTER TABLE',
        operationParameters: { changes: JSON.stringify(changesIn(options)) },
        isBlindAppend: false,
      },
    },
    options,
    signal,
  )
}

/** New constraints hold for the rows that are there, or are not made. */
async function checkOldRows(
  table: OpenTable,
  state: LogState,
  { forbidNulls = [], addConstraints = {} }: AlterOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { context } = table.log
  const checks: [string, Condition][] = [
    ...forbidNulls.map((name): [string, Condition] => [
      `column ${name} holds nulls`,
      { kind: 'not', of: { kind: 'is_null', column: [name] } },
    ]),
    ...Object.entries(addConstraints).map(([name, text]): [string, Condition] => [
      `rows break constraint ${name}`,
      sql(spokenSql(text)),
    ]),
  ]
  if (checks.length === 0) return
  const { rows } = writeContext(table)
  const schema = tableSchemaOf(state, context.tableKey)
  const plan = await planScan({ ...context, state, schema }, {}, signal)
  await using held = await rows.planRelation({ plan }, signal)
  const counts = await rows.countViolations(
    held.relation,
    checks.map(([, check]) => check),
    signal,
  )
  const problems = checks.flatMap(([problem], index) =>
    counts[index]! > 0 ? [`${problem} (${counts[index]} rows)`] : [],
  )
  if (problems.length > 0) throw new TableMismatchError(`Altering ${context.tableKey}`, problems)
}

/** The changes without what every commit can carry, for the history. */
function changesIn(options: AlterOptions & CommitOptions): AlterOptions {
  const { properties, addColumns, renameColumns, dropColumns, widenColumns } = options
  const { allowNulls, forbidNulls, addConstraints, dropConstraints } = options
  const columns = { addColumns, renameColumns, dropColumns, widenColumns, allowNulls, forbidNulls }
  return { properties, ...columns, addConstraints, dropConstraints } as AlterOptions
}
