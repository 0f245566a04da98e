/** An application's progress, committed with the data or not at all: what makes a replayed batch recognisable. */
export interface TransactionUpdate {
  readonly appId: string
  /** 0 to 2^53 - 1. */
  readonly version: number
  /**
   * The version that must be there until then; `null` for none. Default: whatever it was in the snapshot that
   * the commit starts from, so that two writers of one application never both win.
   */
  readonly expected?: number | null
}
