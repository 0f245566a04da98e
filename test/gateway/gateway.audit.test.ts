import { expect, test } from 'vitest'
import { openAuditTrail } from '../../src/gateway/audit-trail.ts'
import type { HttpRoute } from '../../src/gateway/router.ts'
import type { AuditEnding, AuditEntry } from '../../src/model/access.ts'
import { systemClock } from '../../src/model/clock.ts'
import { StateUnavailableError } from '../../src/state/errors.ts'
import { runGateway } from './running-gateway.ts'

// An action and its trace: no action without one.

function actionOf(work: () => void): HttpRoute {
  return {
    ...{ method: 'POST', path: '/v1/act/:what', access: 'operate', action: 'act' },
    handle({ response, about }) {
      about('something')
      work()
      response.end('done')
    },
  }
}

test('where nothing can be written down nothing is done', async () => {
  let done = 0
  const full = () => Promise.reject(new StateUnavailableError('The disk is full.'))
  const { post } = await runGateway({
    extraRoutes: [actionOf(() => (done += 1))],
    audit: openAuditTrail({ addAudit: full, endAudit: full }, systemClock, () => {}),
  })
  const answer = await post('/v1/act/x', '{}')
  expect([answer.status, answer.body.code]).toEqual([503, 'unavailable'])
  expect(answer.headers.get('retry-after')).toBe('1')
  expect(done).toBe(0)
})

test('it is written down before it is begun, and how it ended when it breaks', async () => {
  const written: unknown[] = []
  const store = {
    async addAudit(entry: Omit<AuditEntry, 'atMs'>) {
      written.push(`${entry.outcome} ${entry.action} ${entry.subject} by ${entry.actor}`)
      return 7
    },
    async endAudit(id: number, ending: AuditEnding) {
      written.push([id, ending])
    },
  }
  const { post } = await runGateway({
    extraRoutes: [
      actionOf(() => {
        written.push('at work')
        throw new Error('it broke')
      }),
    ],
    audit: openAuditTrail(store, systemClock, () => {}),
  })
  expect((await post('/v1/act/x', '{}')).status).toBe(500)
  await expect.poll(() => written.length).toBe(3)
  expect(written).toEqual([
    'begun act /v1/act/x by anybody',
    'at work',
    [7, { outcome: 'failed', status: 500, detail: 'it broke', subject: '/v1/act/x: something' }],
  ])
})
