import { exampleOf, jsonSchemaOf } from '../model/json-schema.ts'
import type { IngestRoute } from './ingest-route.ts'
import { PROBLEM_CONTENT_TYPE } from './problem-document.ts'
import type { HttpRoute } from './router.ts'

/** The path that every topic has beside the one its pipeline declares. */
export function topicPathOf(route: IngestRoute): string {
  return `/v1/topics/${route.topic}`
}

/** The OpenAPI 3.1 document of a gateway. */
export function openApiOf(options: {
  readonly routes: readonly IngestRoute[]
  readonly extraRoutes: readonly HttpRoute[]
  readonly hasKeys: boolean
}): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  const schemas: Record<string, unknown> = { ...SHARED_SCHEMAS }
  for (const route of options.routes) {
    schemas[schemaNameOf(route)] = jsonSchemaOf(route.schema)
    for (const path of new Set([route.path, topicPathOf(route)])) {
      paths[path] = { post: ingestOperation(route, path) }
    }
  }
  for (const route of options.extraRoutes) {
    const { path, method, operation } = route
    if (operation === undefined) continue
    const template = path.replaceAll(/:(\w+)/g, '{$1}').replace(/\*$/, '{rest}')
    paths[template] = { ...paths[template], [method.toLowerCase()]: withAccess(route, operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Mekong gateway',
      version: '1',
      description:
        'Events in over HTTP. 202 means durable. Errors are RFC 9457 problem documents; decide on `code`.',
    },
    paths,
    components: {
      schemas,
      ...(options.hasKeys ? { securitySchemes: SECURITY_SCHEMES } : {}),
    },
    ...(options.hasKeys ? { security: [{ bearer: [] }, { apiKey: [] }, { session: [] }] } : {}),
  }
}

/** An operation with the role that it takes, and the refusals that follow from it. */
function withAccess(
  { access }: HttpRoute,
  operation: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (access === 'open') return { ...operation, security: [] }
  const { responses } = operation
  return {
    ...operation,
    'x-role': access,
    responses: { ...(responses as object | undefined), ...REFUSALS },
  }
}

function schemaNameOf(route: IngestRoute): string {
  return `record.${route.topic}`
}

function ingestOperation(route: IngestRoute, path: string): Record<string, unknown> {
  const schema = { $ref: `#/components/schemas/${schemaNameOf(route)}` }
  const example = exampleOf(route.schema)
  const line = JSON.stringify(example)
  return {
    summary: `Send records to ${route.topic}`,
    description: [
      'One JSON object, an array of them, or one per line (NDJSON); plain, or compressed with gzip or zstd.',
      route.idField === undefined
        ? 'Give an `Idempotency-Key` to make sending again harmless; without one an id is assigned.'
        : `The field \`${route.idField}\` is the record’s id: sending the same id again changes nothing.`,
      'A batch is answered 202 when at least one of its records was taken or already there, and each record has its own status; 400 when every record was rejected.',
      'In a batch a bad record is rejected alone, but an array must be JSON as a whole. Rejected records are kept as dead letters.',
    ].join('\n\n'),
    operationId: `ingest:${path}`,
    tags: [route.pipeline],
    'x-role': 'ingest',
    parameters: INGEST_PARAMETERS,
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { oneOf: [schema, { type: 'array', items: schema }] },
          examples: { one: { value: example }, several: { value: [example] } },
        },
        'application/x-ndjson': { schema: { type: 'string' }, example: `${line}\n${line}\n` },
      },
    },
    responses: INGEST_RESPONSES,
  }
}

const INGEST_PARAMETERS = [
  {
    name: 'Idempotency-Key',
    in: 'header',
    schema: { type: 'string', maxLength: 240 },
    description:
      'The id of a record that declares none; records of a batch get `<key>:<index>`, counted from 0.',
  },
  {
    name: 'traceparent',
    in: 'header',
    schema: { type: 'string' },
    description: 'W3C trace context, stored with the records; assigned when missing or malformed.',
  },
  {
    name: 'results',
    in: 'query',
    schema: { type: 'string', enum: ['full', 'summary'] },
    description:
      '`summary` answers a batch with counts, offset ranges and at most 1000 rejected records. So does `Prefer: return=minimal`.',
  },
]

