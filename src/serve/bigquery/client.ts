import { setTimeout as sleep } from 'node:timers/promises'
import type { BigQuery, Job } from '@google-cloud/bigquery'
import { SinkConfigError } from '../errors.ts'
import { type BigqueryConfig, bigqueryName } from './config.ts'
import {
  ALREADY_EXISTS,
  type BigqueryProblem,
  bigqueryError,
  isPassing,
  jobError,
  statusOf,
} from './errors.ts'

/** A project, and a place for its jobs. Nothing is open between calls. */
export interface BigqueryProject {
  /** Run one statement or a script of them. Rows as arrays of texts. @throws as `bigqueryError` */
  query(sql: string): Promise<readonly (readonly (string | null)[])[]>
  /** As `query`, once: a job of this id that is there already is waited for instead. */
  queryOnce(jobId: string, sql: string): Promise<void>
  /** A table for a file's cells, all of them texts, forgotten by BigQuery itself after a day. Returns which one of this name it is: when it was made. */
  makeStagingTable(table: StagingTable): Promise<string>
  /** Load a CSV file instead of what is in the table, once. */
  loadOnce(jobId: string, table: StagingTable, file: string): Promise<void>
}

export interface StagingTable {
  readonly dataset: string
  readonly name: string
  readonly columns: readonly string[]
}

const STAGING_MS = 86_400_000
const LOOK_MS = { first: 200, most: 5_000 }
/** A job of ours that fails for a passing reason is tried again under another id, so often. */
const ATTEMPT_COUNT_MAX = 3

/** @throws SinkConfigError without the package */
export async function openBigquery(config: BigqueryConfig): Promise<BigqueryProject> {
  const { BigQuery } = await import('@google-cloud/bigquery').catch((cause) => {
    throw new SinkConfigError(
      'The package @google-cloud/bigquery is not installed. Install it, or leave BIGQUERY_PROJECT unset.',
      { cause },
    )
  })
  const { project, location, credentialsFile, accessToken, url } = config
  const bigquery = new BigQuery({
    ...{ projectId: project, location, userAgent: 'mekong' },
    ...(credentialsFile === undefined ? {} : { keyFilename: credentialsFile }),
    ...(accessToken === undefined ? {} : { authClient: bearer(accessToken.reveal()) }),
    ...(url === undefined ? {} : { apiEndpoint: url }),
  })
  const where = bigqueryName(config)
  const run = async (sql: string, jobId?: string): Promise<Job> => {
    const [job] = await bigquery.createQueryJob({
      ...{ query: sql, useLegacySql: false, location },
      ...(jobId === undefined ? {} : { jobId }),
    })
    return job
  }
  const attemptOf = (sql: string) => `run "${sql.slice(0, 80)}" in ${where}`
  return Object.freeze<BigqueryProject>({
    async query(sql) {
      const attempt = attemptOf(sql)
      try {
        const job = await run(sql)
        await ended(job, attempt)
        const [rows] = await job.getQueryResults({ skipParsing: true })
        return (rows as { f: { v: string | null }[] }[]).map(({ f }) => f.map(({ v }) => v))
      } catch (error) {
        throw bigqueryError(attempt, error)
      }
    },
    queryOnce: (jobId, sql) =>
      once(bigquery, { jobId, location, attempt: attemptOf(sql) }, (id) => run(sql, id)),
    async makeStagingTable({ dataset, name, columns }) {
      try {
        const table = bigquery.dataset(dataset).table(name)
        const schema = { fields: columns.map((column) => ({ name: column, type: 'STRING' })) }
        await table
          .create({ schema, expirationTime: String(Date.now() + STAGING_MS) })
          .catch((error) => {
            if (statusOf(error) !== ALREADY_EXISTS) throw error
          })
        const [{ creationTime }] = await table.getMetadata()
        return String(creationTime)
      } catch (error) {
        throw bigqueryError(`make ${dataset}.${name} in ${where}`, error)
      }
    },
    loadOnce: (jobId, { dataset, name }, file) =>
      once(
        bigquery,
        { jobId, location, attempt: `load ${file} into ${dataset}.${name} of ${where}` },
        async (id) => {
          const [job] = await bigquery
            .dataset(dataset)
            .table(name, { location })
            .createLoadJob(file, {
              ...{ jobId: id, sourceFormat: 'CSV', skipLeadingRows: 1, allowQuotedNewlines: true },
              ...{ writeDisposition: 'WRITE_TRUNCATE', createDisposition: 'CREATE_NEVER' },
            })
          // What comes back after an upload is a job's metadata in this version's types, and a job in fact.
          return job as unknown as Job
        },
      ),
  })
}

interface OnceOptions {
  readonly jobId: string
  readonly location: string
  readonly attempt: string
}

/**
 * Insert a job under an id that says what it does, and wait for its end. When the insert was answered to nobody, or was made by a process
 * that is gone, the job is there and is not made again. One that has failed keeps its id, so the next try has another.
 */
async function once(
  bigquery: BigQuery,
  { jobId, location, attempt }: OnceOptions,
  insert: (jobId: string) => Promise<Job>,
): Promise<void> {
  let attemptCount = 0
  try {
    for (let n = 1; ; n += 1) {
      const id = n === 1 ? jobId : `${jobId}_${n}`
      const mine = await insert(id).catch((error) => {
        if (statusOf(error) === ALREADY_EXISTS) return undefined
        throw error
      })
      const problem = await problemOf(mine ?? bigquery.job(id, { location }))
      if (problem === undefined) return
      if (mine !== undefined) attemptCount += 1
      if (mine !== undefined && (attemptCount === ATTEMPT_COUNT_MAX || !isPassing(problem)))
        throw jobError(attempt, problem)
    }
  } catch (error) {
    throw bigqueryError(attempt, error)
  }
}

async function ended(job: Job, attempt: string): Promise<void> {
  const problem = await problemOf(job)
  if (problem !== undefined) throw jobError(attempt, problem)
}

/** Wait for the end of a job. What it failed with, if it did. */
async function problemOf(job: Job): Promise<BigqueryProblem | undefined> {
  for (let waitMs = LOOK_MS.first; ; waitMs = Math.min(waitMs * 2, LOOK_MS.most)) {
    const [{ status }] = await job.getMetadata()
    if (status.state === 'DONE') return status.errorResult ?? undefined
    await sleep(waitMs)
  }
}

/** The smallest client that Google's library takes: it only asks for headers. */
const bearer = (token: string) =>
  ({
    getRequestHeaders: async () => new Headers({ authorization: `Bearer ${token}` }),
  }) as never
