import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

// docs/errors.md lists every error code and every dead-letter reason that the sources declare, and no other.

const ROOT = path.resolve(import.meta.dirname, '..')
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')
const page = read('docs/errors.md')

const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => path.join('src', file))

interface DeclaredError {
  readonly code: string
  readonly retry: string
}

function declaredErrors(): readonly DeclaredError[] {
  return sources.flatMap((file) => {
    const classes = read(file)
      .split(/\bclass \w+ extends PlatformError\b/)
      .slice(1)
    return classes.map((body): DeclaredError => {
      const code = /readonly code = '(\w+)'/.exec(body)?.[1]
      const retry = /readonly retry = '(\w+)'/.exec(body)?.[1]
      if (code === undefined || retry === undefined) {
        throw new Error(`${file} has a PlatformError without a code or retry of its own`)
      }
      return { code, retry }
    })
  })
}

/** Words in quotes within a part of a file, which must be there. */
function wordsIn(file: string, part: RegExp, word: RegExp): readonly string[] {
  const text = part.exec(read(file))?.[0]
  const words = [...(text ?? '').matchAll(word)].map((match) => match[1]!)
  if (words.length === 0) throw new Error(`${file} no longer holds ${part}`)
  return words
}

function declaredReasons(): ReadonlySet<string> {
  const member = /\| '(\w+)'/g
  const everything = /[\s\S]*/
  return new Set([
    ...wordsIn('src/model/problem.ts', /type ProblemCode =[\s\S]*?\n\n/, member),
    ...wordsIn('src/gateway/rejection.ts', /type RejectReason =[\s\S]*?\n\n/, member),
    ...wordsIn('src/sql/duckdb/decode-record.ts', everything, /\bdead\('(\w+)'/g),
    ...wordsIn('src/sql/duckdb/decode.ts', everything, /reason: '(\w+)'/g),
    ...wordsIn('src/sql/duckdb/step-outcome.ts', everything, /reason: '(\w+)'/g),
    ...wordsIn('src/enrich/label-texts.ts', /interface FailedText[\s\S]*?\n}/, /'(label_\w+)'/g),
    ...wordsIn('src/serve/postgres/errors.ts', /ROW_REASONS[\s\S]*?\n}/, /: '(\w+)'/g),
    ...wordsIn('src/serve/postgres/errors.ts', /function rowReason[\s\S]*?\n}/, /return '(\w+)'/g),
  ])
}

/** First cells of a table on the page, with the rest of their rows. */
function rowsBelow(heading: string): ReadonlyMap<string, readonly string[]> {
  const part = page.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!
  const rows = [...part.matchAll(/^\| `(\w+)` *\|(.*)\|$/gm)]
  return new Map(rows.map(([, name, rest]) => [name!, rest!.split('|').map((cell) => cell.trim())]))
}

describe('docs/errors.md', () => {
  const errors = declaredErrors()
  const documented = rowsBelow('Codes')

  test('lists exactly the codes that are declared, each once', () => {
    const codes = errors.map(({ code }) => code)
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
    expect([...documented.keys()]).toEqual([...codes].sort())
  })

  test('says of each whether trying again can help, as its class does', () => {
    const said = errors.map(({ code }) => ({ code, retry: documented.get(code)?.[0] }))
    expect(said).toEqual(errors)
  })

  test('lists exactly the reasons that dead letters can have', () => {
    expect([...rowsBelow('Reasons of dead letters').keys()].sort()).toEqual(
      [...declaredReasons()].sort(),
    )
  })

  test('explains every one of them', () => {
    for (const [, cells] of [...documented, ...rowsBelow('Reasons of dead letters')]) {
      expect(cells.every((cell) => cell.length > 0)).toBe(true)
    }
  })
})
