import { expect, test } from 'vitest'
import { withoutRepeats } from '../../src/orchestrator/without-repeats.ts'

test('a line is said again only after a while, others at once', () => {
  let nowMs = 0
  const said: string[] = []
  const say = withoutRepeats((line) => said.push(`${nowMs} ${line}`), {
    clock: { nowMs: () => nowMs },
    intervalMs: 100,
  })
  for (nowMs of [0, 10, 99, 100, 150]) say('full')
  nowMs = 160
  say('other')
  nowMs = 210
  say('full')
  expect(said).toEqual(['0 full', '100 full', '160 other', '210 full'])
})
