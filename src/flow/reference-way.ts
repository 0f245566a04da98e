/** A way to follow a table: by asking for what changed, or by replication. One look at a time. */
export interface ReferenceWay {
  /** Bring what stands in the source into the history: at least what was there at the call when `isWhole`, else what has arrived by itself. */
  look(options: { readonly isWhole: boolean; readonly signal: AbortSignal }): Promise<void>
  /** Wait until there is something to look at, or it is time to. */
  wait(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
