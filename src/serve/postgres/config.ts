// Serving from PostgreSQL 13 or newer, a server of your own or the embedded one (`embedded.ts`).
// Writes: rows of a micro-batch by COPY, and the consumed offsets in `mekong.cursors`, in one transaction; so
// delivery is exactly-once. Rows that the table refuses are reported one by one, the others stand.
// Unsupported: updates and deletes by key, arrays and composite types (nested values arrive as JSON), client certificates.

/**
 * How the connection is protected, in libpq's words: `disable` never encrypts, `require` encrypts without
 * looking at the certificate, `verify-full` also checks the certificate and the host name.
 * https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 */
export type PostgresSslMode = 'disable' | 'require' | 'verify-full'

export const POSTGRES_SSL_MODES: readonly PostgresSslMode[] = ['disable', 'require', 'verify-full']

/** A value that no log line, JSON text or inspection shows. */
export interface Secret {
  reveal(): string
  toString(): string
  toJSON(): string
}

export interface PostgresConfig {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** `null` where the server asks for none. */
  readonly password: Secret | null
  readonly sslMode: PostgresSslMode
  /** PEM text of the authority to trust beside the system's own; for `verify-full`. */
  readonly sslRootCertificate: string | null
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string
  readonly connectTimeoutMs: number
  /** The server ends a statement after this. Migrations are exempt: an index on a large table takes its time. */
  readonly statementTimeoutMs: number
  /** The server gives up waiting for a lock after this. */
  readonly lockTimeoutMs: number
  /** The server ends our transaction when we fall silent in it for longer than this. */
  readonly idleInTransactionTimeoutMs: number
}

export const POSTGRES_DEFAULTS = Object.freeze({
  port: 5432,
  sslMode: 'disable' as PostgresSslMode,
  applicationName: 'mekong',
  // Long enough for a server that is just failing over, short enough for `doctor`.
  connectTimeoutMs: 10_000,
  // A micro-batch takes well under a second; a minute means that something is wrong with the server.
  statementTimeoutMs: 60_000,
  // Shorter than a statement may take, so that the error names the lock and not just the time.
  lockTimeoutMs: 30_000,
  // A platform that hangs between stage and commit must not hold locks and the vacuum horizon for ever.
  idleInTransactionTimeoutMs: 120_000,
})

export type PostgresConfigOutcome =
  | { readonly status: 'resolved'; readonly config: PostgresConfig }
  | {
      readonly status: 'incomplete'
      /** Every required variable that is absent or empty. */
      readonly missing: readonly string[]
      /** Variables whose values cannot be meant, each with what would be right. */
      readonly invalid: readonly { readonly name: string; readonly message: string }[]
    }

/**
 * The configuration that environment variables describe, or everything that is wrong with them at once.
 * Required: POSTGRES_HOST, POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD. Optional: POSTGRES_PORT (5432),
 * POSTGRES_SSLMODE (`disable`), POSTGRES_SSLROOTCERT (PEM text). Pure.
 */
export function postgresConfigFromVariables(
  variables: Readonly<Record<string, string | undefined>>,
): PostgresConfigOutcome {
  const value = (name: string) => variables[name] || undefined
  const missing = ['POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_HOST', 'POSTGRES_DB'].filter(
    (name) => value(name) === undefined,
  )
  const invalid: { name: string; message: string }[] = []
  const port = Number(value('POSTGRES_PORT') ?? POSTGRES_DEFAULTS.port)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    invalid.push({ name: 'POSTGRES_PORT', message: 'a whole number from 1 to 65535' })
  const sslMode = value('POSTGRES_SSLMODE') ?? POSTGRES_DEFAULTS.sslMode
  if (!isSslMode(sslMode))
    invalid.push({ name: 'POSTGRES_SSLMODE', message: POSTGRES_SSL_MODES.join(', ') })
  if (missing.length > 0 || !isSslMode(sslMode) || invalid.length > 0)
    return { status: 'incomplete', missing, invalid }
  const config = postgresConfig({
    host: value('POSTGRES_HOST')!,
    port,
    database: value('POSTGRES_DB')!,
    user: value('POSTGRES_USER')!,
    password: secret(value('POSTGRES_PASSWORD')!),
    sslMode,
    sslRootCertificate: value('POSTGRES_SSLROOTCERT') ?? null,
  })
  return { status: 'resolved', config }
}

/** A whole, frozen configuration; what is not given is the default. */
export function postgresConfig(
  given: Pick<PostgresConfig, 'host' | 'database' | 'user' | 'password'> & Partial<PostgresConfig>,
): PostgresConfig {
  return Object.freeze({ ...POSTGRES_DEFAULTS, sslRootCertificate: null, ...given })
}

/** Keep `value` out of everything that prints. */
export function secret(value: string): Secret {
  const hidden = () => '***'
  return Object.freeze({ reveal: () => value, toString: hidden, toJSON: hidden })
}

/** The server in one line for messages, without the password. */
export function postgresName(config: PostgresConfig): string {
  return `postgres://${config.user}@${config.host}:${config.port}/${config.database}`
}

function isSslMode(text: string): text is PostgresSslMode {
  return (POSTGRES_SSL_MODES as readonly string[]).includes(text)
}
