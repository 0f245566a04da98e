import { PlatformError } from '../model/errors.ts'
import type { StoredLetter } from '../state/letter-rows.ts'

/** A letter cannot be replayed as things are: its pipeline is gone, or what should take it did not. Nothing was changed. */
export class ReplayRefusedError extends PlatformError {
  readonly code = 'REPLAY_REFUSED'
  readonly retry = 'never'
}

/** What would become of a letter's bytes if it were replayed now. */
export type ReplayPreview =
  | { readonly status: 'row'; readonly row: Readonly<Record<string, unknown>> }
  | { readonly status: 'filtered' }
  | { readonly status: 'dead'; readonly reason: string; readonly message: string }

/** The bytes that a replay of the letter sends: the mended ones, else the original. */
export const replayBytes = (letter: StoredLetter): Uint8Array => letter.fixed ?? letter.value
