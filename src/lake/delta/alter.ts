import type { Columns, ColumnType } from '../../model/column.ts'
import { TableMismatchError, TableUnsupportedError } from '../errors.ts'
import type { MetadataAction, StringMap } from './actions.ts'
import { MAPPING_MODE, withMapping } from './column-mapping.ts'
import { GENERATION } from './constraints.ts'
import { feedProblems } from './protocol-upgrade.ts'
import { type DeltaField, type DeltaStruct, deltaTypeOf, schemaOfColumns } from './schema.ts'
import { canWiden, widened } from './type-widening.ts'

/** Changes of one table, made together in this order. What is not named stays. */
export interface AlterOptions {
  /** Null removes a property. Column mapping and features are turned on with their properties, and never off. */
  readonly properties?: Readonly<Record<string, string | null>>
  /** At the end, and nullable: rows that are there have no values. */
  readonly addColumns?: Columns
  /** New name by old. Needs column mapping (`delta.columnMapping.mode` is `name`). */
  readonly renameColumns?: Readonly<Record<string, string>>
  /** Needs column mapping. Their data stays in the files until those are written anew. */
  readonly dropColumns?: readonly string[]
  /** Wider type by column. Needs `delta.enableTypeWidening`. */
  readonly widenColumns?: Readonly<Record<string, ColumnType>>
  readonly allowNulls?: readonly string[]
  /** Every row that is there is checked. */
  readonly forbidNulls?: readonly string[]
  /** SQL by name, that must not be false for any row. Every row that is there is checked. */
  readonly addConstraints?: Readonly<Record<string, string>>
  readonly dropConstraints?: readonly string[]
}

export const CONSTRAINT_PREFIX = 'delta.constraints.'

/**
 * Metadata after some changes. Pure but for `newId`.
 * @throws TableMismatchError when a change does not fit the table
 * @throws TableUnsupportedError when it needs a feature that the table has not turned on
 */
export function alteredMetadata(
  metadata: MetadataAction,
  struct: DeltaStruct,
  options: AlterOptions,
  { table, newId }: { readonly table: string; readonly newId: () => string },
): { readonly metadata: MetadataAction; readonly schema: DeltaStruct } {
  const change = new Alteration(metadata, struct, table)
  change.setProperties(options)
  change.addColumns(options.addColumns ?? [], newId)
  change.renameColumns(options.renameColumns ?? {})
  change.dropColumns(options.dropColumns ?? [])
  change.widenColumns(options.widenColumns ?? {})
  for (const name of options.allowNulls ?? []) change.setNullable(name, true)
  for (const name of options.forbidNulls ?? []) change.setNullable(name, false)
  change.changeConstraints(options)
  return change.finish()
}

class Alteration {
  readonly #before: MetadataAction
  readonly #table: string
  readonly #problems: string[] = []
  #fields: readonly DeltaField[]
  #configuration: StringMap
  #partitionColumns: readonly string[]

  constructor(metadata: MetadataAction, struct: DeltaStruct, table: string) {
    this.#before = metadata
    this.#table = table
    this.#fields = struct.fields
    this.#configuration = metadata.configuration
    this.#partitionColumns = metadata.partitionColumns
  }

