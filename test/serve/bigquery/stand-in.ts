import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

// The part of BigQuery's REST API that the adapter uses, as it is documented, with DuckDB for the SQL: jobs.insert (queries, and loads by multipart upload), jobs.get,
// jobs.getQueryResults, tables.insert, tables.get. What the API refuses is refused here: no token, a job id twice, a location that is not the job's,
// legacy SQL, a load into a table that is not there. https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs

export const TOKEN = 'a-token'
const JOB_ID = /^[A-Za-z0-9_-]{1,1024}$/

interface Problem {
  readonly reason: string
  readonly message: string
}

interface StoredJob {
  readonly jobReference: { projectId: string; jobId: string; location: string }
  readonly configuration: object
  /** Jobs are not done when they are asked for the first time. */
  lookCount: number
  errorResult?: Problem
  rows: (string | null)[][]
  columns: string[]
}

export interface Fault {
  readonly kind: 'lost_answer' | 'backend_error'
  /** Beginning of the job's id. */
  readonly of: string
}

export interface BigqueryStandIn {
  readonly url: string
  /** Of jobs that were made, in order. */
  readonly jobIds: readonly string[]
  /** What goes wrong, one after another: the answer to an insert is lost after it was done, or a job fails by itself. */
  readonly faults: Fault[]
  rows(sql: string): Promise<(string | null)[][]>
  close(): Promise<void>
}

export async function startBigqueryStandIn(options: {
  readonly project: string
  readonly location: string
}): Promise<BigqueryStandIn> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-bigquery-'))
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(`SET TimeZone = 'UTC'`)
  const world: World = {
    ...{ ...options, connection, folder, jobs: new Map(), faults: [], madeAt: new Map() },
  }
  const server = createServer((request, response) => {
    answer(world, request, response).catch((error) => {
      if (error instanceof Refusal) return sendProblem(response, error.status, error.problem)
      sendProblem(response, 500, { reason: 'internalError', message: String(error) })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get jobIds() {
      return [...world.jobs.keys()]
    },
    faults: world.faults,
    rows: (sql) => rowsOf(connection, sql).then(({ rows }) => rows),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      connection.closeSync()
      instance.closeSync()
      rmSync(folder, { recursive: true })
    },
  }
}

interface World {
  readonly project: string
  readonly location: string
  readonly connection: DuckDBConnection
  readonly folder: string
  readonly jobs: Map<string, StoredJob>
  readonly faults: Fault[]
  readonly madeAt: Map<string, number>
}

function strikes({ faults }: World, kind: Fault['kind'], { jobReference }: StoredJob): boolean {
  const [next] = faults
  if (next?.kind !== kind || !jobReference.jobId.startsWith(next.of)) return false
  faults.shift()
  return true
}

class Refusal extends Error {
  readonly status: number
  readonly problem: Problem

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.problem = { reason, message }
  }
}

function sendProblem(response: ServerResponse, status: number, problem: Problem): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  const { message } = problem
  response.end(JSON.stringify({ error: { code: status, message, errors: [problem] } }))
}

async function answer(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.headers.authorization !== `Bearer ${TOKEN}`)
    throw new Refusal(401, 'authError', 'Request had invalid authentication credentials.')
  const url = new URL(request.url!, 'http://localhost')
  const base = `/bigquery/v2/projects/${world.project}`
  const body = await bytesOf(request)
  const asked = `${request.method} ${url.pathname}`
  const send = (value: object) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(value))
  }
  const part = (from: string) => decodeURIComponent(url.pathname.slice(`${base}/${from}/`.length))
  if (asked === `POST ${base}/jobs`) {
    const job = await insertJob(world, JSON.parse(body.toString()), undefined)
    if (strikes(world, 'lost_answer', job)) return void request.socket.destroy()
    return send(jobView(job))
  }
  if (asked === `POST /upload${base}/jobs`) {
    if (url.searchParams.get('uploadType') !== 'multipart')
      throw new Refusal(400, 'invalid', 'Only uploads of several parts are known here.')
    const [metadata, media] = partsOf(body, request.headers['content-type'] ?? '')
    const job = await insertJob(world, JSON.parse(metadata.toString()), media)
    if (strikes(world, 'lost_answer', job)) return void request.socket.destroy()
    return send(jobView(job))
  }
  if (request.method === 'GET' && url.pathname.startsWith(`${base}/jobs/`))
    return send(jobView(look(world, part('jobs'), url)))
  if (request.method === 'GET' && url.pathname.startsWith(`${base}/queries/`)) {
    const job = look(world, part('queries'), url)
    return send({
      ...{ kind: 'bigquery#getQueryResultsResponse', jobReference: job.jobReference },
      schema: { fields: job.columns.map((name) => ({ name, type: 'STRING' })) },
      ...{ totalRows: String(job.rows.length), jobComplete: true },
      rows: job.rows.map((row) => ({ f: row.map((v) => ({ v })) })),
    })
  }
  const tables = new RegExp(`^${base}/datasets/(\\w+)/tables(?:/(\\w+))?$`).exec(url.pathname)
  if (tables !== null && request.method === 'POST')
    return send(await insertTable(world, tables[1]!, JSON.parse(body.toString())))
  if (tables !== null && request.method === 'GET') {
    const name = `${tables[1]}.${tables[2]}`
    if (!(await tableExists(world, name)))
      throw new Refusal(404, 'notFound', `Not found: Table ${world.project}:${name}`)
    return send({ id: name, creationTime: String(world.madeAt.get(name)) })
  }
  throw new Refusal(404, 'notFound', `There is nothing at ${asked}.`)
}

