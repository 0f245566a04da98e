import path from 'node:path'
import type { HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { accessRoutes } from './access-routes.ts'
import { aggregateRoutes } from './aggregate-routes.ts'
import { backfillRoutes } from './backfill-routes.ts'
import { consoleRoutes } from './console-routes.ts'
import { dashboardRoutes } from './dashboard-routes.ts'
import { deadLetterBulkRoutes } from './dead-letter-bulk-routes.ts'
import { deadLetterRoutes } from './dead-letter-routes.ts'
import { documentRoutes } from './document-routes.ts'
import { icebergRoutes } from './iceberg-routes.ts'
import { platformRoutes } from './platform-routes.ts'
import { readRoutes } from './read-routes.ts'
import { riverRoutes } from './river-routes.ts'
import { runRoutes } from './run-routes.ts'
import { sessionRoutes } from './session-routes.ts'
import { sqlRoutes } from './sql-routes.ts'
import { syncRoutes } from './sync-routes.ts'
import { tableInsightRoutes } from './table-insight-routes.ts'
import { tableRoutes } from './table-routes.ts'
import { tableTestRoutes } from './table-test-routes.ts'

// The HTTP API beside the front door: what the platform is doing, for the console and other programs. Comes in: requests
// that the gateway has let through (with a key or session whose role suffices, once there are keys). Goes out: JSON, or RFC 9457 problems. It keeps nothing;
// what survives a crash is what the rooms below keep.

/** Where `npm run console` builds the console. */
const CONSOLE_FOLDER = path.join(import.meta.dirname, '../../console/dist')

/** Every route of the API. */
export function apiRoutes(platform: Platform): readonly HttpRoute[] {
  return [
    ...platformRoutes(platform),
    ...deadLetterBulkRoutes(platform),
    ...deadLetterRoutes(platform),
    ...aggregateRoutes(platform),
    ...documentRoutes(platform),
    ...runRoutes(platform),
    ...backfillRoutes(platform),
    ...syncRoutes(platform),
    ...readRoutes(platform),
    ...icebergRoutes(platform),
    ...riverRoutes(platform),
    ...sqlRoutes(platform),
    ...tableRoutes(platform),
    ...tableInsightRoutes(platform),
    ...tableTestRoutes(platform),
    ...dashboardRoutes(platform),
    ...sessionRoutes(platform),
    ...accessRoutes(platform),
    ...consoleRoutes(CONSOLE_FOLDER),
  ]
}
