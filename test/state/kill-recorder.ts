import { systemClock } from '../../src/model/clock.ts'
import { openStateStore } from '../../src/state/state-store.ts'

// Records dead letters until it is killed, and says the offset of each once it is durable.

const store = await openStateStore({ file: process.argv[2]!, clock: systemClock })
for (let offset = 0; ; offset += 1) {
  await store.record([
    {
      pipeline: 'p',
      hop: 'h',
      topic: 't',
      partition: 0,
      offset,
      recordId: '',
      key: null,
      reason: 'r',
      message: 'm',
      value: new Uint8Array([offset & 255]),
      headers: {},
      arrivedMs: 0,
    },
  ])
  process.stdout.write(`${offset}\n`)
}