function look(world: World, jobId: string, url: URL): StoredJob {
  const job = world.jobs.get(jobId)
  // A job outside of US and EU is only found by its location.
  if (job === undefined || url.searchParams.get('location') !== job.jobReference.location)
    throw new Refusal(404, 'notFound', `Not found: Job ${world.project}:${jobId}`)
  job.lookCount += 1
  return job
}

const jobView = ({ jobReference, configuration, errorResult, lookCount }: StoredJob) => ({
  ...{ kind: 'bigquery#job', id: `${jobReference.projectId}:${jobReference.jobId}` },
  ...{ jobReference, configuration },
  status:
    lookCount < 2
      ? { state: lookCount === 0 ? 'PENDING' : 'RUNNING' }
      : {
          state: 'DONE',
          ...(errorResult === undefined ? {} : { errorResult, errors: [errorResult] }),
        },
})

// biome-ignore lint/suspicious/noExplicitAny: a request's JSON is looked into as into any
async function insertJob(world: World, body: any, media: Buffer | undefined): Promise<StoredJob> {
  const { jobReference, configuration } = body
  const { projectId, jobId, location } = jobReference ?? {}
  if (projectId !== world.project || !JOB_ID.test(jobId ?? '') || location !== world.location)
    throw new Refusal(400, 'invalid', 'jobReference needs this project, a job id and the location.')
  if (world.jobs.has(jobId))
    throw new Refusal(409, 'duplicate', `Already Exists: Job ${projectId}:${location}.${jobId}`)
  const job: StoredJob = {
    ...{ jobReference: { projectId, jobId, location }, configuration, lookCount: 0 },
    ...{ rows: [], columns: [] },
  }
  if (configuration?.query === undefined && configuration?.load === undefined)
    throw new Refusal(
      400,
      'required',
      'Job configuration must contain exactly one job-specific object.',
    )
  world.jobs.set(jobId, job)
  if (strikes(world, 'backend_error', job)) {
    job.errorResult = { reason: 'backendError', message: 'Error encountered during execution.' }
    return job
  }
  try {
    if (configuration.query !== undefined)
      Object.assign(job, await runQuery(world, configuration.query))
    else await runLoad(world, configuration.load, media)
  } catch (error) {
    job.errorResult = { reason: 'invalidQuery', message: String(error) }
  }
  return job
}

async function runQuery(
  world: World,
  { query, useLegacySql }: { query: string; useLegacySql?: boolean },
) {
  // The API's own default is legacy SQL.
  if (useLegacySql !== false) throw new Error('Legacy SQL knows none of this.')
  try {
    return await rowsOf(world.connection, duckdbSql(query))
  } catch (error) {
    await world.connection.run('ROLLBACK').catch(() => {})
    throw error
  }
}

