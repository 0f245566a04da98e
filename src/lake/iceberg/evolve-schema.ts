import type { Column, ColumnType } from '../../model/column.ts'
import { columnTypeText } from '../../model/column.ts'
import { TableMismatchError } from '../errors.ts'
import { fieldOf, icebergType } from './define-schema.ts'
import { columnTypeOf, type IcebergField, type IcebergStruct, type IcebergType } from './schema.ts'

/**
 * Changes to a schema that leave every data file as it is (table spec, "Schema Evolution"). Paths go down through structs; a
 * list's element is called `element`, a map's value `value`.
 */
export type SchemaChange =
  /** A new, nullable column, at the end of the struct that `in` leads to. Default: of the table. */
  | { readonly kind: 'add'; readonly column: Column; readonly in?: readonly string[] }
  | { readonly kind: 'rename'; readonly path: readonly string[]; readonly name: string }
  | { readonly kind: 'drop'; readonly path: readonly string[] }
  /** int32 to int64, float32 to float64, a decimal to a wider one of the same scale. */
  | { readonly kind: 'widen'; readonly path: readonly string[]; readonly type: ColumnType }
  /** From never null to maybe null. */
  | { readonly kind: 'make_nullable'; readonly path: readonly string[] }
  | { readonly kind: 'describe'; readonly path: readonly string[]; readonly doc: string }
  /** To behind a column beside it; to the front when `after` is null. */
  | { readonly kind: 'move'; readonly path: readonly string[]; readonly after: string | null }

export interface EvolvedSchema {
  readonly fields: readonly IcebergField[]
  readonly lastColumnId: number
}

/**
 * The schema after some changes, one after the other. Pure. `inUse` are ids that partition specs and sort orders refer to, `keys`
 * those that tell rows apart.
 * @throws TableMismatchError naming each change that cannot be made
 */
export function evolveSchema(
  schema: IcebergStruct,
  changes: readonly SchemaChange[],
  options: {
    readonly lastColumnId: number
    readonly inUse: ReadonlySet<number>
    readonly keys: ReadonlySet<number>
    readonly table: string
  },
): EvolvedSchema {
  let { lastColumnId } = options
  let fields = schema.fields
  const problems: string[] = []
  const newId = () => ++lastColumnId
  for (const change of changes) {
    const path = change.kind === 'add' ? [...(change.in ?? []), change.column.name] : change.path
    try {
      fields = withStruct(fields, path.slice(0, -1), (siblings) =>
        changed(siblings, change, path.at(-1) ?? '', { ...options, newId }),
      )
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      problems.push(`${path.join('.')} ${error.message}`)
    }
  }
  if (problems.length > 0)
    throw new TableMismatchError(`Changing the columns of ${options.table}`, problems)
  return { fields, lastColumnId }
}

interface ChangeContext {
  readonly newId: () => number
  readonly inUse: ReadonlySet<number>
  readonly keys: ReadonlySet<number>
}

/** The fields of one struct after one change. @throws RangeError saying why not */
function changed(
  siblings: readonly IcebergField[],
  change: SchemaChange,
  name: string,
  { newId, inUse, keys }: ChangeContext,
): readonly IcebergField[] {
  const taken = (wanted: string) =>
    siblings.some((each) => each.name !== name && sameName(each.name, wanted))
  if (change.kind === 'add') {
    if (siblings.some((each) => sameName(each.name, name))) throw new RangeError('is there already')
    // Rows of older files have no value for it, and version 2 has no defaults.
    if (!change.column.nullable) throw new RangeError('must be nullable, as older rows lack it')
    const id = newId()
    return [...siblings, fieldOf(change.column, id, newId)]
  }
  const index = siblings.findIndex((each) => each.name === name)
  const field = siblings[index]
  if (field === undefined)
    throw new RangeError(`is not there; there are ${siblings.map((each) => each.name).join(', ')}`)
  const replace = (made: IcebergField) => siblings.with(index, made)
  switch (change.kind) {
    case 'rename':
      if (change.name === '' || taken(change.name))
        throw new RangeError(`cannot be called ${JSON.stringify(change.name)}`)
      return replace({ ...field, name: change.name })
    case 'drop':
      if (inUse.has(field.id))
        throw new RangeError('is what the table is partitioned or sorted by; change that first')
      if (keys.has(field.id)) throw new RangeError('is a key of the table')
      if (siblings.length === 1) throw new RangeError('is the only column there')
      return siblings.toSpliced(index, 1)
    case 'widen':
      return replace({ ...field, type: widened(field.type, change.type) })
    case 'make_nullable':
      if (keys.has(field.id)) throw new RangeError('is a key of the table, and a key is never null')
      return replace({ ...field, required: false })
    case 'describe':
      return replace({ ...field, doc: change.doc })
    case 'move': {
      const rest = siblings.toSpliced(index, 1)
      const after =
        change.after === null ? -1 : rest.findIndex((each) => each.name === change.after)
      if (change.after !== null && after < 0)
        throw new RangeError(`cannot follow ${change.after}, which is not beside it`)
      return rest.toSpliced(after + 1, 0, field)
    }
  }
}

const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

function widened(from: IcebergType, to: ColumnType): IcebergType {
  const target =
    typeof to !== 'string' && to.kind !== 'decimal' ? undefined : icebergType(to, () => 0)
  const isWider =
    (from === 'int' && target === 'long') ||
    (from === 'float' && target === 'double') ||
    from === target ||
    isWiderDecimal(from, to)
  if (target === undefined || !isWider)
    throw new RangeError(
      `is ${typeof from === 'string' ? from : from.type} and cannot become ${columnTypeText(to)}`,
    )
  return target
}

function isWiderDecimal(from: IcebergType, to: ColumnType): boolean {
  if (typeof from !== 'string' || !from.startsWith('decimal')) return false
  const before = columnTypeOf(from, 'A decimal')
  if (typeof before === 'string' || typeof to === 'string') return false
  if (before.kind !== 'decimal' || to.kind !== 'decimal') return false
  return to.scale === before.scale && to.precision >= before.precision
}

/** The same fields, but those of the struct at `path` changed. @throws RangeError */
function withStruct(
  fields: readonly IcebergField[],
  path: readonly string[],
  change: (fields: readonly IcebergField[]) => readonly IcebergField[],
): readonly IcebergField[] {
  const [name, ...rest] = path
  if (name === undefined) return change(fields)
  const index = fields.findIndex((field) => field.name === name)
  const field = fields[index]
  if (field === undefined) throw new RangeError(`is nowhere: there is no ${name}`)
  return fields.with(index, { ...field, type: inType(field.type, rest, change) })
}

function inType(
  type: IcebergType,
  path: readonly string[],
  change: (fields: readonly IcebergField[]) => readonly IcebergField[],
): IcebergType {
  if (typeof type !== 'string') {
    const [step, ...rest] = path
    if (type.type === 'struct') return { ...type, fields: withStruct(type.fields, path, change) }
    if (type.type === 'list' && step === 'element')
      return { ...type, element: inType(type.element, rest, change) }
    if (type.type === 'map' && step === 'value')
      return { ...type, value: inType(type.value, rest, change) }
  }
  throw new RangeError('is not in a struct')
}
