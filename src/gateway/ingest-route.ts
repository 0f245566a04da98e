import type { Field, RecordSchema } from '../model/schema.ts'
import type { Upgrade } from '../model/upgrade.ts'
import { GatewayRouteError } from './errors.ts'

/** A door for the records of one topic. The same door also answers at `POST /v1/topics/<topic>`. */
export interface IngestRoute {
  /** Starts with a slash: `/events`. */
  readonly path: string
  readonly topic: string
  /** The pipeline whose dead letters these are. */
  readonly pipeline: string
  readonly schema: RecordSchema
  /** When a record is answered: once it is durable, or as soon as it is judged and waits in memory. Default `durable`. */
  readonly ack?: 'durable' | 'accepted'
  /** Asked about records that the schema refuses: they may be of an older shape. */
  readonly upgrade?: Upgrade
  /**
   * The declared id: a field of text or whole numbers, top-level by name or nested as `repo.id`. A record without it falls
   * back to the `Idempotency-Key` header, then to an id we assign.
   */
  readonly idField?: string
  /** The field whose text orders and spreads records; any plain field, named like `idField`. Null where it is missing. */
  readonly keyField?: string
}

const ID_KINDS = ['text', 'int32', 'int64']
const KEY_KINDS = [...ID_KINDS, 'boolean', 'date', 'timestamp', 'epoch']

/** Topic names go into paths, answers and file names as they are; Kafka allows the same. */
const TOPIC_NAME = /^[A-Za-z0-9._-]{1,200}$/

/** @throws GatewayRouteError when the topic's name cannot stand in a path */
export function checkTopicName(route: IngestRoute): void {
  if (TOPIC_NAME.test(route.topic)) return
  throw new GatewayRouteError(
    route.path,
    `the topic name ${JSON.stringify(route.topic)} must be 1 to 200 letters, digits, dots, dashes or underscores.`,
  )
}

/** The names to follow from a record to its id. @throws GatewayRouteError */
export function idPathOf(route: IngestRoute): readonly string[] | undefined {
  return route.idField === undefined ? undefined : fieldPath(route, route.idField, ID_KINDS)
}

/** The names to follow from a record to its key. @throws GatewayRouteError */
export function keyPathOf(route: IngestRoute): readonly string[] | undefined {
  return route.keyField === undefined ? undefined : fieldPath(route, route.keyField, KEY_KINDS)
}

function fieldPath(route: IngestRoute, name: string, kinds: readonly string[]): readonly string[] {
  const names = Object.hasOwn(route.schema.fields, name) ? [name] : name.split('.')
  let fields: RecordSchema['fields'] | undefined = route.schema.fields
  let field: Field | undefined
  for (const step of names) {
    field = fields !== undefined && Object.hasOwn(fields, step) ? fields[step] : undefined
    fields =
      field !== undefined && 'fields' in field ? (field as never as RecordSchema).fields : undefined
  }
  if (field === undefined) {
    const available = Object.keys(route.schema.fields).join(', ')
    throw new GatewayRouteError(
      route.path,
      `its schema has no field ${name}; it has: ${available || 'none'}.`,
    )
  }
  if (!kinds.includes(field.kind)) {
    throw new GatewayRouteError(
      route.path,
      `the field ${name} is of kind ${field.kind}, and only these can serve there: ${kinds.join(', ')}.`,
    )
  }
  return names
}
