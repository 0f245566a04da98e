import {
  done,
  NOTHING,
  Refusal,
  type RestAnswer,
  type RestRequest,
  type RestServerOptions,
} from './rest-exchange.ts'
import { LEVEL_SEPARATOR } from './rest-protocol.ts'

// Namespaces of the REST catalog. They are names alone, with properties; a table's folder is named after its own.

/** Names become folders and are joined by dots. */
export function namespaceOf(levels: readonly string[]): string {
  const isPlain = levels.length > 0 && levels.every((level) => /^[^./\\\s]+$/.test(level))
  if (isPlain) return levels.join('.')
  throw new Refusal(
    400,
    'BadRequestException',
    `${JSON.stringify(levels)} cannot be a namespace: each level is a name without dots, slashes and spaces.`,
  )
}

export function tableNameOf(name: unknown): string {
  if (typeof name === 'string' && /^[^./\\\s]+$/.test(name)) return name
  throw new Refusal(
    400,
    'BadRequestException',
    `${JSON.stringify(name)} cannot be a table's name: it has no dots, slashes and spaces.`,
  )
}

function knownNamespaces({ catalog, namespaces = [] }: RestServerOptions): readonly string[] {
  return [...new Set([...namespaces, ...catalog.namespaces()])].sort()
}

export function checkNamespace(options: RestServerOptions, name: string): void {
  const known = knownNamespaces(options)
  if (known.some((each) => each === name || each.startsWith(`${name}.`))) return
  throw new Refusal(
    404,
    'NoSuchNamespaceException',
    `There is no namespace ${name}. There are: ${known.join(', ')}.`,
  )
}

export function listNamespaces(options: RestServerOptions, { query }: RestRequest): RestAnswer {
  const asked = query.get('parent')
  const parent = asked === null || asked === '' ? [] : asked.split(LEVEL_SEPARATOR)
  if (parent.length > 0) checkNamespace(options, namespaceOf(parent))
  const children = knownNamespaces(options)
    .map((name) => name.split('.'))
    .filter(
      (levels) =>
        levels.length > parent.length && parent.every((level, index) => levels[index] === level),
    )
    .map((levels) => levels.slice(0, parent.length + 1))
  const each = new Map(children.map((levels) => [levels.join('.'), levels]))
  return done({ namespaces: [...each.values()] })
}

export function createNamespace(
  options: RestServerOptions,
  json: Readonly<Record<string, unknown>>,
): RestAnswer {
  const levels = json.namespace as readonly string[]
  const name = namespaceOf(levels)
  const properties = (json.properties ?? {}) as Record<string, string>
  if (!options.catalog.createNamespace(name, properties))
    throw new Refusal(409, 'AlreadyExistsException', `The namespace ${name} exists already.`)
  return done({ namespace: levels, properties })
}

export function oneNamespace(options: RestServerOptions, name: string, method: string): RestAnswer {
  checkNamespace(options, name)
  if (method === 'GET')
    return done({
      namespace: name.split('.'),
      properties: options.catalog.namespaceProperties(name),
    })
  const inside = options.catalog.tables().filter((table) => table.startsWith(`${name}.`))
  if (inside.length > 0)
    throw new Refusal(
      409,
      'NamespaceNotEmptyException',
      `The namespace ${name} still has ${inside.length} tables.`,
    )
  options.catalog.dropNamespace(name)
  return NOTHING
}

export function changeNamespace(
  options: RestServerOptions,
  name: string,
  json: Readonly<Record<string, unknown>>,
): RestAnswer {
  checkNamespace(options, name)
  const updates = (json.updates ?? {}) as Record<string, string>
  const removals = (json.removals ?? []) as string[]
  const before = options.catalog.namespaceProperties(name)
  options.catalog.changeNamespace(name, { updates, removals })
  return done({
    updated: Object.keys(updates),
    removed: removals.filter((key) => key in before),
    missing: removals.filter((key) => !(key in before)),
  })
}
