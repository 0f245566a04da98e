import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2'
import { messageOf } from '../../model/errors.ts'
import { SparkUnavailableError } from './errors.ts'

/** How a call ended (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export interface GrpcStatus {
  readonly code: number
  readonly message: string
  /** `google.rpc.Status`, where the server sent one. */
  readonly details: Uint8Array | undefined
}

export const GRPC_OK = 0
/** The statement was stopped, timed out, or the server is away: the same again may succeed. */
export const GRPC_PASSING = new Set([1, 4, 8, 14])

export interface GrpcCall {
  /** `/package.Service/Method` */
  readonly path: string
  readonly request: Uint8Array
  readonly token?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Call a method that answers with a stream of messages, over a connection that is open. Messages travel as a byte of flags, a length of four
 * bytes, and the message (gRPC over HTTP/2). @throws SparkUnavailableError when the connection breaks
 */
export async function grpcCall(
  session: ClientHttp2Session,
  call: GrpcCall,
  onMessage: (message: Uint8Array) => void,
): Promise<GrpcStatus> {
  const stream = session.request({
    ':method': 'POST',
    ':path': call.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'mekong',
    ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
  })
  const stop = () => stream.close(constants.NGHTTP2_CANCEL)
  call.signal?.addEventListener('abort', stop, { once: true })
  try {
    return await answerOf(stream, call, onMessage)
  } catch (error) {
    throw new SparkUnavailableError(`Spark did not answer to the end: ${messageOf(error)}.`, {
      cause: error,
    })
  } finally {
    call.signal?.removeEventListener('abort', stop)
    if (!stream.closed) stop()
  }
}

async function answerOf(
  stream: ClientHttp2Stream,
  { request }: GrpcCall,
  onMessage: (message: Uint8Array) => void,
): Promise<GrpcStatus> {
  // A call that fails at once has its status in the headers, and no trailers.
  let told: Record<string, unknown> = {}
  stream.on('response', (headers) => {
    told = { ...told, ...headers }
  })
  stream.on('trailers', (headers) => {
    told = { ...told, ...headers }
  })
  const head = Buffer.alloc(5)
  head.writeUInt32BE(request.length, 1)
  stream.end(Buffer.concat([head, request]))
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer])
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1)
      onMessage(rest.subarray(5, end))
      rest = rest.subarray(end)
    }
  }
  const code = told['grpc-status']
  if (code === undefined) throw new Error(`HTTP ${String(told[':status'])} without a gRPC status`)
  const details = told['grpc-status-details-bin']
  return {
    code: Number(code),
    message: decodeURIComponent(String(told['grpc-message'] ?? '')),
    details: details === undefined ? undefined : Buffer.from(String(details), 'base64'),
  }
}
