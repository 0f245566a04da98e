import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { duplicateKeyOf, memberCountOf } from '../../src/gateway/json-members.ts'
import { JsonScanner } from '../../src/gateway/json-scan.ts'

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)

/** The slices of an array, or why not. */
function elements(text: string): string[] | 'malformed' {
  const bytes = Buffer.from(text)
  const scanner = new JsonScanner(bytes, 0, 1e6)
  scanner.enterArray()
  const slices: string[] = []
  for (;;) {
    const found = scanner.nextElement(slices.length === 0)
    if (found === 'end') return slices
    if (found === 'malformed') return 'malformed'
    slices.push(bytes.toString('utf8', scanner.start, scanner.end))
  }
}

describe('json scanner', () => {
  test('slices of an array parse to its elements, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), space, (values, gap) => {
        const body = values.map((value) => gap + JSON.stringify(value) + gap).join(',')
        const slices = elements(`${gap}[${body}${values.length === 0 ? gap : ''}]${gap}`)
        const parsed = slices === 'malformed' ? slices : slices.map((slice) => JSON.parse(slice))
        expect(parsed).toEqual(JSON.parse(JSON.stringify(values)))
      }),
      { numRuns: 1_000 },
    )
  })

  test('what the slices make is an array exactly when the text is', () => {
    const tokens = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '1', 'a', ' ', '"a":1')
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 12 }), (parts) => {
        const text = `[${parts.join('')}`
        const slices = elements(text)
        expect(slices !== 'malformed' && slices.every(isJson)).toBe(isJson(text))
      }),
      { numRuns: 5_000 },
    )
  })

  test('lines parse to what was written, with any white space and blank lines between', () => {
    const end = fc.constantFrom('\n', '\r\n', '\n\n', ' \r\n\t\n')
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.object(), end)), (lines) => {
        const text = lines.map(([value, ending]) => JSON.stringify(value) + ending).join('')
        const bytes = Buffer.from(text)
        const scanner = new JsonScanner(bytes, 0, 1e6)
        const parsed = []
        while (scanner.nextLine()) {
          parsed.push(JSON.parse(bytes.toString('utf8', scanner.start, scanner.end)))
          expect(scanner.memberCount).toBe(memberCountOf(parsed.at(-1)))
        }
        expect(parsed).toEqual(lines.map(([value]) => JSON.parse(JSON.stringify(value))))
      }),
    )
  })

  test('a broken line does not swallow the next one', () => {
    const bytes = Buffer.from('{"a":"open\n{"b":1}\n{"c":"x\\\n{"d":2}')
    const scanner = new JsonScanner(bytes, 0, 1e6)
    const lines: string[] = []
    while (scanner.nextLine()) lines.push(bytes.toString('utf8', scanner.start, scanner.end))
    expect(lines).toEqual(['{"a":"open', '{"b":1}', '{"c":"x\\', '{"d":2}'])
  })

  test('a line past the limit ends where it ends, and its neighbours are found', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.boolean(), (size, isText) => {
        const long = isText ? `{"x":"${'y'.repeat(size)}"}` : `[${'1,'.repeat(size)}1]`
        const lines = ['{"a":1}', long, '{"b":2}', long]
        const bytes = Buffer.from(lines.join('\r\n'))
        const scanner = new JsonScanner(bytes, 0, 20)
        const found: string[] = []
        while (scanner.nextLine()) found.push(bytes.toString('utf8', scanner.start, scanner.end))
        expect(found).toEqual(lines)
      }),
    )
  })

  test('nesting is counted outside strings', () => {
    const scanner = new JsonScanner(Buffer.from('{"[[[[":[{"a":[1]}]}'), 0, 1e6)
    scanner.nextValue()
    expect(scanner.depthMax).toBe(4)
  })

  test('doubled keys are found wherever they are, however they are written', () => {
    expect(duplicateKeyOf('{"a":1,"b":{"a":1}}')).toBeUndefined()
    expect(duplicateKeyOf('{"a":[{"b":1},{"b":1,"c":2,"\\u0062":3}]}')).toBe('/a/1/b')
    expect(duplicateKeyOf('{"x/y":1,"x/y":2}')).toBe('/x~1y')
    expect(duplicateKeyOf('{"a":"\\"a\\":","b":"{","a":1}')).toBe('/a')
    expect(duplicateKeyOf(`{"long":"${'\\"'.repeat(500_000)}","long":1}`)).toBe('/long')
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
