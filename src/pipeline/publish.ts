/** A table in a serving store that is replaced as a whole. */
export interface PublishTarget {
  /** `mysql`: a MySQL or MariaDB server where one is configured, else the PostgreSQL of other serving tables. */
  readonly store: 'mysql'
  readonly table: string
  /** Columns whose values together occur once and are never null. */
  readonly key: readonly string[]
  /** Lists of columns to find rows by. */
  readonly indexes: readonly (readonly string[])[]
}

export interface MysqlTableOptions {
  readonly key: readonly string[]
  /** Default: none. */
  readonly indexes?: readonly (readonly string[])[]
}

/** A lake table that a serving store shows, as planned. */
export interface PublishPlan {
  /** `layer.name` */
  readonly from: string
  readonly target: PublishTarget
  readonly tags: readonly string[]
}

/** A MySQL or MariaDB table for `p.publish`. */
export const mysql = (table: string, { key, indexes = [] }: MysqlTableOptions): PublishTarget =>
  Object.freeze({ store: 'mysql', table, key, indexes })

type Report = (where: string, what: string, fix: string) => void

/** MySQL's limit is 64; the table that is being filled has a longer name. */
const NAME_LENGTH_MAX = 56

export function checkPublish({ target: { table, key } }: PublishPlan, report: Report): void {
  const where = `publish ${table}`
  if (!/^[a-z_][a-z0-9_]*$/.test(table) || table.length > NAME_LENGTH_MAX)
    report(where, 'is no table name', `Use snake_case, at most ${NAME_LENGTH_MAX} characters`)
  if (key.length === 0) report(where, 'has no key', 'Name the columns that tell rows apart')
}
