/**
 * Local folders for files on their way into a store. Best on the store's own disk, so that moving a file in is
 * a rename; anything left in them after a crash is garbage.
 */
export interface ScratchPort {
  /** A new, empty local folder of the caller's own. */
  makeFolder(): Promise<ScratchFolder>
}

export interface ScratchFolder extends AsyncDisposable {
  /** Absolute. */
  readonly path: string
}
