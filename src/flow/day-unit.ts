import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import path from 'node:path'
import type { DayFilesPlan } from '../pipeline/day-files.ts'

/** The files of one day, which go into a table together or not at all. */
export interface DayUnit {
  readonly files: DayFilesPlan
  /** `YYYY-MM-DD` */
  readonly day: string
  /** Absolute, in order. */
  readonly paths: readonly string[]
  readonly bytes: number
  /** Of the smallest file. */
  readonly bytesMin: number
  /** Tells whether these are the files that were loaded before, without reading them whole; 0 to 2^52 - 1. */
  readonly print: number
}

/** Which plan reads a file, and for which day; `undefined` when none does or the name holds no day that exists. */
export function dayOf(
  plans: readonly DayFilesPlan[],
  file: string,
): { readonly files: DayFilesPlan; readonly day: string } | undefined {
  const text = file.split(path.sep).join('/')
  for (const files of plans) {
    const digits = files.matches.exec(text)?.groups?.day?.replaceAll('-', '')
    if (digits === undefined || !/^\d{8}$/.test(digits)) continue
    const day = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`
    const parsed = new Date(`${day}T00:00:00Z`)
    if (!Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day))
      return { files, day }
  }
  return undefined
}

/** Files by plan and day, in the order of days. Files that no plan reads are left out. */
export async function dayUnits(
  plans: readonly DayFilesPlan[],
  paths: readonly string[],
): Promise<readonly DayUnit[]> {
  const groups = new Map<string, { files: DayFilesPlan; day: string; paths: string[] }>()
  for (const file of [...new Set(paths)].sort()) {
    const found = dayOf(plans, file)
    if (found === undefined) continue
    const name = `${found.files.name}/${found.day}`
    const group = groups.get(name) ?? { ...found, paths: [] }
    group.paths.push(file)
    groups.set(name, group)
  }
  const inOrder = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
  return Promise.all(inOrder.map(async (group) => ({ ...group, ...(await printOf(group.paths)) })))
}

/** From both ends and between, so that a rewritten file is noticed and a day of gigabytes costs nothing to know again. */
const SAMPLE_BYTES = 64 * 1024
const SAMPLE_COUNT = 8

async function printOf(
  paths: readonly string[],
): Promise<Pick<DayUnit, 'bytes' | 'bytesMin' | 'print'>> {
  const hash = createHash('sha256')
  const sampled = Buffer.alloc(SAMPLE_BYTES)
  let bytes = 0
  let bytesMin = Number.POSITIVE_INFINITY
  for (const file of paths) {
    const { size, mtimeMs } = await stat(file)
    bytes += size
    bytesMin = Math.min(bytesMin, size)
    hash.update(JSON.stringify([path.basename(file), size, Math.trunc(mtimeMs)]))
    const handle = await open(file)
    try {
      for (let sample = 0; sample < SAMPLE_COUNT; sample += 1) {
        const last = Math.max(0, size - SAMPLE_BYTES)
        const at = Math.floor((last * sample) / (SAMPLE_COUNT - 1))
        const { buffer, bytesRead } = await handle.read({ buffer: sampled, position: at })
        hash.update(buffer.subarray(0, bytesRead))
        if (last === 0) break
      }
    } finally {
      await handle.close()
    }
  }
  return { bytes, bytesMin, print: Number.parseInt(hash.digest('hex').slice(0, 13), 16) }
}
