import { expect, test } from 'vitest'
import { systemRandomness } from '../../src/model/clock.ts'
import { uuidV7Maker } from '../../src/model/uuid.ts'

test('ids have version, variant and time in their places, and grow even when the clock does not', () => {
  let nowMs = 1_645_557_742_000
  const make = uuidV7Maker({ nowMs: () => nowMs }, systemRandomness)
  const ids = [make()]
  // The time of the example in RFC 9562, appendix A.6.
  expect(ids[0]!.slice(0, 13)).toBe('017f22e2-79b0')
  for (let n = 0; n < 10_000; n += 1) {
    if (n === 5_000) nowMs -= 60_000
    ids.push(make())
  }
  expect([...ids].sort()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})

test('the random part is the randomness given, in order', () => {
  let next = 0
  const counting = {
    bytes(target: Uint8Array) {
      for (let index = 0; index < target.length; index += 1) target[index] = next++ & 255
      return target
    },
  }
  const make = uuidV7Maker({ nowMs: () => 1 }, counting)
  expect(make()).toBe('00000000-0001-7000-8001-020304050607')
  expect(make()).toBe('00000000-0001-7001-8809-0a0b0c0d0e0f')
})
