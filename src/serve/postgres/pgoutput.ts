import { assert } from '../../model/errors.ts'
import type { TextCell } from './client.ts'

// What the plugin `pgoutput` says, protocol version 1: whole transactions, in the order of their commits, cells as text.
// https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
//
//   'B' final LSN (8), commit time (8), xid (4)
//   'C' flags (1), commit LSN (8), end LSN (8), commit time (8)
//   'R' relation (4), schema (text 0), name (text 0), identity (1), columns (2), each: flags (1), name (text 0), type (4), modifier (4)
//   'I' relation (4), 'N', tuple
//   'U' relation (4), maybe 'K' or 'O' and the old tuple, 'N', the new tuple
//   'D' relation (4), 'K' or 'O', the old tuple
//   'T' relations (4), options (1), each: relation (4)
//   tuple: columns (2), each: 'n' null, 'u' unchanged and stored out of line, or 't' length (4) and text

/** A cell of a changed row; `undefined` where the server leaves out a large value that stayed as it was. */
export type ChangedCell = TextCell | undefined

export type PgoutputMessage =
  | { readonly kind: 'begin'; readonly commitLsn: bigint; readonly committedMicros: bigint }
  | { readonly kind: 'commit'; readonly endLsn: bigint }
  | { readonly kind: 'relation'; readonly relation: number; readonly columns: readonly string[] }
  | { readonly kind: 'insert'; readonly relation: number; readonly row: readonly ChangedCell[] }
  | {
      readonly kind: 'update'
      readonly relation: number
      /** With the row's identity as it was, when that changed or the table's identity is full. */
      readonly old: readonly ChangedCell[] | undefined
      readonly row: readonly ChangedCell[]
    }
  | { readonly kind: 'delete'; readonly relation: number; readonly old: readonly ChangedCell[] }
  | { readonly kind: 'truncate'; readonly relations: readonly number[] }
  /** Types, origins and messages of applications: nothing to a table. */
  | { readonly kind: 'other' }

/** Microseconds from 1970 to 2000, where PostgreSQL counts from. */
const EPOCH_MICROS = 946_684_800_000_000n

/** Read one message. Nothing of `bytes` is kept. */
export function readPgoutput(bytes: Buffer): PgoutputMessage {
  const from = new ByteReader(bytes)
  switch (from.letter()) {
    case 'B':
      return {
        kind: 'begin',
        commitLsn: from.int64(),
        committedMicros: from.int64() + EPOCH_MICROS,
      }
    case 'C':
      from.skip(9)
      return { kind: 'commit', endLsn: from.int64() }
    case 'R':
      return readRelation(from)
    case 'I': {
      const relation = from.int32()
      assert(from.letter() === 'N', 'an insert carries the new row')
      return { kind: 'insert', relation, row: readTuple(from) }
    }
    case 'U': {
      const relation = from.int32()
      const form = from.letter()
      const old = form === 'N' ? undefined : readOld(from, form)
      assert(old === undefined || from.letter() === 'N', 'an update carries the new row')
      return { kind: 'update', relation, old, row: readTuple(from) }
    }
    case 'D': {
      const relation = from.int32()
      return { kind: 'delete', relation, old: readOld(from, from.letter()) }
    }
    case 'T': {
      const count = from.int32()
      from.skip(1)
      return { kind: 'truncate', relations: Array.from({ length: count }, () => from.int32()) }
    }
    default:
      return { kind: 'other' }
  }
}

function readRelation(from: ByteReader): PgoutputMessage {
  const relation = from.int32()
  from.text0()
  from.text0()
  from.skip(1)
  const columns = Array.from({ length: from.int16() }, () => {
    from.skip(1)
    const name = from.text0()
    from.skip(8)
    return name
  })
  return { kind: 'relation', relation, columns }
}

/** Of a 'K' only the identity's cells are said; the nulls in the place of the others mean nothing. */
function readOld(from: ByteReader, form: string): readonly ChangedCell[] {
  const cells = readTuple(from)
  return form === 'K' ? cells.map((cell) => cell ?? undefined) : cells
}

function readTuple(from: ByteReader): ChangedCell[] {
  return Array.from({ length: from.int16() }, (): ChangedCell => {
    const form = from.letter()
    if (form === 'n') return null
    if (form === 'u') return undefined
    assert(form === 't', 'cells come as text, because nothing else was asked for')
    return from.text(from.int32())
  })
}

class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  letter(): string {
    this.#at += 1
    return String.fromCharCode(this.#bytes[this.#at - 1]!)
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  /** Object ids are unsigned. */
  int32(): number {
    this.#at += 4
    return this.#bytes.readUInt32BE(this.#at - 4)
  }

  int64(): bigint {
    this.#at += 8
    return this.#bytes.readBigInt64BE(this.#at - 8)
  }

  text(length: number): string {
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  text0(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end + 1
    return text
  }

  skip(count: number): void {
    this.#at += count
  }
}
