import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvRowGroups, rowOfLine } from '../../../src/serve/postgres/csv-rows.ts'

// Goal: however CSV is cut into pieces, the same rows come out, whole, whatever quotes and line breaks they hold.

const cell = fc.string({ unit: fc.constantFrom('a', '"', '\n', ',', 'é') })
const line = (texts: readonly string[]) =>
  `${texts.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')}\n`

test('rows come out whole, however the text is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(cell, { minLength: 1, maxLength: 3 }).map(line), { maxLength: 20 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 5 }),
      async (lines, pieceBytes, rowCountMax) => {
        const bytes = Buffer.from(lines.join(''))
        const pieces = async function* () {
          for (let at = 0; at < bytes.length; at += pieceBytes)
            yield bytes.subarray(at, at + pieceBytes)
        }
        const groups: (readonly Uint8Array[])[] = []
        for await (const group of csvRowGroups(pieces(), rowCountMax)) groups.push(group)
        expect(groups.slice(0, -1).every((group) => group.length === rowCountMax)).toBe(true)
        expect(groups.flat().map((row) => Buffer.from(row).toString())).toEqual(lines)
      },
    ),
  )
})

test('a line is found in the row that holds it', () => {
  const rows = ['1,a\n', '2,"b\nb"\n', '3,c\n'].map((text) => Buffer.from(text))
  expect([1, 2, 3, 4, 5].map((n) => rowOfLine(rows, n))).toEqual([0, 1, 1, 2, undefined])
})
