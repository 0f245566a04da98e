import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

// The sheets of the console's parts are one page together: a class that two of them lay out looks like neither.

const FOLDER = path.resolve(import.meta.dirname, '../../console/src')

test('a class is laid out by one sheet', () => {
  const sheets = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.css') && file !== 'style.css',
  )
  expect(sheets.length).toBeGreaterThan(5)
  const owners = new Map<string, Set<string>>()
  for (const sheet of sheets) {
    const text = readFileSync(path.join(FOLDER, sheet), 'utf8')
    for (const [, selectors] of text.matchAll(/^([^@\s{}][^{}]*)\{/gm))
      for (const selector of selectors!.split(',')) {
        // The class itself; what one adds to it within something else is that part’s own.
        const name = /^\s*\.([\w-]+)\s*$/.exec(selector)?.[1]
        if (name !== undefined) owners.set(name, (owners.get(name) ?? new Set()).add(sheet))
      }
  }
  expect(owners.size).toBeGreaterThan(50)
  const shared = [...owners].filter(([, of]) => of.size > 1)
  expect(shared.map(([name, of]) => `${name}: ${[...of].join(', ')}`)).toEqual([])
})
