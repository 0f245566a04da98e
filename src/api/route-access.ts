import type { HttpMethod, HttpRoute } from '../gateway/router.ts'

// What every route of the API needs, in one place. A test holds this table against the routes there are, both ways; a route that is not
// in it needs `admin`, so that what was forgotten is closed and not open.

export interface RouteAccess {
  readonly access: HttpRoute['access']
  /** The word for the audit log; every route that changes something has one, but for those that say why not. */
  readonly action?: string
}

const OPEN: RouteAccess = { access: 'open' }
const READ: RouteAccess = { access: 'read' }
const operate = (action: string): RouteAccess => ({ access: 'operate', action })
const admin = (action?: string): RouteAccess => ({
  access: 'admin',
  ...(action === undefined ? {} : { action }),
})

const NAMESPACE = '/iceberg/v1/namespaces/:namespace'

/** `METHOD /path` → what it needs. Paths as the routes write them. */
export const ROUTE_ACCESS: Readonly<Record<string, RouteAccess>> = {
  // The console is a file like any other; whoever may load it can do nothing with it but sign in.
  'GET /': OPEN,
  'GET /console': OPEN,
  'GET /console/*': OPEN,
  'GET /v1/session': OPEN,
  // They look themselves at who asks, and write their own lines into the audit log.
  'POST /v1/session': OPEN,
  'DELETE /v1/session': OPEN,

  'GET /v1/aggregates/:name': READ,
  'GET /v1/aggregates/:name/live': READ,
  'GET /v1/aggregates/:name/series/:series': READ,
  'GET /v1/backfills': READ,
  'GET /v1/backfills/:id': READ,
  'GET /v1/dashboards': READ,
  'GET /v1/dashboards/:pipeline': READ,
  'GET /v1/dead-letters': READ,
  'GET /v1/dead-letters/:id': READ,
  'GET /v1/documents/:collection': READ,
  'GET /v1/ledger': READ,
  'GET /v1/live': READ,
  'GET /v1/queries': READ,
  'GET /v1/river': READ,
  'GET /v1/runs': READ,
  'GET /v1/runs/:id': READ,
  'GET /v1/runs/:id/log': READ,
  'GET /v1/schedules': READ,
  'GET /v1/sql/names': READ,
  'GET /v1/status': READ,
  'GET /v1/tables': READ,
  'GET /v1/tables/:name': READ,
  'GET /v1/tables/:name/changes': READ,
  'GET /v1/tables/:name/files': READ,
  'GET /v1/tables/:name/lineage': READ,
  'GET /v1/tables/:name/partitions': READ,
  'GET /v1/tables/:name/rows': READ,
  'GET /v1/tables/:name/tests': READ,
  'GET /v1/tasks': READ,
  'GET /v1/topics': READ,
  // Posted because the question is long; nothing is changed.
  'POST /v1/sql': READ,
  'POST /v1/sql/export': READ,
  'POST /v1/dead-letters/:id/preview': READ,

  'POST /v1/backfills': operate('backfill.begin'),
  'POST /v1/backfills/:id/cancel': operate('backfill.cancel'),
  'POST /v1/backfills/:id/pause': operate('backfill.pause'),
  'POST /v1/backfills/:id/resume': operate('backfill.resume'),
  'POST /v1/dead-letters/bulk': operate('letter.bulk'),
  'POST /v1/dead-letters/:id/drop': operate('letter.drop'),
  'POST /v1/dead-letters/:id/fix': operate('letter.fix'),
  'POST /v1/dead-letters/:id/replay': operate('letter.replay'),
  'POST /v1/runs': operate('run.begin'),
  'POST /v1/runs/:id/again': operate('run.again'),
  'POST /v1/runs/:id/cancel': operate('run.cancel'),
  'POST /v1/runs/:id/resume': operate('run.resume'),
  'POST /v1/syncs/check': operate('sync.check'),
  'POST /v1/tables/:name/maintenance': operate('table.maintain'),

  // One's own sessions; an admin's are all of them.
  'GET /v1/sessions': READ,
  'POST /v1/sessions/:id/end': { access: 'read', action: 'session.end' },
  'GET /v1/audit': admin(),
  'GET /v1/keys': admin(),
  'POST /v1/keys': admin('key.create'),
  'POST /v1/keys/:name/revoke': admin('key.revoke'),

  'GET /iceberg/v1/config': READ,
  'GET /iceberg/v1/namespaces': READ,
  [`GET ${NAMESPACE}`]: READ,
  [`GET ${NAMESPACE}/tables`]: READ,
  [`GET ${NAMESPACE}/tables/:table`]: READ,
  // It is thrown away.
  [`POST ${NAMESPACE}/tables/:table/metrics`]: READ,
  // A writer's commits are many, and the table's own history names them: they would push out what people did.
  [`POST ${NAMESPACE}/tables/:table`]: { access: 'operate' },
  'POST /iceberg/v1/namespaces': operate('iceberg.make_namespace'),
  [`DELETE ${NAMESPACE}`]: operate('iceberg.drop_namespace'),
  [`POST ${NAMESPACE}/properties`]: operate('iceberg.change_namespace'),
  [`POST ${NAMESPACE}/tables`]: operate('iceberg.make_table'),
  [`POST ${NAMESPACE}/register`]: operate('iceberg.register_table'),
  [`DELETE ${NAMESPACE}/tables/:table`]: operate('iceberg.drop_table'),
  'POST /iceberg/v1/tables/rename': operate('iceberg.rename_table'),
}

/** Of what a pipeline answers at paths of its own (`p.read`): it looks. */
export const READ_OF_PIPELINE = READ

/** What a route needs; one that nobody declared is the admin's. */
export const accessOf = (method: HttpMethod, path: string): RouteAccess =>
  ROUTE_ACCESS[`${method} ${path}`] ?? UNDECLARED

const UNDECLARED: RouteAccess = { access: 'admin', action: 'undeclared' }
