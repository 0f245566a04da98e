import { bytesAt, bytesColumn, type RecordBatch } from '../model/record-batch.ts'

/**
 * Header of a record that is in a hop's replay topic because a reference changed what its row says: the id of the record that it is. Such a
 * record is no new one: its row is written again in place of the older one.
 */
export const AMENDS_HEADER = 'mekong-amends'

/** The same batch, its records under the ids they first had. */
export function withFirstIds(batch: RecordBatch): RecordBatch {
  const text = new TextDecoder()
  const bytes = new TextEncoder()
  let changed = false
  const ids = Array.from(batch.offsets, (_, index) => {
    const first = amendedId(text.decode(bytesAt(batch.headers, index)))
    if (first === undefined) return bytesAt(batch.ids, index)
    changed = true
    return bytes.encode(first)
  })
  return changed ? { ...batch, ids: bytesColumn(ids) } : batch
}

function amendedId(headers: string): string | undefined {
  if (!headers.includes(AMENDS_HEADER)) return undefined
  const id = (JSON.parse(headers) as Readonly<Record<string, unknown>>)[AMENDS_HEADER]
  return typeof id === 'string' ? id : undefined
}
