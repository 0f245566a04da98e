/**
 * What a hop is doing. One state at a time; `transition` is the whole table.
 *
 *            opened            found
 *   opening ───────▶ waiting ────────▶ working
 *      │  ▲             ▲                │  │
 *      │  └── due ──┐   └── committed ───┘  │ stale (the cursor moved: read it again)
 *   trouble         │                       ▼
 *      └──────▶ retrying ◀──── trouble ── opening
 *
 *   `stop` leads to stopped from everywhere, `fault` to failed from everywhere but stopped.
 */
export type HopState =
  | { readonly name: 'opening' }
  | { readonly name: 'waiting' }
  | { readonly name: 'working' }
  | { readonly name: 'retrying'; readonly attempt: number; readonly reason: string }
  | { readonly name: 'failed'; readonly reason: string }
  | { readonly name: 'stopped' }

export type HopEvent =
  | { readonly name: 'opened' }
  | { readonly name: 'found' }
  | { readonly name: 'committed' }
  | { readonly name: 'stale' }
  | { readonly name: 'trouble'; readonly reason: string; readonly attempt: number }
  | { readonly name: 'due' }
  | { readonly name: 'fault'; readonly reason: string }
  | { readonly name: 'stop' }

export const OPENING: HopState = { name: 'opening' }
const WAITING: HopState = { name: 'waiting' }
const WORKING: HopState = { name: 'working' }
const STOPPED: HopState = { name: 'stopped' }

/** The state after an event; `undefined` where the event cannot happen, which is a bug of the caller. Pure. */
export function transition(state: HopState, event: HopEvent): HopState | undefined {
  if (event.name === 'stop') return STOPPED
  if (state.name === 'stopped' || state.name === 'failed') return undefined
  if (event.name === 'fault') return { name: 'failed', reason: event.reason }
  if (event.name === 'trouble') {
    if (state.name === 'retrying') return undefined
    return { name: 'retrying', attempt: event.attempt, reason: event.reason }
  }
  switch (state.name) {
    case 'opening':
      return event.name === 'opened' ? WAITING : undefined
    case 'waiting':
      return event.name === 'found' ? WORKING : undefined
    case 'working':
      if (event.name === 'committed') return WAITING
      return event.name === 'stale' ? OPENING : undefined
    case 'retrying':
      return event.name === 'due' ? OPENING : undefined
  }
}
