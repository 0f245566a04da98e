/** Where a member's value lies in a JSON object's bytes: `[start, end)`. */
export interface MemberSlice {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const text = new TextDecoder()

/**
 * The members of a JSON object at its top level, found without reading what is in them. The bytes are JSON, as the gateway has parsed them; for
 * others the answer is `undefined`, or slices that are no JSON.
 */
export function topLevelMembers(bytes: Uint8Array): Map<string, MemberSlice> | undefined {
  const members = new Map<string, MemberSlice>()
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== 0x7b) return undefined
  at = skipSpace(bytes, at + 1)
  if (bytes[at] === 0x7d) return members
  for (;;) {
    if (bytes[at] !== QUOTE) return undefined
    const nameEnd = textEnd(bytes, at)
    const name = nameOf(bytes.subarray(at, nameEnd))
    at = skipSpace(bytes, nameEnd)
    if (name === undefined || bytes[at] !== 0x3a) return undefined
    const start = skipSpace(bytes, at + 1)
    const end = valueEnd(bytes, start)
    if (end <= start) return undefined
    members.set(name, { start, end })
    at = skipSpace(bytes, end)
    if (bytes[at] === 0x7d) return members
    if (bytes[at] !== 0x2c) return undefined
    at = skipSpace(bytes, at + 1)
  }
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at += 1
  }
}

/** Past the closing quote of the text that begins at `start`. */
function textEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    at += byte === BACKSLASH ? 2 : 1
  }
  return bytes.length
}

function nameOf(quoted: Uint8Array): string | undefined {
  try {
    return JSON.parse(text.decode(quoted))
  } catch {
    return undefined
  }
}

/** Past the value that begins at `start`: at the comma or bracket that ends it, without the space before. */
function valueEnd(bytes: Uint8Array, start: number): number {
  let depth = 0
  let at = start
  while (at < bytes.length) {
    switch (bytes[at]) {
      case QUOTE:
        at = textEnd(bytes, at)
        if (depth === 0) return at
        continue
      case 0x7b:
      case 0x5b:
        depth += 1
        break
      case 0x7d:
      case 0x5d:
        if (depth === 0) return trimmedEnd(bytes, start, at)
        depth -= 1
        if (depth === 0) return at + 1
        break
      case 0x2c:
        if (depth === 0) return trimmedEnd(bytes, start, at)
        break
    }
    at += 1
  }
  return start
}

function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && (bytes[at - 1] === 0x20 || bytes[at - 1]! <= 0x0d)) at -= 1
  return at
}