  setProperties({ properties = {} }: AlterOptions): void {
    const after: Record<string, string> = { ...this.#configuration }
    for (const [name, value] of Object.entries(properties)) {
      if (name.startsWith(CONSTRAINT_PREFIX))
        this.#problems.push(`${name} is a constraint; add or drop it as such`)
      else if (name === MAPPING_MODE && value !== 'name' && this.#isMapped)
        this.#problems.push('column mapping cannot be turned off or changed')
      else if (value === null) delete after[name]
      else after[name] = value
    }
    const isNew = !this.#isMapped && after[MAPPING_MODE] === 'name'
    this.#configuration = after
    // Files that are there have the names of today.
    if (isNew) this.#map((name) => name)
  }

  addColumns(columns: Columns, newId: () => string): void {
    for (const column of columns) {
      if (this.#find(column.name) !== undefined)
        this.#problems.push(`there is a column ${column.name} already`)
      if (!column.nullable)
        this.#problems.push(
          `column ${column.name} must be nullable, as the rows have no values for it`,
        )
      if (!this.#isMapped && /[ ,;{}()\n\t=]/.test(column.name))
        this.#problems.push(
          `${JSON.stringify(column.name)} needs column mapping for its characters`,
        )
    }
    this.#fields = [...this.#fields, ...schemaOfColumns(columns).fields]
    if (this.#isMapped) this.#map(() => `col-${newId()}`)
  }

  renameColumns(names: Readonly<Record<string, string>>): void {
    if (Object.keys(names).length > 0) this.#needMapping('Renaming')
    for (const [from, to] of Object.entries(names)) {
      if (this.#find(from) === undefined) this.#problems.push(`there is no column ${from}`)
      const other = this.#find(to)
      if (other !== undefined && other.name !== from)
        this.#problems.push(`there is a column ${to} already`)
      this.#checkUnused(from)
      this.#fields = this.#fields.map((f) => (f.name === from ? { ...f, name: to } : f))
      this.#partitionColumns = this.#partitionColumns.map((name) => (name === from ? to : name))
    }
  }

  dropColumns(names: readonly string[]): void {
    if (names.length > 0) this.#needMapping('Dropping columns')
    for (const name of names) {
      if (this.#find(name) === undefined) this.#problems.push(`there is no column ${name}`)
      if (this.#partitionColumns.includes(name))
        this.#problems.push(`${name} cannot go: the table is partitioned by it`)
      this.#checkUnused(name)
      this.#fields = this.#fields.filter((field) => field.name !== name)
    }
    if (this.#fields.length <= this.#partitionColumns.length)
      this.#problems.push('no column would be left in its files')
  }

  widenColumns(types: Readonly<Record<string, ColumnType>>): void {
    if (Object.keys(types).length > 0 && this.#configuration['delta.enableTypeWidening'] !== 'true')
      throw new TableUnsupportedError(
        `Widening a column of ${this.#table} needs its property delta.enableTypeWidening to be true. Nothing was written.`,
        ['typeWidening'],
      )
    for (const [name, columnType] of Object.entries(types)) {
      const field = this.#find(name)
      const type = deltaTypeOf(columnType)
      if (field === undefined) this.#problems.push(`there is no column ${name}`)
      else if (!canWiden(field.type, type))
        this.#problems.push(
          `column ${name} is ${JSON.stringify(field.type)}, which ${JSON.stringify(type)} cannot take the place of`,
        )
      else this.#fields = this.#fields.map((f) => (f === field ? widened(f, type) : f))
    }
  }

  setNullable(name: string, nullable: boolean): void {
    if (this.#find(name) === undefined) this.#problems.push(`there is no column ${name}`)
    this.#fields = this.#fields.map((f) => (f.name === name ? { ...f, nullable } : f))
  }

  changeConstraints({ addConstraints = {}, dropConstraints = [] }: AlterOptions): void {
    const after: Record<string, string> = { ...this.#configuration }
    for (const name of dropConstraints) {
      const key = CONSTRAINT_PREFIX + name.toLowerCase()
      if (after[key] === undefined) this.#problems.push(`there is no constraint ${name}`)
      delete after[key]
    }
    for (const [name, expression] of Object.entries(addConstraints)) {
      const key = CONSTRAINT_PREFIX + name.toLowerCase()
      if (after[key] !== undefined) this.#problems.push(`there is a constraint ${name} already`)
      after[key] = expression
    }
    this.#configuration = after
  }

  finish(): { metadata: MetadataAction; schema: DeltaStruct } {
    this.#problems.push(
      ...feedProblems({ type: 'struct', fields: this.#fields }, this.#configuration),
    )
    if (this.#problems.length > 0)
      throw new TableMismatchError(`Altering ${this.#table}`, this.#problems)
    const schema: DeltaStruct = { type: 'struct', fields: this.#fields }
    return {
      schema,
      metadata: {
        ...this.#before,
        schemaString: JSON.stringify(schema),
        partitionColumns: this.#partitionColumns,
        configuration: this.#configuration,
      },
    }
  }

  get #isMapped(): boolean {
    return (this.#configuration[MAPPING_MODE] ?? 'none') !== 'none'
  }

  #find(name: string): DeltaField | undefined {
    return this.#fields.find((field) => field.name.toLowerCase() === name.toLowerCase())
  }

  #map(physicalName: (name: string) => string): void {
    const { schema, configuration } = withMapping(
      { type: 'struct', fields: this.#fields },
      this.#configuration,
      physicalName,
    )
    this.#fields = schema.fields
    this.#configuration = configuration
  }

  #needMapping(what: string): void {
    if (!this.#isMapped)
      throw new TableUnsupportedError(
        `${what} in ${this.#table} needs column mapping: set its property ${MAPPING_MODE} to name. Nothing was written.`,
        ['columnMapping'],
      )
  }

  /** Expressions name columns in text that we do not rewrite. */
  #checkUnused(name: string): void {
    const mentions = (text: unknown) =>
      typeof text === 'string' && new RegExp(`(^|\\W)${escaped(name)}(\\W|$)`, 'i').test(text)
    for (const [key, expression] of Object.entries(this.#configuration))
      if (key.startsWith(CONSTRAINT_PREFIX) && mentions(expression))
        this.#problems.push(`constraint ${key.slice(CONSTRAINT_PREFIX.length)} is about ${name}`)
    for (const field of this.#fields)
      if (mentions(field.metadata?.[GENERATION]))
        this.#problems.push(`column ${field.name} is generated from ${name}`)
  }
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
