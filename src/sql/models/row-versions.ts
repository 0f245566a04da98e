import type { Columns } from '../../model/column.ts'
import type { SnapshotMaterialization } from '../../model/sql-model.ts'
import { VALIDITY_COLUMNS } from '../../model/sql-model.ts'
import { quoteIdentifier, quoteText } from '../duckdb/quote-identifier.ts'

/** Marks versions that are no longer there, among rows to be put in. */
export const GONE_COLUMN = '_gone'

export interface RowVersionsOptions {
  readonly how: SnapshotMaterialization
  /** Name of the relation with the rows that the model made. */
  readonly made: string
  /** Name of the relation with all versions that are kept, in the table's columns. */
  readonly kept: string
  /** Of the rows made. */
  readonly columns: Columns
  /** When versions begin that do not say it themselves; ISO 8601. */
  readonly runTime: string
  /** `made` holds every row there is: keys that are not in it are closed. */
  readonly isEverything: boolean
}

/**
 * SQL for what a run changes in a table of versions (slowly changing dimension of type 2): versions to put in by key and
 * `valid_from`, and with `_gone` those to take away. The chain of every key concerned is made anew from what is kept and what
 * came, so that late versions find their place and the same rows again change nothing. Where rows say themselves since when they hold,
 * every such moment is a version, also one that changes nothing: dropped, it would be missing once a late one comes before it, and the
 * table would depend on the order in which rows arrived.
 */
export function rowVersionsSql(options: RowVersionsOptions): string {
  const { how, made, kept, columns, runTime, isEverything } = options
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const own = names.join(', ')
  const key = how.key.map(quoteIdentifier).join(', ')
  const since =
    how.validFrom === undefined
      ? `TIMESTAMPTZ ${quoteText(runTime)}`
      : `${quoteIdentifier(how.validFrom)}::TIMESTAMPTZ`
  const skipped = new Set([...how.key, ...how.ignore, ...(how.validFrom ? [how.validFrom] : [])])
  const compared = columns
    .filter(({ name }) => !skipped.has(name))
    .map(({ name }) => quoteIdentifier(name))
  const values = `ROW(${compared.length === 0 ? '0' : compared.join(', ')})`
  const concerned = isEverything
    ? `SELECT * FROM ${kept}`
    : `SELECT k.* FROM ${kept} AS k SEMI JOIN ${made} AS m USING (${key})`
  const absent = isEverything
    ? `SELECT *, true AS _is_end FROM (SELECT ${own}, TIMESTAMPTZ ${quoteText(runTime)} AS valid_from, 2 AS _rank FROM ${kept} AS k ANTI JOIN ${made} AS m USING (${key}) WHERE is_current)`
    : undefined
  return `
WITH before AS (${concerned}),
points AS (
  SELECT *, false AS _is_end FROM (
    SELECT ${own}, valid_from, 0 AS _rank FROM before
    UNION ALL SELECT ${own}, ${since} AS valid_from, 1 AS _rank FROM ${made})
  ${absent === undefined ? '' : `UNION ALL ${absent}`}
  UNION ALL SELECT ${own}, valid_to AS valid_from, 0 AS _rank, true AS _is_end FROM before
    WHERE valid_to IS NOT NULL
),
-- Of one moment the newest word counts; an end counts only where nothing begins.
told AS (
  SELECT * FROM points
  QUALIFY row_number() OVER (PARTITION BY ${key}, valid_from ORDER BY _is_end, _rank DESC) = 1
),
changed AS (
  SELECT * FROM told
  WINDOW chain AS (PARTITION BY ${key} ORDER BY valid_from)
  QUALIFY ${how.validFrom === undefined ? '' : 'true OR '}_is_end OR lag(_is_end) OVER chain IS NOT FALSE OR lag(${values}) OVER chain IS DISTINCT FROM ${values}
),
chained AS (
  SELECT *, lead(valid_from) OVER (PARTITION BY ${key} ORDER BY valid_from) AS valid_to FROM changed
),
after AS (
  SELECT ${own}, valid_from, valid_to, valid_to IS NULL AS is_current FROM chained WHERE NOT _is_end
)
SELECT *, false AS ${GONE_COLUMN} FROM (SELECT * FROM after EXCEPT SELECT ${own}, ${VALIDITY} FROM before)
UNION ALL
SELECT ${own}, ${VALIDITY}, true AS ${GONE_COLUMN} FROM before ANTI JOIN after USING (${key}, valid_from)`
}

const VALIDITY = VALIDITY_COLUMNS.map(({ name }) => name).join(', ')

/** The columns of a table of versions. */
export const versionedColumns = (columns: Columns): Columns => [...columns, ...VALIDITY_COLUMNS]
