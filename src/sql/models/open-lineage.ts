import { createHash } from 'node:crypto'
import type { Columns } from '../../model/column.ts'
import { columnTypeText } from '../../model/column.ts'
import type { Severity } from '../../model/sql-model.ts'
import type { LineageKind, Origin } from './column-lineage.ts'

// OpenLineage events (https://openlineage.io/spec/2-0-2/OpenLineage.json) for runs of models, as values. One run of one model is one run
// of one job; tables are datasets. Pure.

export interface RunEventOptions {
  readonly namespace: string
  readonly type: 'START' | 'COMPLETE' | 'FAIL'
  readonly atMs: number
  /** Of the platform's run; the event's own run is named after it, the model and the attempt. */
  readonly runId: string
  readonly attempt: number
  readonly pipeline: string
  readonly model: string
  readonly sql: string
  readonly inputs: readonly {
    readonly table: string
    readonly version?: number
    readonly columns?: Columns
    /** What was asked of its rows, in a run that tests. */
    readonly tests?: readonly TestFact[]
  }[]
  /** A run of its own beside the model's: that of its data tests. */
  readonly isTest?: boolean
  readonly output?: {
    readonly columns: Columns
    readonly version: number
    readonly lineage: readonly { readonly name: string; readonly from: readonly Origin[] }[]
    readonly rows: number
    readonly bytes: number
    readonly files: number
  }
  /** What went wrong. */
  readonly message?: string
}

export interface TestFact {
  readonly name: string
  readonly column?: string
  readonly severity: Severity
  /** Rows that failed. */
  readonly failures: number
}

const PRODUCER = 'urn:mekong'
const SPEC = 'https://openlineage.io/spec'

/** An event as JSON takes it. */
export function runEvent(options: RunEventOptions): Readonly<Record<string, unknown>> {
  const { namespace, type, atMs, runId, attempt, pipeline, model, sql, inputs, message } = options
  const { isTest = false } = options
  return {
    eventType: type,
    eventTime: new Date(atMs).toISOString(),
    producer: PRODUCER,
    schemaURL: `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`,
    run: {
      runId: uuidOf(`${runId}/${model}/${attempt}${isTest ? '/tests' : ''}`),
      facets: {
        parent: facet('1-1-0/ParentRunFacet.json', {
          run: { runId: uuidOf(runId) },
          job: { namespace, name: pipeline },
        }),
        ...(message === undefined
          ? {}
          : {
              errorMessage: facet('1-0-1/ErrorMessageRunFacet.json', {
                message,
                programmingLanguage: 'SQL',
              }),
            }),
      },
    },
    job: {
      namespace,
      name: `${pipeline}.${model}${isTest ? '.tests' : ''}`,
      facets: {
        ...(isTest
          ? {}
          : { sql: facet('1-1-0/SQLJobFacet.json', { query: sql, dialect: 'duckdb' }) }),
        jobType: facet('2-0-3/JobTypeJobFacet.json', {
          processingType: 'BATCH',
          integration: 'MEKONG',
          jobType: isTest ? 'TEST' : 'MODEL',
        }),
      },
    },
    inputs: inputs.map(({ table, version, columns, tests }) => ({
      ...{ namespace, name: table },
      facets: {
        ...(version === undefined ? {} : { version: versionFacet(version) }),
        ...(columns === undefined ? {} : { schema: schemaFacet(columns) }),
      },
      ...(tests === undefined ? {} : { inputFacets: { dataQualityAssertions: testFacet(tests) } }),
    })),
    outputs: isTest ? [] : [{ namespace, name: model, ...outputFacets(namespace, options.output) }],
  }
}

function outputFacets(namespace: string, output: RunEventOptions['output']) {
  if (output === undefined) return {}
  const { columns, version, lineage, rows, bytes, files } = output
  return {
    facets: {
      schema: schemaFacet(columns),
      version: versionFacet(version),
      columnLineage: facet('1-2-0/ColumnLineageDatasetFacet.json', {
        fields: Object.fromEntries(
          lineage
            .filter(({ from }) => from.length > 0)
            .map(({ name, from }) => [
              name,
              {
                inputFields: from.map(({ table, column, kind }) => ({
                  ...{ namespace, name: table, field: column },
                  transformations: [{ type: 'DIRECT', subtype: SUBTYPES[kind] }],
                })),
              },
            ]),
        ),
      }),
    },
    outputFacets: {
      outputStatistics: facet('1-0-2/OutputStatisticsOutputDatasetFacet.json', {
        rowCount: rows,
        size: bytes,
        fileCount: files,
      }),
    },
  }
}

const SUBTYPES: Record<LineageKind, string> = {
  identity: 'IDENTITY',
  transformation: 'TRANSFORMATION',
  aggregation: 'AGGREGATION',
}

/** Of an input: a test reads the table. */
const testFacet = (tests: readonly TestFact[]) =>
  facet('1-1-0/DataQualityAssertionsDatasetFacet.json', {
    assertions: tests.map(({ name, column, severity, failures }) => ({
      assertion: name,
      success: failures === 0,
      ...(column === undefined ? {} : { column }),
      ...{ severity, failures },
    })),
  })

const versionFacet = (version: number) =>
  facet('1-0-1/DatasetVersionDatasetFacet.json', { datasetVersion: String(version) })

const schemaFacet = (columns: Columns) =>
  facet('1-1-1/SchemaDatasetFacet.json', {
    fields: columns.map(({ name, type }) => ({ name, type: columnTypeText(type) })),
  })

/** `schema` is a version and a file; the definition in it is named like the file. */
const facet = (schema: string, body: object) => ({
  _producer: PRODUCER,
  _schemaURL: `${SPEC}/facets/${schema}#/$defs/${/([A-Za-z]+)\.json$/.exec(schema)![1]}`,
  ...body,
})

/** A UUID for a name: the same name gives the same one (RFC 9562, version 8). */
function uuidOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
