import { openSync, writeSync } from 'node:fs'
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts'

// Started by `embedded-kill.test.ts` to be killed: appends for ever, and writes down what was
// acknowledged, one line for each record.

const [file, acknowledgedFile, run] = process.argv.slice(2) as [string, string, string]
const acknowledged = openSync(acknowledgedFile, 'a')
const log = await openEmbeddedLog({ file })
await log.ensureTopic({ name: 't', partitions: 3 })

// The suite's own `record` comes with Vitest, which does not run here.
const recordOf = (id: string, key: string, idMayRepeat: boolean) => ({
  id,
  key,
  idMayRepeat,
  value: Buffer.from(`value of ${id}`),
})

async function appendForEver(caller: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const records = Array.from({ length: 1 + ((n * 7 + caller) % 40) }, (_, m) =>
      recordOf(`${run}.${caller}.${n}.${m}`, `caller-${caller}`, n % 2 === 0),
    )
    const outcome = await log.append('t', records)
    if (outcome.status !== 'appended') throw new Error(outcome.reason)
    const lines = outcome.records.map(
      ({ partition, offset }, m) => `${partition} ${offset} ${records[m]!.id}\n`,
    )
    // Straight to the file: what is written outlives the process.
    writeSync(acknowledged, lines.join(''))
  }
}

await Promise.all(Array.from({ length: 8 }, (_, caller) => appendForEver(caller)))
