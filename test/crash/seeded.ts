/** The seed of a run, printed: from MEKONG_SEED, or new each time. */
export function seedOfRun(what: string): number {
  const seed = Number(process.env.MEKONG_SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`${what}: seed ${seed} (repeat with MEKONG_SEED=${seed})`)
  return seed
}

export interface Chance {
  /** In [0, 1). */
  next(): number
  /** A whole number from `from` to `to`, both included. */
  integer(from: number, to: number): number
  oneOf<T>(choices: readonly T[]): T
}

/** Chance from a seed (mulberry32). */
export function seeded(seed: number): Chance {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return { next, integer, oneOf: (choices) => choices[integer(0, choices.length - 1)]! }
}
