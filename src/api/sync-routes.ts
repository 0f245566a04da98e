import type { HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { apiRoute } from './exchange.ts'
import { readJsonObject } from './read-request.ts'

/** Stores that follow tables, over HTTP. */
export function syncRoutes(platform: Platform): readonly HttpRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: '/v1/syncs/check',
      summary: 'Compare stores with the tables they follow; mend what differs',
      body: {
        type: 'object',
        properties: {
          only: { type: 'string', description: '`pipeline` or `pipeline/sync`; default: all.' },
          repair: { type: 'boolean', description: 'Mend what differs.' },
        },
      },
      async answer(exchange) {
        const { only, repair } = await readJsonObject(exchange)
        return {
          checks: await platform.checkSyncs({
            only: typeof only === 'string' ? only : undefined,
            repair: repair === true,
            signal: exchange.closing,
          }),
        }
      },
    }),
  ]
}
