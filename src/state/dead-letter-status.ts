// What can become of a dead letter.
//
//            fix                 replay
//   open ──────────▶ fixed ──────────────▶ replayed
//    │  ╲__________________ replay ___________▲
//    │ drop            │ drop
//    ▼                 ▼
//   dropped ◀──────────┘
//      └── fix ──▶ fixed
//
// A replayed letter is at its end: its record is in the log again, and if it fails again, that is another letter.

export const DEAD_LETTER_STATUSES = ['open', 'fixed', 'replayed', 'dropped'] as const
export type DeadLetterStatus = (typeof DEAD_LETTER_STATUSES)[number]

/** `repeat`: the same bytes were turned away once more. */
export const DEAD_LETTER_EVENTS = ['fix', 'replay', 'drop', 'repeat'] as const
export type DeadLetterEvent = (typeof DEAD_LETTER_EVENTS)[number]

/** What an event makes of a status. `refused` changes nothing. */
export type StatusOutcome =
  | { readonly kind: 'moved'; readonly to: DeadLetterStatus }
  | { readonly kind: 'refused'; readonly why: string }

const moved = (to: DeadLetterStatus): StatusOutcome => Object.freeze({ kind: 'moved', to })
const refused = (why: string): StatusOutcome => Object.freeze({ kind: 'refused', why })

const REPLAYED =
  'It has been replayed already; if the record fails again, a new dead letter appears.'

const TABLE: Readonly<Record<DeadLetterStatus, Readonly<Record<DeadLetterEvent, StatusOutcome>>>> =
  {
    open: {
      fix: moved('fixed'),
      replay: moved('replayed'),
      drop: moved('dropped'),
      repeat: moved('open'),
    },
    fixed: {
      fix: moved('fixed'),
      replay: moved('replayed'),
      drop: moved('dropped'),
      repeat: moved('fixed'),
    },
    replayed: {
      fix: refused(REPLAYED),
      // Marking again after a crash is how a replay is finished; the store checks that the position is the same.
      replay: moved('replayed'),
      drop: refused(REPLAYED),
      repeat: moved('replayed'),
    },
    dropped: {
      fix: moved('fixed'),
      replay: refused('It was dropped; fix it first, if it should be replayed after all.'),
      drop: moved('dropped'),
      repeat: moved('dropped'),
    },
  }

/** Pure: what `event` makes of a letter in `status`. */
export function transition(status: DeadLetterStatus, event: DeadLetterEvent): StatusOutcome {
  return TABLE[status][event]
}
