// The part of PostgreSQL's protocol 3.0 that a server in front of an embedded database must understand itself. Pure.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
//
// Every message but a client's first:
//
//   0        1                5                  1 + length
//   +--------+----------------+------------------+
//   | type   | length (int32) | body             |
//   +--------+----------------+------------------+
//              counts itself and the body
//
// A client's first message has no type: length (int32), code (int32), body.

import { assert } from '../../model/errors.ts'

/** Codes that stand where the first message of a connection has its protocol version. */
export const PROTOCOL_MAJOR = 3
export const SSL_REQUEST = 80_877_103
export const GSS_REQUEST = 80_877_104
export const CANCEL_REQUEST = 80_877_102

/** What follows a connection's last answer: idle, inside a transaction, inside one that has failed. */
export type TransactionStatus = 'I' | 'T' | 'E'

export function message(type: string, ...body: readonly (Uint8Array | string)[]): Buffer {
  const parts = body.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
  const length = parts.reduce((sum, part) => sum + part.length, 4)
  const head = Buffer.allocUnsafe(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(length, 1)
  return Buffer.concat([head, ...parts])
}

export const queryMessage = (sql: string): Buffer => message('Q', `${sql}\0`)
export const syncMessage: Buffer = message('S')
export const typeOf = (bytes: Uint8Array): string => String.fromCharCode(bytes[0]!)

/** Name and value pairs of a first message: `user`, `database`, and settings for the session. */
export function startupParameters(first: Buffer): ReadonlyMap<string, string> {
  const texts = first.toString('utf8', 8).split('\0')
  const parameters = new Map<string, string>()
  for (let at = 0; at + 1 < texts.length && texts[at] !== ''; at += 2)
    parameters.set(texts[at]!, texts[at + 1]!)
  return parameters
}

/** What the server says before it hangs up (`FATAL`), or instead of an answer (`ERROR`). */
export function errorMessage(error: {
  readonly severity: 'ERROR' | 'FATAL'
  /** https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly code: string
  readonly text: string
}): Buffer {
  const { severity, code, text } = error
  return message('E', `S${severity}\0V${severity}\0C${code}\0M${text}\0\0`)
}

/** "Send your rows": says text or binary as the statement asks. Clients do not look at the columns, which we do not know. */
export function copyInMessage(sql: string): Buffer {
  return message('G', Uint8Array.of(/\bbinary\b/i.test(sql) ? 1 : 0, 0, 0))
}

/** Whole messages in `output`, which ends with one. */
export function* messagesIn(output: Buffer): Generator<Buffer> {
  let at = 0
  while (at < output.length) {
    assert(at + 5 <= output.length, 'the database answers in whole messages')
    const end = at + 1 + output.readInt32BE(at + 1)
    assert(end <= output.length, 'the database answers in whole messages')
    yield output.subarray(at, end)
    at = end
  }
}

/** What an answer says about where the connection is now. */
export interface AnswerFacts {
  /** Of the last "ready for query"; `null` when the answer has none. */
  readonly status: TransactionStatus | null
  /** The server has given up this session, or itself. */
  readonly fatal: boolean
}

export function answerFacts(output: Buffer): AnswerFacts {
  let status: TransactionStatus | null = null
  let fatal = false
  for (const answer of messagesIn(output)) {
    if (typeOf(answer) === 'Z') status = String.fromCharCode(answer[5]!) as TransactionStatus
    // The second field is the severity in English: `V`, after the localised `S`.
    if (typeOf(answer) === 'E')
      fatal ||= /(?:^|\0)V(?:FATAL|PANIC)\0/.test(answer.toString('latin1', 5))
  }
  return { status, fatal }
}

/** An answer without messages of one type. */
export function withoutMessages(output: Buffer, type: string): Buffer {
  return Buffer.concat([...messagesIn(output)].filter((answer) => typeOf(answer) !== type))
}

/** The cells of all rows in an answer. */
export function rowsIn(output: Buffer): (string | null)[][] {
  const rows: (string | null)[][] = []
  for (const answer of messagesIn(output)) {
    if (typeOf(answer) !== 'D') continue
    const cells: (string | null)[] = []
    let at = 7
    for (let left = answer.readInt16BE(5); left > 0; left -= 1) {
      const bytes = answer.readInt32BE(at)
      at += 4
      cells.push(bytes < 0 ? null : answer.toString('utf8', at, at + bytes))
      if (bytes > 0) at += bytes
    }
    rows.push(cells)
  }
  return rows
}

/** A prepared statement that a client's message names, and the same message with another name. */
export interface StatementName {
  /** Empty for the unnamed statement. */
  readonly name: string
  renamed(name: string): Buffer
}

/** The statement that a Parse, Bind, Describe or Close message is about; `null` for portals and all other messages. */
export function statementName(bytes: Buffer): StatementName | null {
  const type = typeOf(bytes)
  let start = 5
  if (type === 'B') start = bytes.indexOf(0, 5) + 1
  else if (type === 'D' || type === 'C') {
    if (bytes[5] !== 0x53) return null
    start = 6
  } else if (type !== 'P') return null
  const end = bytes.indexOf(0, start)
  return {
    name: bytes.toString('utf8', start, end),
    renamed: (name) => message(type, bytes.subarray(5, start), name, bytes.subarray(end)),
  }
}

/** The SQL in a Query or Parse message, `null` for others. */
export function sqlIn(bytes: Buffer): string | null {
  const type = typeOf(bytes)
  if (type !== 'Q' && type !== 'P') return null
  const start = type === 'Q' ? 5 : bytes.indexOf(0, 5) + 1
  return bytes.toString('utf8', start, bytes.indexOf(0, start))
}

/** A Query or Parse message with other SQL. */
export function withSql(bytes: Buffer, sql: string): Buffer {
  const type = typeOf(bytes)
  const start = type === 'Q' ? 5 : bytes.indexOf(0, 5) + 1
  return message(type, bytes.subarray(5, start), sql, bytes.subarray(bytes.indexOf(0, start)))
}

/** Literals, quoted names and comments: what may contain the words `copy … from stdin` without meaning them. */
const NOT_CODE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//g

/** Whether SQL copies from the client: as its only statement, among others, or not at all. */
export function copiesFromClient(sql: string): 'alone' | 'among-others' | 'no' {
  if (!/copy/i.test(sql)) return 'no'
  const statements = sql
    .replace(NOT_CODE, ' ')
    .split(';')
    .filter((part) => part.trim() !== '')
  const copies = statements.filter((part) => /^\s*copy\b[\s\S]*\bfrom\s+stdin\b/i.test(part))
  if (copies.length === 0) return 'no'
  return statements.length === 1 ? 'alone' : 'among-others'
}
