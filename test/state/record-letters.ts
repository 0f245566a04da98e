import { openStateStore } from '../../src/state/state-store.ts'
import { letterOf } from './letters.ts'

// A program for the crash test: records letters for ever and says after each how many are durable.

const store = await openStateStore({ path: process.argv[2]! })
for (let count = 0; ; count += 1) {
  await Promise.all([
    store.record([letterOf({ offset: 2 * count }), letterOf({ offset: 2 * count + 1 })]),
    store.record([letterOf({ hop: 'gateway', partition: -1, value: `bytes ${count % 10}` })]),
  ])
  process.stdout.write(`${count + 1}\n`)
}
