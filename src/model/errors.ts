/**
 * What a caller may do about an error: nothing (`never`), the same again after a pause (`later`),
 * or the same again after re-reading what it decided from (`afterRefresh`).
 */
export type Retry = 'never' | 'later' | 'afterRefresh'

export interface PlatformErrorOptions {
  readonly cause?: unknown
}

/**
 * The one base of every surprise. Decide on `code` and `retry`, never on the message.
 * Subclasses declare `code` and `retry` once, as fields, so that a throw site cannot get them wrong.
 */
export abstract class PlatformError extends Error {
  abstract readonly code: string
  abstract readonly retry: Retry

  constructor(message: string, options: PlatformErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
  }
}

/** A broken invariant: our bug, never the user's. The platform stops rather than guess. */
export class InvariantError extends PlatformError {
  readonly code = 'INVARIANT_BROKEN'
  readonly retry = 'never'
}

/** A promise of ours, checked. @throws InvariantError when `condition` is false. */
export function assert(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new InvariantError(`This is a bug in Mekong: ${promise}`)
}

/** What to do about any thrown value; a stranger's error is never retried on a guess. */
export function retryOf(error: unknown): Retry {
  return error instanceof PlatformError ? error.retry : 'never'
}

/** A one-line text of any thrown value, for logs and dead letters. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
