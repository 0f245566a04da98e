import { describe, expect, test } from 'vitest'
import {
  type LetterEvent,
  type LetterStatus,
  letterTransition,
} from '../../src/state/letter-status.ts'

/** Every status against every event; `-` is refused. */
const TABLE: Record<LetterStatus, Record<LetterEvent, LetterStatus | '-'>> = {
  open: { fix: 'fixed', replay: 'replayed', drop: 'dropped' },
  fixed: { fix: 'fixed', replay: 'replayed', drop: 'dropped' },
  dropped: { fix: 'fixed', replay: '-', drop: '-' },
  replayed: { fix: '-', replay: '-', drop: '-' },
}

describe('the life of a dead letter', () => {
  for (const [status, row] of Object.entries(TABLE)) {
    for (const [event, next] of Object.entries(row)) {
      test(`${status} + ${event} → ${next}`, () => {
        expect(letterTransition(status as LetterStatus, event as LetterEvent) ?? '-').toBe(next)
      })
    }
  }
})
