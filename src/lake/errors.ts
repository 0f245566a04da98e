import { PlatformError } from '../model/errors.ts'

/** There is no table at the place, or not the kind that was asked for. */
export class TableMissingError extends PlatformError {
  readonly code = 'TABLE_MISSING'
  readonly retry = 'never'
}

/** The snapshot asked for does not exist: never committed, or no longer kept. */
export class SnapshotMissingError extends PlatformError {
  readonly code = 'SNAPSHOT_MISSING'
  readonly retry = 'never'
}

/** The table's metadata breaks its own format. Nothing was read from it or written to it. */
export class TableBrokenError extends PlatformError {
  readonly code = 'TABLE_BROKEN'
  readonly retry = 'never'
}

/** The table needs something of its readers or writers that we do not do. `features` names each. */
export class TableUnsupportedError extends PlatformError {
  readonly code = 'TABLE_UNSUPPORTED'
  readonly retry = 'never'
  readonly features: readonly string[]

  constructor(message: string, features: readonly string[]) {
    super(message)
    this.features = features
  }
}

/** Rows or options do not fit the table. `problems` lists each mismatch; nothing was written. */
export class TableMismatchError extends PlatformError {
  readonly code = 'TABLE_MISMATCH'
  readonly retry = 'never'
  readonly problems: readonly string[]

  constructor(attempted: string, problems: readonly string[]) {
    super(`${attempted}: ${problems.join('; ')}. Nothing was written.`)
    this.problems = problems
  }
}

/** Several source rows of a merge want to change the same row of the table, so that there is no one answer. */
export class MergeAmbiguousError extends PlatformError {
  readonly code = 'MERGE_AMBIGUOUS'
  readonly retry = 'never'
  readonly rowCount: number

  constructor(table: string, rowCount: number) {
    super(
      `Merging into ${table}: ${rowCount} of its rows match several source rows that would change them. ` +
        'Nothing was written. Leave one source row for each key, or narrow the conditions.',
    )
    this.rowCount = rowCount
  }
}

/** A catalog of tables does not answer. Nothing was changed; trying again later may help. */
export class CatalogUnavailableError extends PlatformError {
  readonly code = 'CATALOG_UNAVAILABLE'
  readonly retry = 'later'
}

/** A catalog of tables refuses what it was asked: no rights, or a request that it does not take. Nothing was changed. */
export class CatalogRefusedError extends PlatformError {
  readonly code = 'CATALOG_REFUSED'
  readonly retry = 'never'
  /** The service's HTTP status. */
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** Changes were asked for that can no longer be told: commits or files that hold them were cleaned up. */
export class ChangesMissingError extends PlatformError {
  readonly code = 'CHANGES_MISSING'
  readonly retry = 'never'
}
