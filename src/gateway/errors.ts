import { PlatformError } from '../model/errors.ts'

/** The gateway was told to listen where others can reach it, and anybody could write. Nothing listens. */
export class GatewayWithoutKeysError extends PlatformError {
  readonly code = 'GATEWAY_WITHOUT_KEYS'
  readonly retry = 'never'
  readonly host: string

  constructor(host: string) {
    super(
      `The gateway will not listen on ${host} without API keys, because anybody who reaches it could write. Nothing was started. Create a key, or listen on 127.0.0.1.`,
    )
    this.host = host
  }
}

/** Two routes claim one path, a path is malformed, or an id or key field is not one that can serve. Nothing listens. */
export class GatewayRouteError extends PlatformError {
  readonly code = 'GATEWAY_ROUTE_INVALID'
  readonly retry = 'never'
  readonly path: string

  constructor(path: string, detail: string) {
    super(`The route ${path} cannot be served: ${detail}`)
    this.path = path
  }
}

/** Limits that contradict one another. Nothing listens. */
export class GatewayLimitError extends PlatformError {
  readonly code = 'GATEWAY_LIMIT_INVALID'
  readonly retry = 'never'
}

/** The address is taken or may not be used. `cause` is Node's error. */
export class GatewayListenError extends PlatformError {
  readonly code = 'GATEWAY_LISTEN_FAILED'
  readonly retry = 'later'

  constructor(host: string, port: number, cause: unknown) {
    const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'unknown'
    super(
      `The gateway could not listen on ${host}:${port} (${code}). Nothing was started. Stop what uses the port, or choose another one.`,
      { cause },
    )
  }
}
