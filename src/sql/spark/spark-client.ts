import { randomUUID } from 'node:crypto'
import { type ClientHttp2Session, connect } from 'node:http2'
import { messageOf } from '../../model/errors.ts'
import { SparkSqlError, SparkUnavailableError } from './errors.ts'
import { GRPC_OK, GRPC_PASSING, grpcCall } from './grpc-call.ts'
import { MessageWriter, readFields } from './protobuf.ts'

/**
 * A session of a Spark Connect server: statements, one after another. Rows do not come this way: what a statement yields is written to
 * files by Spark itself, where whoever wants them reads them. Views and settings live as long as the session.
 * Messages: `spark/connect/base.proto`, `relations.proto` and `commands.proto` of Apache Spark, as far as SQL needs them.
 */
export interface SparkClient {
  readonly url: string
  /** Run a statement to its end. @throws SparkSqlError, SparkUnavailableError */
  run(sql: string, signal?: AbortSignal): Promise<void>
  close(): void
}

export interface SparkOptions {
  /** `sc://host:port`, as Spark has it; `/;use_ssl=true` and `;token=…` after it are honoured. */
  readonly url: string
}

/** Long statements say nothing for minutes; a connection that is gone is found out by this. */
const PING_INTERVAL_MS = 20_000

/** Connect. @throws SparkUnavailableError when nobody answers there */
export async function openSpark({ url }: SparkOptions): Promise<SparkClient> {
  const { target, token } = targetOf(url)
  const session = await connected(target, url)
  const ping = setInterval(() => session.ping(() => {}), PING_INTERVAL_MS)
  ping.unref()
  const sessionId = randomUUID()
  return {
    url,
    async run(sql, signal) {
      const call = {
        path: '/spark.connect.SparkConnectService/ExecutePlan',
        request: sqlRequest(sessionId, sql),
        ...{ token, signal },
      }
      const status = await grpcCall(session, call, () => {})
      if (status.code === GRPC_OK) return
      if (GRPC_PASSING.has(status.code))
        throw new SparkUnavailableError(`Spark at ${url} stopped a statement: ${status.message}`)
      throw new SparkSqlError(
        `Spark could not run a statement: ${status.message}`,
        errorClassOf(status.details),
      )
    },
    close() {
      clearInterval(ping)
      session.close()
    },
  }
}

function targetOf(url: string): { readonly target: string; readonly token: string | undefined } {
  const parsed = /^sc:\/\/([^/;]+)\/?(.*)$/.exec(url)
  if (parsed === null)
    throw new SparkUnavailableError(
      `${url} is no address of a Spark Connect server. Use sc://host:port.`,
    )
  const parameters = new Map(
    parsed[2]!.split(';').map((part) => part.split('=', 2) as [string, string]),
  )
  const scheme = parameters.get('use_ssl') === 'true' ? 'https' : 'http'
  return { target: `${scheme}://${parsed[1]}`, token: parameters.get('token') }
}

function connected(target: string, url: string): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(target)
    session.once('connect', () => {
      // A session that breaks later breaks its calls, which say so.
      session.on('error', () => {})
      resolve(session)
    })
    session.once('error', (error) =>
      reject(
        new SparkUnavailableError(`Spark cannot be reached at ${url}: ${messageOf(error)}.`, {
          cause: error,
        }),
      ),
    )
  })
}

/** `ExecutePlanRequest{session_id, user_context, plan{command{sql_command{input{sql{query}}}}}, client_type}` */
function sqlRequest(sessionId: string, sql: string): Uint8Array {
  const message = () => new MessageWriter()
  const relation = message().message(10, message().text(1, sql))
  const command = message().message(5, message().message(6, relation))
  return message()
    .text(1, sessionId)
    .message(2, message().text(1, 'mekong').text(2, 'mekong'))
    .message(3, message().message(2, command))
    .text(4, 'mekong')
    .finish()
}

/**
 * Spark's error class in `google.rpc.Status{details: Any{ErrorInfo{metadata}}}`: an entry of the map named `errorClass`.
 */
function errorClassOf(details: Uint8Array | undefined): string | undefined {
  if (details === undefined) return undefined
  const inside = (bytes: Uint8Array, number: number) =>
    [...readFields(bytes)].filter((field) => field.number === number).map(({ bytes: own }) => own)
  for (const any of inside(details, 3))
    for (const info of inside(any, 2))
      for (const entry of inside(info, 3)) {
        const [key] = inside(entry, 1)
        const [value] = inside(entry, 2)
        if (
          key !== undefined &&
          value !== undefined &&
          Buffer.from(key).toString() === 'errorClass'
        )
          return Buffer.from(value).toString()
      }
  return undefined
}
