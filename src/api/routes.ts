import type { HttpRoute } from '../gateway/router.ts'
import { sendJson } from '../gateway/send.ts'
import type { Platform } from '../orchestrator/platform.ts'

/** The HTTP API beside the front door: what the platform is doing, for the console and other programs. */
export function apiRoutes(platform: Platform): readonly HttpRoute[] {
  return [
    {
      method: 'GET',
      path: '/v1/ledger',
      access: 'key',
      handle: async ({ response }) => sendJson(response, 200, { lines: await platform.ledger() }),
      operation: { summary: 'What became of every record at every hop' },
    },
  ]
}
