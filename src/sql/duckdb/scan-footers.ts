import { quoteText } from './quote-identifier.ts'
import { isRemote, readableFile, remoteFileName } from './remote-files.ts'

/**
 * The columns of Parquet files as their footers have them: names, field ids, nesting. What is only there to encode lists and
 * maps is left out, so that a list has its element inside and a map its key and its value.
 */
export interface FooterColumn {
  readonly name: string
  readonly fieldId: number | undefined
  readonly kind: 'primitive' | 'struct' | 'list' | 'map'
  readonly children: readonly FooterColumn[]
}

/** A file's columns, and a text that is equal for files with the same columns of the same types. */
export interface Footer {
  readonly columns: readonly FooterColumn[]
  readonly signature: string
}

/** One row for each schema element of each file; rows of one file are in the order of the footer. */
export function footerSql(locations: readonly string[]): string {
  const files = locations.map((location) => readableFile(location, 'tail')).join(', ')
  return (
    `SELECT ${fileNameSql(locations)}, name, field_id::INTEGER, coalesce(num_children, 0)::INTEGER, ` +
    "concat_ws('/', type, type_length, converted_type, logical_type, repetition_type), " +
    "coalesce(logical_type, converted_type, '') " +
    `FROM parquet_schema([${files}])`
  )
}

/** What a file is called in the plan: the engine sees remote files under other names. */
function fileNameSql(locations: readonly string[]): string {
  const remote = locations.filter(isRemote)
  if (remote.length === 0) return 'file_name'
  const seen = remote.map((location) => remoteFileName(location, 'tail')).join(', ')
  const called = remote.map((location) => quoteText(location)).join(', ')
  return `coalesce([${called}][list_position([${seen}], file_name)], file_name)`
}

/** Footers by location, from the rows of `footerSql`. */
export function footersOf(rows: readonly (readonly unknown[])[]): ReadonlyMap<string, Footer> {
  const elements = new Map<string, Element[]>()
  for (const [file, name, fieldId, childCount, type, logical] of rows) {
    const list = elements.get(String(file)) ?? []
    if (list.length === 0) elements.set(String(file), list)
    list.push({
      name: String(name),
      fieldId: fieldId === null ? undefined : Number(fieldId),
      childCount: Number(childCount),
      type: String(type),
      logical: String(logical),
    })
  }
  return new Map(
    [...elements].map(([file, list]) => {
      const walk = { list, next: 1 }
      const columns = Array.from({ length: list[0]!.childCount }, () => columnFrom(walk))
      return [file, { columns, signature: JSON.stringify(list.slice(1)) }]
    }),
  )
}

interface Element {
  readonly name: string
  readonly fieldId: number | undefined
  readonly childCount: number
  readonly type: string
  readonly logical: string
}

function columnFrom(walk: { readonly list: readonly Element[]; next: number }): FooterColumn {
  const element = walk.list[walk.next]!
  walk.next += 1
  const { name, fieldId, childCount } = element
  const inner = Array.from({ length: childCount }, () => columnFrom(walk))
  if (childCount === 0) return { name, fieldId, kind: 'primitive', children: [] }
  // Three levels: the annotated group, a repeated group, and in it the element, or the key and the value.
  if (/^(List|LIST)/.test(element.logical))
    return { name, fieldId, kind: 'list', children: [inner[0]!.children[0] ?? inner[0]!] }
  if (/^M(ap|AP)/.test(element.logical))
    return { name, fieldId, kind: 'map', children: inner[0]!.children }
  return { name, fieldId, kind: 'struct', children: inner }
}
