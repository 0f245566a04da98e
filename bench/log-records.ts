import type { NewRecord } from '../src/model/append.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import { uuidV7Maker } from '../src/model/uuid.ts'

const uuid = uuidV7Maker(systemClock, systemRandomness)
const value = new Uint8Array(140).fill(120)

/** Records of 140 bytes with a UUID as id and one of a thousand keys. */
export function recordsOf(count: number, idMayRepeat: boolean): NewRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    id: uuid(),
    idMayRepeat,
    key: `user-${n % 1000}`,
    value,
  }))
}

/** Run `work` on `count` records and print how fast it went. */
export async function measure(
  name: string,
  count: number,
  work: () => Promise<void>,
): Promise<void> {
  const cpu = process.threadCpuUsage()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const used = process.threadCpuUsage(cpu)
  const cpuMicros = (used.user + used.system) / count
  console.log(
    `${name.padEnd(44)} ${Math.round(count / seconds).toLocaleString('en')} records/s, ${cpuMicros.toFixed(2)} µs main thread each`,
  )
}
