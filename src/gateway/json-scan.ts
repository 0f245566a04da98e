/**
 * Finds records in the bytes of a body without parsing them, so that each can be kept byte for byte, and counts
 * along the way what `JSON.parse` does not tell: members, nesting, escapes of lone surrogates. It trusts
 * nothing: what it delimits still has to pass `JSON.parse`. One scanner per body; it reads forwards only.
 */
export class JsonScanner {
  readonly #bytes: Uint8Array
  /** Past this many bytes a line or a lone value is no longer looked at, because it is too large whatever it holds. */
  readonly #recordBytesMax: number
  /** Where reading goes on. */
  position: number
  /** The last record found: `[start, end)`, without white space around it. */
  start = 0
  end = 0
  /** Colons outside strings: how many members all objects in the record have together. */
  memberCount = 0
  /** Deepest nesting; an object with plain members has 1. */
  depthMax = 0
  /** Whether a `\uD8xx` … `\uDFxx` escape was seen, which may lack its other half. */
  hasSurrogateEscape = false

  constructor(bytes: Uint8Array, position: number, recordBytesMax: number) {
    this.#bytes = bytes
    this.#recordBytesMax = recordBytesMax
    this.position = position
  }

  /** The next line that is not blank (NDJSON). Lines end at LF; a CR before it is white space. */
  nextLine(): boolean {
    this.#skipSpace()
    if (this.position >= this.#bytes.length) return false
    this.start = this.position
    this.#scan(LINE)
    this.#trimEnd()
    this.position += 1
    return true
  }

  /** The next whole value: up to where its brackets close, or to the end of the bytes. */
  nextValue(): boolean {
    this.#skipSpace()
    if (this.position >= this.#bytes.length) return false
    this.start = this.position
    this.#scan(VALUE)
    this.#trimEnd()
    return true
  }

  /** Step into an array. Call once, when the next byte that is not white space is `[`. */
  enterArray(): void {
    this.#skipSpace()
    this.position += 1
  }

  /**
   * The next element of the array entered. `malformed` when the brackets, commas or what follows them
   * cannot be those of one JSON array.
   */
  nextElement(isFirst: boolean): 'element' | 'end' | 'malformed' {
    this.#skipSpace()
    const bytes = this.#bytes
    if (isFirst && bytes[this.position] === CLOSE_BRACKET) return this.#leaveArray()
    if (!isFirst) {
      if (bytes[this.position] === CLOSE_BRACKET) return this.#leaveArray()
      if (bytes[this.position] !== COMMA) return 'malformed'
      this.position += 1
      this.#skipSpace()
    }
    this.start = this.position
    this.#scan(ELEMENT)
    this.#trimEnd()
    return this.position < bytes.length && this.end > this.start ? 'element' : 'malformed'
  }

  /** Whether only white space is left. */
  atEnd(): boolean {
    this.#skipSpace()
    return this.position >= this.#bytes.length
  }

  /** The next byte that is not white space, or -1. */
  peek(): number {
    this.#skipSpace()
    return this.#bytes[this.position] ?? -1
  }

  #leaveArray(): 'end' | 'malformed' {
    this.position += 1
    return this.atEnd() ? 'end' : 'malformed'
  }

  #skipSpace(): void {
    const bytes = this.#bytes
    let at = this.position
    while (at < bytes.length && isSpace(bytes[at]!)) at += 1
    this.position = at
  }

  #trimEnd(): void {
    let end = this.position
    while (end > this.start && isSpace(this.#bytes[end - 1]!)) end -= 1
    this.end = end
  }

  /** Walk from `position` to where `until` says; leaves `position` on the byte that ended the walk. */
  #scan(until: Until): void {
    const bytes = this.#bytes
    const length =
      until === ELEMENT
        ? bytes.length
        : Math.min(bytes.length, this.start + this.#recordBytesMax + 1)
    let at = this.position
    let depth = 0
    let depthMax = 0
    let memberCount = 0
    this.hasSurrogateEscape = false
    while (at < length) {
      const byte = bytes[at]!
      if (byte === QUOTE) {
        at = this.#skipString(at + 1, length, until)
        if (until === VALUE && depth === 0) break
        continue
      }
      if (byte === COLON) memberCount += 1
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        depth += 1
        if (depth > depthMax) depthMax = depth
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (until === ELEMENT && depth === 0) break
        depth -= 1
        if (until === VALUE && depth <= 0) {
          at += 1
          break
        }
      } else if (byte === NEWLINE) {
        if (until === LINE) break
      } else if (byte === COMMA && depth === 0 && until === ELEMENT) break
      at += 1
    }
    const isCutOff = at >= length && length < bytes.length
    this.position = isCutOff ? this.#endOfTooLarge(length, until) : at
    this.memberCount = memberCount
    this.depthMax = depthMax
  }

  #endOfTooLarge(from: number, until: Until): number {
    const newline = until === LINE ? this.#bytes.indexOf(NEWLINE, from) : -1
    return newline < 0 ? this.#bytes.length : newline
  }

  /** From inside a string to the byte after its closing quote; or to a newline that ends the line, or to the end. */
  #skipString(from: number, length: number, until: Until): number {
    const bytes = this.#bytes
    let at = from
    while (at < length) {
      const byte = bytes[at]!
      if (byte === QUOTE) return at + 1
      if (byte === BACKSLASH) {
        if (bytes[at + 1] === NEWLINE) return at + 1
        if (bytes[at + 1] === LOWER_U && (bytes[at + 2]! | 32) === LOWER_D) {
          // \uD000 to \uD7FF are ordinary; only 8 to F in the second digit make a surrogate.
          if (bytes[at + 3]! >= DIGIT_8) this.hasSurrogateEscape = true
        }
        at += 2
      } else if (byte === NEWLINE && until === LINE) return at
      else at += 1
    }
    return length
  }
}

const LINE = 0
const VALUE = 1
const ELEMENT = 2
type Until = typeof LINE | typeof VALUE | typeof ELEMENT

const NEWLINE = 10
const QUOTE = 34
const COMMA = 44
const DIGIT_8 = 56
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const LOWER_D = 100
const LOWER_U = 117
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

function isSpace(byte: number): boolean {
  return byte === 32 || byte === NEWLINE || byte === 13 || byte === 9
}
