// BigQuery as a warehouse.
//
// Writes: tables and views in the datasets that their names begin with, in one project; rows come by load jobs into staging tables, and from there by one
// multi-statement transaction with the consumer's cursor. Delivery: all of a load or nothing, and once, because jobs have ids that say what they
// load. Not supported: several loads of one consumer at once (BigQuery ends all but one), files from a bucket.

export interface BigqueryConfig {
  readonly project: string
  /** Where datasets are made, and jobs run. */
  readonly location: string
  /** A file of Google's with a service account's key; Google's own search for credentials when it is left out. */
  readonly credentialsFile?: string
  /** An access token that somebody else has fetched; instead of credentials. */
  readonly accessToken?: BigquerySecret
  /** Where the API answers, if not at its usual address. */
  readonly url?: string
}

/** A text that cannot be printed by accident. */
export interface BigquerySecret {
  reveal(): string
}

export function bigqueryConfig({
  accessToken,
  ...rest
}: Omit<BigqueryConfig, 'accessToken'> & { readonly accessToken?: string }): BigqueryConfig {
  if (accessToken === undefined) return Object.freeze(rest)
  const hidden = () => '(secret)'
  return Object.freeze({
    ...rest,
    accessToken: Object.freeze({ reveal: () => accessToken, toJSON: hidden, toString: hidden }),
  })
}

/** For messages. */
export const bigqueryName = ({ project }: BigqueryConfig) => `the BigQuery project ${project}`
