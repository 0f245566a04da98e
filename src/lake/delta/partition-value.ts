import type { ColumnType } from '../../model/column.ts'
import type { Scalar } from '../../model/predicate.ts'
import { scalarFromText } from '../../model/scalar.ts'
import { TableBrokenError } from '../errors.ts'

/**
 * Partition values as the log writes them: text, where null and the empty string both mean null (PROTOCOL.md, "Partition
 * Value Serialization"). Timestamps without a zone are in the zone of whoever wrote them, which nobody recorded; we
 * take UTC.
 *
 * @throws TableBrokenError when the text is no value of the type
 */
export function partitionScalar(
  text: string | null | undefined,
  type: ColumnType,
  where: string,
): Scalar | null {
  if (text === null || text === undefined || text === '') return null
  if (type === 'binary') return new TextEncoder().encode(text)
  const scalar = scalarFromText(text, type)
  if (scalar === undefined)
    throw new TableBrokenError(
      `${where} has the partition value ${JSON.stringify(text)}, which is no ${JSON.stringify(type)}.`,
    )
  return scalar
}

/** What a folder name may not hold; the set that Hive and Spark escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are part of the set
const HIVE_SPECIAL = /[\u0000-\u001f"#%'*/:=?\\\u007f{[\]^]/g

/** `a=1/b=x`: the folder that engines by custom put the files of a partition in. Nobody may read values from it. */
export function partitionFolder(
  values: Readonly<Record<string, string | null>>,
  names: readonly string[],
): string {
  return names
    .map((name) => cut(`${hiveEscape(name)}=${hiveValue(values[name] ?? null)}`))
    .join('/')
}

/** File systems take names of 255 bytes. */
const NAME_BYTES_MAX = 200

function cut(name: string): string {
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return name
  let end = 0
  let bytes = 0
  for (const character of name) {
    bytes += Buffer.byteLength(character)
    if (bytes > NAME_BYTES_MAX) break
    end += character.length
  }
  return name.slice(0, end)
}

const hiveValue = (value: string | null) =>
  value === null || value === '' ? '__HIVE_DEFAULT_PARTITION__' : hiveEscape(value)

const hiveEscape = (text: string) =>
  text.replace(
    HIVE_SPECIAL,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
