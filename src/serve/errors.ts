import { PlatformError } from '../model/errors.ts'

/** The store cannot be reached or cannot take work just now. Nothing was written; the same again later may succeed. */
export class SinkUnavailableError extends PlatformError {
  readonly code = 'SINK_UNAVAILABLE'
  readonly retry = 'later'
}

/** The store is not what the sink was told to expect: credentials, rights, tables, columns, migrations. A person must act. */
export class SinkConfigError extends PlatformError {
  readonly code = 'SINK_MISCONFIGURED'
  readonly retry = 'never'
}

/** The store answered something that the sink has no plan for. Nothing was written. */
export class SinkFailedError extends PlatformError {
  readonly code = 'SINK_FAILED'
  readonly retry = 'never'
}
