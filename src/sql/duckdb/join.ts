import type { Columns } from '../../model/column.ts'
import { assert } from '../../model/errors.ts'
import { joinedColumns } from '../../model/joined-columns.ts'
import { RECORD_COLUMNS, type Relation } from '../../model/relation.ts'
import type { JoinStep } from '../../model/step.ts'
import type { EngineConnection } from './engine.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import { ownColumns, type StepOutcome } from './step-outcome.ts'
import { duckdbType } from './type-mapping.ts'

// A stream meets a reference: one statement for a whole batch, in which the engine hashes the smaller side. A reference is a relation with its
// columns, `valid_from` (inclusive) and `valid_to` (exclusive), neither ever null, and versions of one key that do not overlap; so a row finds
// one version at most, and comes out once.

/** Join a relation with a reference. Every row stays. */
export async function runJoin(
  connection: EngineConnection,
  relation: Relation,
  step: JoinStep,
  references: ReadonlyMap<string, string> | undefined,
  signal: AbortSignal | undefined,
): Promise<StepOutcome> {
  const reference = references?.get(step.reference)
  assert(reference !== undefined, `the reference ${step.reference} is in the engine`)
  const name = connection.engine.relationName('joined')
  const own = ownColumns(relation.columns)
  const sql =
    step.each === undefined
      ? columnJoinSql(relation.name, own, step, reference)
      : listJoinSql(relation.name, own, { ...step, each: step.each }, reference)
  await connection.run(`CREATE TABLE ${name} AS ${sql}`, { signal })
  const columns = [...joinedColumns(own, step), ...RECORD_COLUMNS]
  return { relation: { name, columns, rowCount: relation.rowCount }, failed: [] }
}

const RECORD_CELLS = RECORD_COLUMNS.map(({ name }) => `r.${name}`).join(', ')

const versionAt = (step: JoinStep, value: string, at: string) =>
  `k.${quoteIdentifier(step.key)} = ${value} AND k.valid_from <= ${at} AND ${at} < k.valid_to`

const notFound = ({ reference }: JoinStep, value: string) =>
  `${quoteText(`${reference}:`)} || ${value}::VARCHAR`

function columnJoinSql(relation: string, own: Columns, step: JoinStep, reference: string): string {
  const value = `r.${quoteIdentifier(step.on)}`
  const missing = `CASE WHEN k.valid_from IS NULL AND ${value} IS NOT NULL THEN [${notFound(step, value)}] ELSE [] END`
  const cells = [
    ...keptCells(own, step),
    ...step.take.map(({ name, from, type }) => takenCell(name, from, type)),
    `${withEarlier(own, step, missing)} AS ${quoteIdentifier(step.missing)}`,
  ]
  return (
    `SELECT ${cells.join(', ')}, ${RECORD_CELLS} FROM ${relation} r ` +
    `LEFT JOIN ${reference} k ON ${versionAt(step, value, `r.${quoteIdentifier(step.at)}`)}`
  )
}

function listJoinSql(
  relation: string,
  own: Columns,
  step: JoinStep & { readonly each: string },
  reference: string,
): string {
  const list = quoteIdentifier(step.each)
  const value = `l.item.${quoteIdentifier(step.on)}`
  const fields = [
    ...elementColumns(own, step.each).map((c) => {
      const field = quoteIdentifier(c.name)
      return `${field}: l.item.${field}`
    }),
    ...step.take.map(
      ({ name, from, type }) =>
        `${quoteIdentifier(name)}: k.${quoteIdentifier(from)}::${duckdbType(type)}`,
    ),
  ]
  const lines = `SELECT rowid AS n, ${quoteIdentifier(step.at)} AS moment, unnest(${list}) AS item, generate_subscripts(${list}, 1) AS i FROM ${relation}`
  // Gathered with their places and then sorted, list by list: an aggregate that orders its input costs eight times as much (bench join).
  const item = `{i: l.i, item: CASE WHEN l.item IS NOT NULL THEN {${fields.join(', ')}} END}`
  const items =
    `SELECT l.n, list_transform(list_sort(list(${item})), lambda place: place.item) AS items, ` +
    `list_sort(list(DISTINCT ${notFound(step, value)}) FILTER (k.valid_from IS NULL AND ${value} IS NOT NULL)) AS missing ` +
    `FROM (${lines}) l LEFT JOIN ${reference} k ON ${versionAt(step, value, 'l.moment')} GROUP BY l.n`
  const cells = [
    ...keptCells(own, step),
    `${withEarlier(own, step, 'coalesce(j.missing, [])')} AS ${quoteIdentifier(step.missing)}`,
  ].map((cell) =>
    cell === `r.${list}`
      ? `coalesce(j.items, CASE WHEN r.${list} IS NOT NULL THEN [] END) AS ${list}`
      : cell,
  )
  return (
    `SELECT ${cells.join(', ')}, ${RECORD_CELLS} FROM ${relation} r ` +
    `LEFT JOIN (${items}) j ON j.n = r.rowid`
  )
}

const keptCells = (own: Columns, { missing }: JoinStep) =>
  own.filter(({ name }) => name !== missing).map(({ name }) => `r.${quoteIdentifier(name)}`)

const takenCell = (name: string, from: string, type: Columns[number]['type']) =>
  `k.${quoteIdentifier(from)}::${duckdbType(type)} AS ${quoteIdentifier(name)}`

/** What earlier joins did not find, and what this one did not. */
function withEarlier(own: Columns, { missing }: JoinStep, found: string): string {
  return own.some(({ name }) => name === missing)
    ? `list_concat(r.${quoteIdentifier(missing)}, (${found})::VARCHAR[])`
    : `(${found})::VARCHAR[]`
}

function elementColumns(own: Columns, name: string): Columns {
  const type = own.find((column) => column.name === name)?.type
  assert(
    type !== undefined && typeof type !== 'string' && type.kind === 'list',
    `${name} is a list`,
  )
  const { element } = type
  assert(typeof element !== 'string' && element.kind === 'struct', `${name} is a list of objects`)
  return element.columns
}
