import { describe, expect, test } from 'vitest'
import { type HopEvent, type HopState, transition } from '../../src/stream/hop-state.ts'

const STATES: { [Name in HopState['name']]: Extract<HopState, { name: Name }> } = {
  opening: { name: 'opening' },
  waiting: { name: 'waiting' },
  working: { name: 'working' },
  retrying: { name: 'retrying', attempt: 1, reason: 'away' },
  failed: { name: 'failed', reason: 'broken' },
  stopped: { name: 'stopped' },
}
const EVENTS: { [Name in HopEvent['name']]: Extract<HopEvent, { name: Name }> } = {
  opened: { name: 'opened' },
  found: { name: 'found' },
  committed: { name: 'committed' },
  stale: { name: 'stale' },
  trouble: { name: 'trouble', reason: 'away', attempt: 2 },
  due: { name: 'due' },
  fault: { name: 'fault', reason: 'broken' },
  stop: { name: 'stop' },
}

/** Every state against every event; a forgotten cell does not compile. `-` is a bug of the caller. */
const TABLE: Record<HopState['name'], Record<HopEvent['name'], HopState['name'] | '-'>> = {
  opening: {
    opened: 'waiting',
    found: '-',
    committed: '-',
    stale: '-',
    trouble: 'retrying',
    due: '-',
    fault: 'failed',
    stop: 'stopped',
  },
  waiting: {
    opened: '-',
    found: 'working',
    committed: '-',
    stale: '-',
    trouble: 'retrying',
    due: '-',
    fault: 'failed',
    stop: 'stopped',
  },
  working: {
    opened: '-',
    found: '-',
    committed: 'waiting',
    stale: 'opening',
    trouble: 'retrying',
    due: '-',
    fault: 'failed',
    stop: 'stopped',
  },
  retrying: {
    opened: '-',
    found: '-',
    committed: '-',
    stale: '-',
    trouble: '-',
    due: 'opening',
    fault: 'failed',
    stop: 'stopped',
  },
  failed: {
    opened: '-',
    found: '-',
    committed: '-',
    stale: '-',
    trouble: '-',
    due: '-',
    fault: '-',
    stop: 'stopped',
  },
  stopped: {
    opened: '-',
    found: '-',
    committed: '-',
    stale: '-',
    trouble: '-',
    due: '-',
    fault: '-',
    stop: 'stopped',
  },
}

describe('hop state', () => {
  for (const [from, row] of Object.entries(TABLE)) {
    for (const [event, to] of Object.entries(row)) {
      test(`${from} + ${event} → ${to}`, () => {
        const next = transition(STATES[from as HopState['name']], EVENTS[event as HopEvent['name']])
        expect(next?.name ?? '-').toBe(to)
      })
    }
  }
})
