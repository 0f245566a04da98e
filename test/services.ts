import { services } from '../scripts/services/all.ts'
import {
  type ServiceHandle,
  type StartOptions,
  startService,
} from '../scripts/services/lifecycle.ts'

export type { ServiceHandle } from '../scripts/services/lifecycle.ts'

/** Why a test that needs a real server does not run here, in one line. */
export interface SkipReason {
  readonly skip: string
}

/**
 * The real server `name`, started when it does not run yet, or the reason why it cannot be had. It is left running,
 * so that the next test run starts at once. With `MEKONG_REQUIRE_SERVICES=1` a server that cannot be had is an error.
 */
export async function ensureService(
  name: string,
  options: StartOptions = {},
): Promise<ServiceHandle | SkipReason> {
  const service = services.find((candidate) => candidate.name === name)
  if (service === undefined) throw new Error(`No service is named ${name}.`)
  const reason = await service.unavailable()
  if (reason === null) {
    try {
      return await startService(service, options)
    } catch (error) {
      return missing(name, error instanceof Error ? error.message : String(error))
    }
  }
  return missing(name, reason)
}

function missing(name: string, reason: string): SkipReason {
  const line = `${name} is not available here: ${reason}`
  if (process.env.MEKONG_REQUIRE_SERVICES === '1') throw new Error(line)
  console.log(`skipped: ${line}`)
  return { skip: line }
}
