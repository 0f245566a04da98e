import { pointerStep } from '../model/problem.ts'

/**
 * How many members all objects in a parsed value have together. Less than the colons in its text means
 * that some key came twice and `JSON.parse` dropped one.
 */
export function memberCountOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += memberCountOf(item)
    return count
  }
  // No inherited member is ever enumerable here, so this sees own members only, `__proto__` included.
  for (const name in value) {
    count += 1
    const cell = (value as Record<string, unknown>)[name]
    if (typeof cell === 'object') count += memberCountOf(cell)
  }
  return count
}

/** The JSON Pointer of the first key that comes twice in its object, in valid JSON; `undefined` when none does. */
export function duplicateKeyOf(json: string): string | undefined {
  const holders: Holder[] = []
  // Strings, brackets and commas are all that matter in text already known to be JSON.
  for (const match of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\],]/g)) {
    const token = match[0]
    const top = holders.at(-1)
    if (token === '{') holders.push({ keys: new Set(), step: '', index: 0 })
    else if (token === '[') holders.push({ keys: undefined, step: '/0', index: 0 })
    else if (token === '}' || token === ']') holders.pop()
    else if (token === ',') {
      if (top !== undefined && top.keys === undefined) top.step = `/${++top.index}`
    } else if (match[1] !== undefined && top?.keys !== undefined) {
      const key = JSON.parse(token.slice(0, token.length - match[1].length)) as string
      top.step = pointerStep(key)
      if (top.keys.has(key)) return holders.map((holder) => holder.step).join('')
      top.keys.add(key)
    }
  }
  return undefined
}

interface Holder {
  /** Keys seen so far; `undefined` for an array. */
  readonly keys: Set<string> | undefined
  step: string
  index: number
}

/** Whether every text and key in a parsed value can be written as UTF-8: no surrogate without its other half. */
export function isWellFormedJson(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isWellFormedJson)
  return Object.entries(value).every(([key, cell]) => key.isWellFormed() && isWellFormedJson(cell))
}
