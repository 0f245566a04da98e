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
  /** Make a view of the session over Parquet files where they lie. @throws SparkSqlError, SparkUnavailableError */
  viewFiles(view: FilesView, signal?: AbortSignal): Promise<void>
  close(): void
}

export interface FilesView {
  readonly name: string
  /** As Spark finds them. */
  readonly paths: readonly string[]
  /** Spark's JSON of the columns to read; one that a file lacks is null. */
  readonly schema: string
  /** Expressions over these columns, and over what Spark says of a row's place: `_metadata`. */
  readonly columns: readonly string[]
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
  const execute = async (command: MessageWriter, signal: AbortSignal | undefined) => {
    const call = {
      path: '/spark.connect.SparkConnectService/ExecutePlan',
      request: executeRequest(sessionId, command),
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
  }
  return {
    url,
    run: (sql, signal) => execute(sqlCommand(sql), signal),
    viewFiles: (view, signal) => execute(viewCommand(view), signal),
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

const message = () => new MessageWriter()

/** `Command{sql_command{input{sql{query}}}}` */
function sqlCommand(sql: string): MessageWriter {
  const relation = message().message(10, message().text(1, sql))
  return message().message(5, message().message(6, relation))
}

/** `Command{create_dataframe_view{input{project{input{read{data_source{format, schema, paths}}}, expressions}}, name, replace}}` */
function viewCommand({ name, paths, schema, columns }: FilesView): MessageWriter {
  const source = message().text(1, 'parquet').text(2, schema)
  for (const path of paths) source.text(4, path)
  const project = message().message(1, message().message(2, message().message(2, source)))
  for (const column of columns) project.message(3, message().message(4, message().text(1, column)))
  const input = message().message(3, project)
  return message().message(3, message().message(1, input).text(2, name).flag(4))
}

/** `ExecutePlanRequest{session_id, user_context, plan{command}, client_type}` */
function executeRequest(sessionId: string, command: MessageWriter): Uint8Array {
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
