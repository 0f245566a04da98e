import type { Micros } from './clock.ts'

/**
 * Epoch numbers are read by magnitude. Each band covers the same years, 1973-03-03 to 5138, so no
 * number fits two units; what falls below the first band is refused as nonsense, and so is any instant
 * past the year 2200.
 *
 * | band            | unit         |
 * | --------------- | ------------ |
 * | 1e8  … 1e11 - 1 | seconds      |
 * | 1e11 … 1e14 - 1 | milliseconds |
 * | 1e14 … 1e17 - 1 | microseconds |
 * | 1e17 … 1e20 - 1 | nanoseconds  |
 */
export const EPOCH_BANDS = [
  { unit: 'seconds', from: 10n ** 8n, microsNumerator: 1_000_000n, microsDenominator: 1n },
  { unit: 'milliseconds', from: 10n ** 11n, microsNumerator: 1_000n, microsDenominator: 1n },
  { unit: 'microseconds', from: 10n ** 14n, microsNumerator: 1n, microsDenominator: 1n },
  { unit: 'nanoseconds', from: 10n ** 17n, microsNumerator: 1n, microsDenominator: 1_000n },
] as const

/** 2200-01-01T00:00:00Z; the first instant that is refused. */
export const EPOCH_MICROS_END: Micros = 7_258_118_400_000_000n

/** The instant that an epoch number of unknown unit means, or `undefined` when it means none. */
export function epochToMicros(value: bigint): Micros | undefined {
  for (let index = EPOCH_BANDS.length - 1; index >= 0; index -= 1) {
    const band = EPOCH_BANDS[index]!
    if (value < band.from) continue
    const micros = (value * band.microsNumerator) / band.microsDenominator
    return micros < EPOCH_MICROS_END ? micros : undefined
  }
  return undefined
}
