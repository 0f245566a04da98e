/**
 * Where in an operation of the memory store a fault can strike. `write`: half of the bytes are down (a short
 * write); `name`: all are, and nobody can see them; `answer`: the deed is done and the answer is on its way.
 */
export type WriteStep = 'read' | 'list' | 'write' | 'name' | 'answer' | 'remove'

/** `io`: EIO, or a lost answer when it strikes `answer`. `full`: ENOSPC. `crash`: the process dies there. */
export type Fault = 'io' | 'full' | 'crash'

/** Asked at every step. Deterministic for the same seed and the same order of steps. */
export interface Faults {
  strike(at: { readonly step: WriteStep; readonly key: string }): Fault | undefined
  /** Lets other stores on the same disk go first, in an order that belongs to the test. */
  pause?(): Promise<void>
}

export interface FaultRates {
  /** Chances per step, 0 to 1. Default 0. */
  readonly io?: number
  readonly full?: number
  readonly crash?: number
}

/** Faults by chance. `chance` returns the next number from 0 (inclusive) to 1 (exclusive) of a seeded sequence. */
export function chanceFaults(
  chance: () => number,
  rates: FaultRates,
  pause?: () => Promise<void>,
): Faults {
  const { io = 0, full = 0, crash = 0 } = rates
  return {
    strike({ step }) {
      const roll = chance()
      if (roll < crash) return 'crash'
      if (roll < crash + io) return 'io'
      if (roll < crash + io + full && step === 'write') return 'full'
      return undefined
    },
    ...(pause === undefined ? {} : { pause }),
  }
}
