import { describe, expect, test } from 'vitest'
import {
  DEAD_LETTER_EVENTS,
  DEAD_LETTER_STATUSES,
  type DeadLetterEvent,
  type DeadLetterStatus,
  transition,
} from '../../src/state/dead-letter-status.ts'

// Every status × every event, written out once more. `no` is a refusal.
const EXPECTED: Record<DeadLetterStatus, Record<DeadLetterEvent, DeadLetterStatus | 'no'>> = {
  open: { fix: 'fixed', replay: 'replayed', drop: 'dropped', repeat: 'open' },
  fixed: { fix: 'fixed', replay: 'replayed', drop: 'dropped', repeat: 'fixed' },
  replayed: { fix: 'no', replay: 'replayed', drop: 'no', repeat: 'replayed' },
  dropped: { fix: 'fixed', replay: 'no', drop: 'dropped', repeat: 'dropped' },
}

describe('the status of a dead letter', () => {
  test.each(
    DEAD_LETTER_STATUSES.flatMap((status) =>
      DEAD_LETTER_EVENTS.map((event) => [status, event] as const),
    ),
  )('%s, %s', (status, event) => {
    const outcome = transition(status, event)
    if (EXPECTED[status][event] === 'no') {
      expect(outcome.kind).toBe('refused')
      expect(outcome).toHaveProperty('why', expect.stringMatching(/\.$/))
    } else expect(outcome).toEqual({ kind: 'moved', to: EXPECTED[status][event] })
  })

  test('a repeated arrival never moves a letter', () => {
    for (const status of DEAD_LETTER_STATUSES)
      expect(transition(status, 'repeat')).toEqual({ kind: 'moved', to: status })
  })
})
