/** Something that a person should look at, or that is over. */
export interface Alert {
  /** The same trouble has the same key, while it lasts. */
  readonly key: string
  readonly kind: AlertKind
  readonly status: 'raised' | 'resolved'
  /** One line: what is wrong, where, and what to look at. */
  readonly summary: string
  readonly pipeline: string
  readonly facts: Readonly<Record<string, string | number | null>>
}

export type AlertKind = 'task_failed' | 'table_stale' | 'dead_letters' | 'ledger_unbalanced'

/** Trouble that stands now, and is over when it is not found any more. */
export type Trouble = Omit<Alert, 'status'>
