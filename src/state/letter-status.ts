/**
 * The life of a dead letter.
 *
 *            fix              replay
 *   open ─────────▶ fixed ───────────▶ replayed
 *     │  ▲            │ ▲ fix
 *     │  └ ─ ─ ─ ─ ─ ─│─┘
 *     └────▶ dropped ◀┘        open may be replayed as it is, when what was wrong has been mended elsewhere;
 *       drop    │ fix          dropped comes back by being fixed; replayed is the end.
 *               └────▶ fixed
 */
export type LetterStatus = 'open' | 'fixed' | 'replayed' | 'dropped'

export const LETTER_STATUSES: readonly LetterStatus[] = ['open', 'fixed', 'replayed', 'dropped']

export type LetterEvent = 'fix' | 'replay' | 'drop'

/** The status after an event, or `undefined` where the event is refused. Pure. */
export function letterTransition(
  status: LetterStatus,
  event: LetterEvent,
): LetterStatus | undefined {
  switch (status) {
    case 'open':
    case 'fixed':
      if (event === 'fix') return 'fixed'
      return event === 'replay' ? 'replayed' : 'dropped'
    case 'dropped':
      return event === 'fix' ? 'fixed' : undefined
    case 'replayed':
      return undefined
  }
}
