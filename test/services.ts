import { services } from '../scripts/services/all.ts'
import {
  prepareToolset,
  type ServiceHandle,
  type StartOptions,
  startService,
  type ToolsetHandle,
} from '../scripts/services/lifecycle.ts'
import { isServer, type Service } from '../scripts/services/service.ts'

export type { ServiceHandle, ToolsetHandle } from '../scripts/services/lifecycle.ts'

/** Why a test that needs a real server does not run here, in one line. */
export interface SkipReason {
  readonly skip: string
}

/**
 * The real server `name`, started when it does not run yet, or the reason why it cannot be had. It
 * is left running, so that the next test run starts at once. With `MEKONG_REQUIRE_SERVICES=1` a
 * server that cannot be had is an error.
 */
export async function ensureService(
  name: string,
  options: StartOptions = {},
): Promise<ServiceHandle | SkipReason> {
  const service = services.find((candidate) => candidate.name === name)
  if (service === undefined || !isServer(service)) throw new Error(`No server is named ${name}.`)
  return (await unavailable(service)) ?? orMissing(name, startService(service, options))
}

/** The toolset `name`, fetched when it is not there yet, or the reason why it cannot be had; as for a server. */
export async function ensureToolset(name: string): Promise<ToolsetHandle | SkipReason> {
  const toolset = services.find((candidate) => candidate.name === name)
  if (toolset === undefined || isServer(toolset)) throw new Error(`No toolset is named ${name}.`)
  return (await unavailable(toolset)) ?? orMissing(name, prepareToolset(toolset))
}

async function unavailable(service: Service): Promise<SkipReason | null> {
  const reason = await service.unavailable()
  return reason === null ? null : missing(service.name, reason)
}

async function orMissing<Handle>(
  name: string,
  handle: Promise<Handle>,
): Promise<Handle | SkipReason> {
  try {
    return await handle
  } catch (error) {
    return missing(name, error instanceof Error ? error.message : String(error))
  }
}

function missing(name: string, reason: string): SkipReason {
  const line = `${name} is not available here: ${reason}`
  if (process.env.MEKONG_REQUIRE_SERVICES === '1') throw new Error(line)
  console.log(`skipped: ${line}`)
  return { skip: line }
}
