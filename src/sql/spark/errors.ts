import { PlatformError } from '../../model/errors.ts'

/** Spark does not answer, or broke off. Nothing of the statement counts. */
export class SparkUnavailableError extends PlatformError {
  readonly code = 'SPARK_UNAVAILABLE'
  readonly retry = 'later'
}

/** Spark refused a statement, or failed at it. */
export class SparkSqlError extends PlatformError {
  readonly code = 'SPARK_SQL_FAILED'
  readonly retry = 'never'
  /** Spark's own error class, such as `TABLE_OR_VIEW_NOT_FOUND`, where it says one. */
  readonly errorClass: string | undefined

  constructor(message: string, errorClass: string | undefined) {
    super(message)
    this.errorClass = errorClass
  }
}

/** A model's SQL that cannot be said in Spark's dialect. */
export class SparkDialectError extends PlatformError {
  readonly code = 'SPARK_DIALECT'
  readonly retry = 'never'
}
