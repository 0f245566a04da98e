import { fork } from 'node:child_process'
import { type LoadOptions, type LoadReport, runLoad } from './http-load.ts'

/** Run a load in a process of its own, so that it does not share an event loop with the server under test. */
export function runLoadInChild(options: LoadOptions): Promise<LoadReport> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [CHILD_FLAG], { serialization: 'advanced' })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`The load process ended early (${code}).`)))
    child.once('message', (report) => {
      resolve(report as LoadReport)
      child.disconnect()
    })
    child.send(options)
  })
}

const CHILD_FLAG = '--http-load-child'

if (process.argv[2] === CHILD_FLAG) {
  process.once('message', async (options) => {
    process.send!(await runLoad(options as LoadOptions))
  })
}
