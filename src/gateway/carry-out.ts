import { messageOf, PlatformError } from '../model/errors.ts'
import type { Admitted } from './admit.ts'
import type { AuditTrail } from './audit-trail.ts'
import { addressOf, type Front } from './front.ts'
import { type HttpProblem, problemCodeOf } from './problem-document.ts'
import type { HttpExchange, HttpRoute } from './router.ts'

/** Where actions leave their trace. */
export interface Witness {
  readonly audit: AuditTrail
  readonly front: Front
}

/**
 * Handle a request for an action: it is in the audit log before it is begun, and again when it has ended.
 * @throws what the audit log throws, and then nothing was begun; what the route throws
 */
export async function carryOut(
  { audit, front }: Witness,
  route: HttpRoute,
  action: string,
  exchange: HttpExchange,
): Promise<void> {
  const { request, response, path, identity } = exchange
  const asked = { identity, address: addressOf(front, request), action, subject: path }
  const id = await audit.begin(asked)
  let subject: string | undefined
  const about = (text: string) => {
    subject = `${path}: ${text}`
  }
  const end = (status: number, detail: string | undefined) =>
    audit.end(id, {
      outcome: status < 400 ? 'done' : 'failed',
      ...{ status, detail: detail ?? null },
      ...(subject === undefined ? {} : { subject }),
    })
  try {
    await route.handle({ ...exchange, about })
  } catch (error) {
    await end(500, error instanceof PlatformError ? error.code : messageOf(error))
    throw error
  }
  await end(response.statusCode, problemCodeOf(response))
}

/** Write down that somebody known was refused. Strangers are not written down: there is no end of them. */
export async function noteRefusal(
  { audit, front }: Witness,
  route: HttpRoute | undefined,
  { identity }: Admitted,
  { status, code }: HttpProblem,
  { request, path }: Pick<HttpExchange, 'request' | 'path'>,
): Promise<void> {
  // Doors of records are busy; what was refused there the metrics count.
  if (identity === undefined || route?.access === 'ingest') return
  const action = route?.action ?? 'look'
  const address = addressOf(front, request)
  await audit.refused({ identity, address, action, subject: path }, status, code)
}
