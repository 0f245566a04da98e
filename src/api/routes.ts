import type { HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { aggregateRoutes } from './aggregate-routes.ts'
import { deadLetterRoutes } from './dead-letter-routes.ts'
import { documentRoutes } from './document-routes.ts'
import { icebergRoutes } from './iceberg-routes.ts'
import { platformRoutes } from './platform-routes.ts'
import { readRoutes } from './read-routes.ts'
import { runRoutes } from './run-routes.ts'
import { syncRoutes } from './sync-routes.ts'

// The HTTP API beside the front door: what the platform is doing, for the console and other programs. Comes in: requests
// that the gateway has let through (a key, once there are keys). Goes out: JSON, or RFC 9457 problems. It keeps nothing;
// what survives a crash is what the rooms below keep.

/** Every route of the API. */
export function apiRoutes(platform: Platform): readonly HttpRoute[] {
  return [
    ...platformRoutes(platform),
    ...deadLetterRoutes(platform),
    ...aggregateRoutes(platform),
    ...documentRoutes(platform),
    ...runRoutes(platform),
    ...syncRoutes(platform),
    ...readRoutes(platform),
    ...icebergRoutes(platform),
  ]
}
