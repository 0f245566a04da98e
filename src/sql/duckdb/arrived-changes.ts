import type { Relation } from '../../model/relation.ts'
import type { ComputeEngine } from './engine.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import {
  BEGINNING_SQL,
  OPEN_SQL,
  type ReferenceFacts,
  VERSION_COLUMNS,
} from './reference-version.ts'
import { duckdbType } from './type-mapping.ts'

// Changes of a reference that come one by one, in order, laid down in the engine until they become versions together. A row may change several
// times in between; each time is a version.

/** As the source spells it; `undefined` where the value is the one from before. */
export type ArrivedCell = string | null | undefined

export interface ArrivedChanges {
  readonly rowCount: number
  /** A row is there or is changed. `keyBefore` when it had another key before, and its values are to be taken from there. */
  put(row: ArrivedRow): Promise<void>
  gone(key: string, atMicros: bigint): void
  /** All rows are gone. */
  emptied(atMicros: bigint): Promise<void>
  /** What all of it changes, as versions for the history; as `ReferenceTable.compare`. */
  versions(nowMicros: bigint): Promise<Relation>
  /** Forget it all. Calling it twice is fine. */
  drop(): Promise<void>
}

export interface ArrivedRow {
  /** By the reference's columns. */
  readonly cells: readonly ArrivedCell[]
  /** When the source says that it changed. */
  readonly changedAt: ArrivedCell
  /** When it was committed, microseconds since 1970. */
  readonly atMicros: bigint
  readonly keyBefore?: string
}

/** Rows are handed to the engine in portions. */
const FLUSH_ROW_COUNT = 10_000

export async function openArrivedChanges(
  engine: ComputeEngine,
  relation: string,
  facts: ReferenceFacts,
): Promise<ArrivedChanges> {
  const connection = await engine.connection()
  const text = engine.relationName('arrived')
  const names = facts.columns.map(({ name }) => quoteIdentifier(name))
  const cells = ['n', 'gone', 'at', 'changed_at', 'kept'].map((name) => `"${name}$" VARCHAR`)
  await connection.run(
    `CREATE TABLE ${text} (${[...cells, ...names.map((name) => `${name} VARCHAR`)].join(', ')})`,
  )
  const appender = await connection.driver.createAppender(text)
  const keyPlace = facts.columns.findIndex(({ name }) => name === facts.key)
  const key = names[keyPlace]!
  let rowCount = 0
  let isDropped = false
  const append = (row: readonly (string | null)[]) => {
    for (const cell of row) cell === null ? appender.appendNull() : appender.appendVarchar(cell)
    appender.endRow()
    rowCount += 1
    if (rowCount % FLUSH_ROW_COUNT === 0) appender.flushSync()
  }
  return {
    get rowCount() {
      return rowCount
    },
    async put({ cells: given, changedAt, atMicros, keyBefore }) {
      const isWhole = !given.includes(undefined)
      const filled = isWhole || keyBefore === undefined ? given : await fillFrom(keyBefore, given)
      // Which values are those from before, a letter for each column.
      const kept = filled.includes(undefined)
        ? filled.map((cell) => (cell === undefined ? 'k' : '-')).join('')
        : null
      const head = [String(rowCount), 'false', String(atMicros), changedAt ?? null, kept]
      append([...head, ...filled.map((cell) => cell ?? null)])
    },
    gone: (value, atMicros) =>
      append([
        ...[String(rowCount), 'true', String(atMicros), null, null],
        ...names.map((_, place) => (place === keyPlace ? value : null)),
      ]),
    async emptied(atMicros) {
      appender.flushSync()
      await connection.run(
        `INSERT INTO ${text} ("n$", "gone$", "at$", ${key}) SELECT '${rowCount}', 'true', '${atMicros}', k ` +
          `FROM (SELECT ${key}::VARCHAR AS k FROM ${relation} WHERE valid_to = ${OPEN_SQL} UNION SELECT ${key} FROM ${text})`,
      )
      rowCount += 1
    },
    async versions(nowMicros) {
      appender.flushSync()
      const name = engine.relationName('changes')
      await connection.run(
        `CREATE TABLE ${name} AS ${versionsSql(relation, text, facts, nowMicros)}`,
      )
      const [row] = await connection.rows(`SELECT count(*) FROM ${name}`)
      const columns = [...facts.columns, ...VERSION_COLUMNS]
      return { name, columns, rowCount: Number(row![0]) }
    },
    async drop() {
      if (isDropped) return
      isDropped = true
      appender.closeSync()
      await connection.run(`DROP TABLE ${text}`)
      connection.close()
    },
  }

  /** A row takes its large values along when its key changes, though nobody says them again. */
  async function fillFrom(before: string, given: readonly ArrivedCell[]): Promise<ArrivedCell[]> {
    appender.flushSync()
    const found = await connection.run(newestSql(relation, text, facts), { values: [before] })
    const known = (await found.getRows())[0] as (string | null)[] | undefined
    return given.map((cell, place) => (cell === undefined ? (known?.[place] ?? null) : cell))
  }
}

