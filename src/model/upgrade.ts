/**
 * What becomes of a record that a schema refuses because it was written for an older one. `impossible`: its shape is known, but something that
 * today's needs cannot be told from it with certainty.
 */
export type UpgradeOutcome =
  | { readonly status: 'upgraded'; readonly record: object }
  | { readonly status: 'impossible'; readonly message: string }

/** Brings a record of an older shape into today's; `undefined` for one of no shape it knows. Deterministic: the same record gives the same. */
export type Upgrade = (record: Readonly<Record<string, unknown>>) => UpgradeOutcome | undefined
