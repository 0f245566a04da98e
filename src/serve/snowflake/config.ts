// Snowflake as a warehouse.
//
// Writes: tables and views in one database; rows come by stage, COPY INTO and MERGE. Delivery: the rows of a load and the consumer's cursor change in one
// transaction; what was staged and not taken over is temporary and goes with the session. Not supported: several loads of one consumer at
// once (the last one wins), external stages.

export interface SnowflakeConfig {
  readonly account: string
  readonly user: string
  readonly password: SnowflakeSecret
  readonly database: string
  /** The virtual warehouse that computes; Snowflake takes the user's own when it is left out. */
  readonly warehouse?: string
  readonly role?: string
  /** Where the account answers, if not at its usual address. */
  readonly url?: string
}

/** A text that cannot be printed by accident. */
export interface SnowflakeSecret {
  reveal(): string
}

export function snowflakeConfig({
  password,
  ...rest
}: Omit<SnowflakeConfig, 'password'> & { readonly password: string }): SnowflakeConfig {
  return Object.freeze({
    ...rest,
    password: Object.freeze({
      ...{ reveal: () => password, toJSON: () => '(secret)', toString: () => '(secret)' },
    }),
  })
}

/** For messages. */
export const snowflakeName = ({ account, database }: SnowflakeConfig) =>
  `the Snowflake database ${database} of ${account}`