const problem = (description: string) => ({
  description,
  content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
})

const REFUSALS = {
  401: problem('No API key or session, or one that is not known or over.'),
  403: problem('The role of the key does not suffice (`needs` and `roles` say what does).'),
}

const INGEST_RESPONSES = {
  202: {
    description: 'Durable; or waiting in memory where the answer says `durable: false`.',
    content: {
      'application/json': {
        schema: {
          oneOf: [
            { $ref: '#/components/schemas/Single' },
            { $ref: '#/components/schemas/Batch' },
            { $ref: '#/components/schemas/Summary' },
          ],
        },
      },
    },
  },
  400: problem('Malformed, or nothing in it could be taken; `problems` says where and why.'),
  ...REFUSALS,
  408: problem('The request came too slowly.'),
  413: problem('The body, the record or the number of records is past a limit.'),
  415: problem('A media type, charset or compression that is not read.'),
  429: problem('The key’s rate is used up; see Retry-After.'),
  503: problem(
    'Full, unavailable, shutting down, or the outcome is unknown; see `code` and Retry-After.',
  ),
}

const count = { type: 'integer', minimum: 0 }
/** Null while the record waits in the local log because the topic's own log is away. */
const place = { type: ['integer', 'null'], minimum: 0 }
const recordStatus = {
  type: 'object',
  required: ['status'],
  properties: {
    id: { type: 'string' },
    status: { type: 'string', enum: ['accepted', 'duplicate', 'queued', 'rejected'] },
    partition: place,
    offset: place,
    index: count,
    reason: { type: 'string' },
    problems: { type: 'array', items: { $ref: '#/components/schemas/Fault' } },
  },
}
/** Said by doors that answer before anything is durable, and then false. */
const durable = { type: 'boolean' }
const counts = {
  topic: { type: 'string' },
  durable,
  accepted: count,
  duplicates: count,
  rejected: count,
}

const SHARED_SCHEMAS = {
  Single: {
    type: 'object',
    required: ['id', 'status', 'topic', 'partition', 'offset'],
    properties: {
      id: { type: 'string' },
      status: { type: 'string', enum: ['accepted', 'duplicate', 'queued'] },
      durable,
      topic: { type: 'string' },
      partition: place,
      offset: place,
    },
  },
  Batch: {
    type: 'object',
    required: ['topic', 'accepted', 'duplicates', 'rejected', 'records'],
    properties: { ...counts, records: { type: 'array', items: recordStatus } },
  },
  Summary: {
    type: 'object',
    required: ['topic', 'accepted', 'duplicates', 'rejected', 'offsets', 'rejected_records'],
    properties: {
      ...counts,
      offsets: {
        type: 'array',
        items: {
          type: 'object',
          properties: { partition: count, offset_start: count, offset_end: count, records: count },
        },
      },
      rejected_records: { type: 'array', items: recordStatus },
    },
  },
  Fault: {
    type: 'object',
    required: ['path', 'code', 'message'],
    properties: {
      path: { type: 'string', description: 'JSON Pointer from the record.' },
      code: { type: 'string' },
      message: { type: 'string' },
    },
  },
  Problem: {
    type: 'object',
    required: ['type', 'title', 'status', 'code', 'detail'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      code: { type: 'string' },
      detail: { type: 'string' },
      problems: { type: 'array', items: { $ref: '#/components/schemas/Fault' } },
    },
  },
}

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'mekong-session',
    description:
      'Of the console (`POST /v1/session`); behind TLS the name begins with `__Host-`. What changes something also needs `X-CSRF-Token`.',
  },
}
