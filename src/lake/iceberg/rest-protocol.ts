import { TableMismatchError } from '../errors.ts'
import type { CatalogCommit, MetadataUpdate, Requirement } from './catalog.ts'
import { parseKeepingLongs } from './metadata-json.ts'
import type { IcebergSchema, IcebergType } from './schema.ts'

// The words of Iceberg's REST catalog protocol (open-api/rest-catalog-open-api.yaml of apache/iceberg), which `rest-catalog.ts` speaks and
// `rest-server.ts` answers. Pure.

/** Levels of a namespace are one path segment, with this between them. */
export const LEVEL_SEPARATOR = '\u001f'

/** `a.b` as a path segment of a URL. */
export const namespaceSegment = (namespace: string): string =>
  encodeURIComponent(namespace.split('.').join(LEVEL_SEPARATOR))

const REQUIREMENTS: ReadonlySet<string> = new Set<Requirement['type']>([
  'assert-create',
  'assert-table-uuid',
  'assert-ref-snapshot-id',
  'assert-last-assigned-field-id',
  'assert-current-schema-id',
  'assert-last-assigned-partition-id',
  'assert-default-spec-id',
  'assert-default-sort-order-id',
])

const UPDATES: ReadonlySet<string> = new Set<MetadataUpdate['action']>([
  'assign-uuid',
  'upgrade-format-version',
  'set-location',
  'add-schema',
  'set-current-schema',
  'add-spec',
  'set-default-spec',
  'add-sort-order',
  'set-default-sort-order',
  'add-snapshot',
  'set-snapshot-ref',
  'remove-snapshots',
  'remove-snapshot-ref',
  'set-properties',
  'remove-properties',
])

/**
 * A commit that somebody sent. Ids are exact.
 * @throws TableMismatchError for updates and requirements that we do not know: half a commit would be worse than none
 */
export function commitOfJson(
  json: Readonly<Record<string, unknown>>,
  table: string,
): CatalogCommit {
  const requirements = (json.requirements ?? []) as { readonly type: string }[]
  const updates = (json.updates ?? []) as { readonly action: string }[]
  const problems = [
    ...requirements
      .filter(({ type }) => !REQUIREMENTS.has(type))
      .map(({ type }) => `the requirement ${type} is not known here`),
    ...updates
      .filter(({ action }) => !UPDATES.has(action))
      .map(({ action }) => `the update ${action} is not possible here`),
  ]
  if (problems.length > 0) throw new TableMismatchError(`Committing to ${table}`, problems)
  return {
    requirements: requirements as Requirement[],
    updates: (updates as MetadataUpdate[]).map(completed),
  }
}

/** What clients may leave out, and ids of lists, which the parser cannot know for ids. */
function completed(update: MetadataUpdate): MetadataUpdate {
  if (update.action === 'remove-snapshots')
    return { ...update, 'snapshot-ids': update['snapshot-ids'].map(BigInt) }
  if (update.action === 'add-schema')
    return { ...update, 'last-column-id': update['last-column-id'] ?? lastFieldId(update.schema) }
  return update
}

/** The highest field id of a schema, at any depth. */
export function lastFieldId({ fields }: Pick<IcebergSchema, 'fields'>): number {
  return Math.max(0, ...fields.flatMap(({ id, type }) => [id, ...idsOf(type)]))
}

function idsOf(type: IcebergType): number[] {
  if (typeof type === 'string') return []
  switch (type.type) {
    case 'struct':
      return type.fields.flatMap((field) => [field.id, ...idsOf(field.type)])
    case 'list':
      return [type['element-id'], ...idsOf(type.element)]
    case 'map':
      return [type['key-id'], type['value-id'], ...idsOf(type.key), ...idsOf(type.value)]
  }
}

/** A JSON object from a body; an empty body is an empty object. @throws SyntaxError, TypeError */
export function objectOfJson(text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') return {}
  const value: unknown = parseKeepingLongs(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as never
  throw new TypeError('the body is no JSON object')
}

/**
 * A schema whose ids a catalog gave, as every catalog does for a new table: what clients send may begin anywhere. `idOf` tells the new
 * id of an old one, for partitioning, sorting and identifiers.
 */
export function withFreshIds(schema: IcebergSchema): {
  readonly schema: IcebergSchema
  readonly idOf: (old: number) => number | undefined
} {
  const ids = new Map<number, number>()
  const next = (old: number) => {
    ids.set(old, ids.size + 1)
    return ids.size
  }
  const typeOf = (type: IcebergType): IcebergType => {
    if (typeof type === 'string') return type
    switch (type.type) {
      case 'struct': {
        const numbered = type.fields.map((field) => ({ ...field, id: next(field.id) }))
        return {
          ...type,
          fields: numbered.map((field) => ({ ...field, type: typeOf(field.type) })),
        }
      }
      case 'list': {
        const id = next(type['element-id'])
        return { ...type, 'element-id': id, element: typeOf(type.element) }
      }
      case 'map': {
        const [keyId, valueId] = [next(type['key-id']), next(type['value-id'])]
        const [key, value] = [typeOf(type.key), typeOf(type.value)]
        return { ...type, 'key-id': keyId, 'value-id': valueId, key, value }
      }
    }
  }
  const { fields } = typeOf({ type: 'struct', fields: schema.fields }) as IcebergSchema
  const identifiers = (schema['identifier-field-ids'] ?? []).flatMap((id) => ids.get(id) ?? [])
  return {
    schema: { type: 'struct', 'schema-id': 0, 'identifier-field-ids': identifiers, fields },
    idOf: (old) => ids.get(old),
  }
}