/** What of BigQuery's words DuckDB has others for. */
const duckdbSql = (sql: string) =>
  sql
    .replace(/ OPTIONS \([^)]*\)/g, '')
    .replace(/^(CREATE TABLE [^;]*\)) PARTITION BY \w+$/, '$1')
    .replace(/\bFLOAT64\b/g, 'DOUBLE')
    .replace(/\bTIMESTAMP\b/g, 'TIMESTAMPTZ')
    .replace(/\bBYTES\b/g, 'BLOB')
    .replace(/\bPARSE_JSON\(/g, 'json(')

async function rowsOf(connection: DuckDBConnection, sql: string) {
  const reader = await connection.runAndReadAll(sql)
  const rows = reader.getRows().map((row) => row.map((v) => (v === null ? null : String(v))))
  return { rows, columns: reader.columnNames() }
}

interface LoadConfiguration {
  readonly destinationTable: { projectId: string; datasetId: string; tableId: string }
  readonly sourceFormat?: string
  /** The API takes numbers as texts, too. */
  readonly skipLeadingRows?: number | string
  readonly allowQuotedNewlines?: boolean
  readonly writeDisposition?: string
  readonly createDisposition?: string
  readonly nullMarker?: string
}

async function runLoad(
  world: World,
  load: LoadConfiguration,
  media: Buffer | undefined,
): Promise<void> {
  const { datasetId, tableId } = load.destinationTable
  const name = `${datasetId}.${tableId}`
  if (media === undefined) throw new Error('No media was uploaded, and there are no source URIs.')
  if (load.createDisposition !== 'CREATE_NEVER' || !(await tableExists(world, name)))
    throw new Error(`Not found: Table ${world.project}:${name}`)
  if ((load.sourceFormat ?? 'CSV') !== 'CSV') throw new Error('Only CSV is known here.')
  if (load.allowQuotedNewlines !== true && /"[^"]*\n[^"]*"/.test(media.toString()))
    throw new Error('Missing close double quote (") character.')
  const file = path.join(world.folder, 'media.csv')
  writeFileSync(file, media)
  const names = (await rowsOf(world.connection, `SELECT * FROM ${name} LIMIT 0`)).columns
  const columns = names.map((column) => `'${column}': 'VARCHAR'`).join(', ')
  // An empty cell is null, and a quoted one an empty text, as BigQuery reads texts with its default null marker.
  const csv = `read_csv('${file}', header = false, skip = ${Number(load.skipLeadingRows ?? 0)}, allow_quoted_nulls = false, columns = {${columns}})`
  await world.connection.run('BEGIN')
  if (load.writeDisposition === 'WRITE_TRUNCATE') await world.connection.run(`DELETE FROM ${name}`)
  await world.connection.run(`INSERT INTO ${name} SELECT * FROM ${csv}`)
  await world.connection.run('COMMIT')
}

async function insertTable(
  world: World,
  dataset: string,
  body: {
    tableReference: { tableId: string }
    schema: { fields: { name: string; type: string }[] }
  },
): Promise<object> {
  const { tableId } = body.tableReference
  const name = `${dataset}.${tableId}`
  const { rows } = await rowsOf(
    world.connection,
    `SELECT 1 FROM information_schema.schemata WHERE schema_name = '${dataset}'`,
  )
  if (rows.length === 0) throw new Refusal(404, 'notFound', `Not found: Dataset ${dataset}`)
  if (await tableExists(world, name))
    throw new Refusal(409, 'duplicate', `Already Exists: Table ${world.project}:${name}`)
  const columns = body.schema.fields.map((field) => `${field.name} ${field.type}`)
  await world.connection.run(`CREATE TABLE ${name} (${columns.join(', ')})`)
  world.madeAt.set(name, Date.now())
  return { ...body, id: `${world.project}:${name}` }
}

async function tableExists({ connection }: World, name: string): Promise<boolean> {
  const [schema, table] = name.split('.')
  const { rows } = await rowsOf(
    connection,
    `SELECT 1 FROM information_schema.tables WHERE table_schema = '${schema}' AND table_name = '${table}'`,
  )
  return rows.length > 0
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The two parts of a multipart/related body: what is to be done, and the bytes. */
function partsOf(body: Buffer, contentType: string): readonly [Buffer, Buffer] {
  const boundary = /^multipart\/related;.*boundary="?([^";]+)/.exec(contentType)?.[1]
  if (boundary === undefined) throw new Refusal(400, 'invalid', `${contentType} has no parts.`)
  const mark = Buffer.from(`--${boundary}`)
  const parts: Buffer[] = []
  let from = body.indexOf(mark)
  for (;;) {
    const next = body.indexOf(mark, from + mark.length)
    if (next < 0) break
    const part = body.subarray(from + mark.length, next)
    parts.push(part.subarray(part.indexOf('\r\n\r\n') + 4, part.length - 2))
    from = next
  }
  if (parts.length !== 2) throw new Refusal(400, 'invalid', `${parts.length} parts instead of 2.`)
  return [parts[0]!, parts[1]!]
}