/** The newest known values of the row with key `$1`, as text: what came last, or what holds. */
function newestSql(relation: string, text: string, { columns, key }: ReferenceFacts): string {
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const is = quoteIdentifier(key)
  const newest = names.map(
    (name, place) =>
      `arg_max({v: ${name}}, n) FILTER (substr(kept, ${place + 1}, 1) <> 'k')['v'] AS ${name}`,
  )
  return (
    `SELECT ${newest.join(', ')} FROM (` +
    `SELECT "n$"::BIGINT AS n, coalesce("kept$", '') AS kept, ${names.join(', ')} FROM ${text} WHERE ${is} = $1 AND "gone$" = 'false' ` +
    `UNION ALL SELECT -1, '', ${names.map((name) => `${name}::VARCHAR`).join(', ')} FROM ${relation} WHERE valid_to = ${OPEN_SQL} AND ${is}::VARCHAR = $1)`
  )
}

/**
 * Versions from changes. Of each key: what holds, then what came, with the values that were left out filled in from the row before; of that only what differs from the
 * row before. A version begins when its source says so, or when it was committed if that has not moved, yet after the one before it; it ends
 * where the next begins. The very first of a key holds from the beginning, as everywhere.
 */
function versionsSql(
  relation: string,
  text: string,
  { columns, key: keyName }: ReferenceFacts,
  nowMicros: bigint,
): string {
  const key = quoteIdentifier(keyName)
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const typed = columns.map(({ name, type }) => {
    const cell = quoteIdentifier(name)
    return `${cell}::${duckdbType(type)} AS ${cell}`
  })
  const filled = columns.map(({ name }, place) => {
    const cell = quoteIdentifier(name)
    if (name === keyName) return cell
    return `(last_value(CASE WHEN substr("kept$", ${place + 1}, 1) <> 'k' THEN {v: ${cell}} END IGNORE NULLS) OVER (PARTITION BY ${key} ORDER BY "n$"))['v'] AS ${cell}`
  })
  const before = names.map((name, place) => `lag(${name}) OVER w AS "before${place}$"`)
  const differs = names.map((name, place) => `${name} IS DISTINCT FROM "before${place}$"`)
  return `WITH came AS (
  SELECT "n$"::BIGINT AS "n$", "gone$"::BOOLEAN AS "gone$", make_timestamptz("at$"::BIGINT) AS "at$", "changed_at$"::TIMESTAMPTZ AS "changed_at$",
    coalesce("kept$", '') AS "kept$", ${typed.join(', ')} FROM ${text}
), keys AS (SELECT DISTINCT ${key} FROM came
), ended AS (SELECT ${key}, max(valid_to) AS "ended$" FROM ${relation} SEMI JOIN keys USING (${key}) GROUP BY ALL
), seen AS (
  SELECT -1 AS "n$", false AS "gone$", valid_from AS "at$", valid_from AS "changed_at$", '' AS "kept$", ${names.join(', ')}
  FROM ${relation} SEMI JOIN keys USING (${key}) WHERE valid_to = ${OPEN_SQL}
  UNION ALL SELECT * FROM came
), filled AS (
  SELECT "n$", "gone$", "at$", "changed_at$", ${filled.join(', ')} FROM seen
), followed AS (
  SELECT *, lag("gone$") OVER w AS "was_gone$", lag("changed_at$") OVER w AS "before_at$", ${before.join(', ')}
  FROM filled WINDOW w AS (PARTITION BY ${key} ORDER BY "n$")
), steps AS (
  SELECT *, row_number() OVER (PARTITION BY ${key} ORDER BY "n$") - 1 AS "place$",
    CASE WHEN "gone$" OR "changed_at$" IS NULL OR "changed_at$" <= "before_at$" THEN "at$" ELSE "changed_at$" END AS "said$"
  FROM followed
  WHERE "n$" = -1 OR CASE WHEN "gone$" THEN NOT coalesce("was_gone$", true) WHEN coalesce("was_gone$", true) THEN true ELSE ${differs.join(' OR ')} END
), bounded AS (
  SELECT s.*, CASE WHEN "place$" > 0 OR "n$" = -1 THEN "said$" WHEN "ended$" IS NULL THEN ${BEGINNING_SQL} ELSE greatest("said$", "ended$") END AS "bound$"
  FROM steps s LEFT JOIN ended USING (${key})
), begun AS (
  SELECT *, max(epoch_us("bound$") - "place$") OVER (PARTITION BY ${key} ORDER BY "n$") + "place$" AS "begins$" FROM bounded
), lasting AS (
  SELECT *, lead("begins$") OVER (PARTITION BY ${key} ORDER BY "n$") AS "ends$" FROM begun
)
SELECT ${names.join(', ')}, make_timestamptz("begins$"::BIGINT) AS valid_from, make_timestamptz("ends$"::BIGINT) AS valid_to, make_timestamptz(${nowMicros}) AS known_at
FROM lasting WHERE NOT "gone$" AND ("n$" >= 0 OR "ends$" IS NOT NULL)`
}
