import { TableUnsupportedError } from '../errors.ts'
import { schemaById, specById, type TableMetadata } from './metadata.ts'
import type { IcebergField, IcebergType } from './schema.ts'

/** Types that are read as another one, so that writing that one back would spoil the column. */
const READ_ONLY_TYPE = /^(uuid|time|unknown|fixed\[.*\])$/

/** @throws TableUnsupportedError naming each thing about the table that we can read and not write */
export function checkWritable(metadata: TableMetadata, table: string): void {
  const features: string[] = []
  const version = metadata['format-version']
  if (version !== 2) features.push(`format version ${version}`)
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  for (const field of schema.fields) features.push(...readOnlyTypes(field))
  const format = metadata.properties['write.format.default']?.toLowerCase() ?? 'parquet'
  if (format !== 'parquet') features.push(`file format ${format}`)
  for (const field of specById(metadata, metadata['default-spec-id'])!.fields)
    if (typeof field['source-id'] !== 'number') features.push(`partition field ${field.name}`)
  if (features.length > 0)
    throw new TableUnsupportedError(
      `Mekong cannot write to ${table}, because of its ${features.join(', ')}. Nothing was written.`,
      features,
    )
}

/** Columns of types that we read as something else. */
export function readOnlyTypes({ name, type }: IcebergField): readonly string[] {
  const found = new Set<string>()
  const visit = (inner: IcebergType): void => {
    if (typeof inner === 'string') {
      if (READ_ONLY_TYPE.test(inner)) found.add(`column ${name} of type ${inner}`)
    } else if (inner.type === 'struct') for (const each of inner.fields) visit(each.type)
    else if (inner.type === 'list') visit(inner.element)
    else {
      visit(inner.key)
      visit(inner.value)
    }
  }
  visit(type)
  return [...found]
}
