import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sourceLines } from '../../src/flow/source-lines.ts'

// Lines are found where an editor would show them, however files are cut into pieces.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mekong-lines-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Longer than two pieces of a file that are read at once. */
const LONG = '…'.repeat(800_000)
const lineOf = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\n', '')) },
  { weight: 2, arbitrary: fc.constantFrom('', ' ', '\t\r', '\r') },
  { weight: 1, arbitrary: fc.constant(LONG) },
)
const fileOf = fc.record({
  lines: fc.array(lineOf, { maxLength: 12 }),
  endsWithLineFeed: fc.boolean(),
  isPacked: fc.boolean(),
})

test('every line that is not blank has its number, its index and its bytes', {
  timeout: 120_000,
}, async () => {
  const seed = Number(process.env.MEKONG_TEST_SEED ?? Date.now() % 1_000_000)
  console.log(`seed ${seed}`)
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fileOf, { maxLength: 3 }), fc.nat(), async (files, skip) => {
      run += 1
      const expected: { file: string; lineNumber: number; text: string }[] = []
      const paths: string[] = []
      for (const [index, { lines, endsWithLineFeed, isPacked }] of files.entries()) {
        const file = path.join(folder, `${run}-${index}${isPacked ? '.gz' : ''}`)
        const text = lines.join('\n') + (endsWithLineFeed ? '\n' : '')
        await writeFile(file, isPacked ? gzipSync(text, { level: 1 }) : text)
        paths.push(file)
        for (const [at, line] of text.split('\n').entries())
          if (/[^ \t\r]/.test(line)) expected.push({ file, lineNumber: at + 1, text: line })
      }
      const every = (skip % 3) + 1
      const wanted = expected.flatMap((line, index) =>
        index % every === 0 ? [{ ...line, index }] : [],
      )
      const found = []
      for await (const { bytes, ...place } of sourceLines(
        paths,
        wanted.map(({ index }) => index),
      ))
        found.push({ ...place, text: bytes.toString() })
      expect(found.length).toBe(wanted.length)
      for (const [index, line] of found.entries()) {
        // Compared apart, since nobody reads a difference of megabytes.
        expect(line.text === wanted[index]!.text).toBe(true)
        const { text: _, ...place } = wanted[index]!
        expect(line).toMatchObject(place)
      }
      for (const file of paths) await rm(file)
    }),
    { seed, numRuns: 60 },
  )
})
