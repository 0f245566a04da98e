import type { HttpRoute } from '../gateway/router.ts'
import type { KeptAnswer } from '../orchestrator/kept-answers.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { apiRoute } from './exchange.ts'
import { queryValue, refusal } from './read-request.ts'
import { instant } from './views.ts'

/** Dashboards over HTTP: answers that are kept, so that looking costs nothing. `/v1/live` tells when one is new. */
export function dashboardRoutes({ plans, dashboards }: Platform): readonly HttpRoute[] {
  const withDashboard = plans.filter(({ dashboard }) => dashboard !== undefined)
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/dashboards',
      summary: 'Dashboards of the pipelines',
      answer: async () => ({
        dashboards: withDashboard.map(({ name, dashboard }) => ({
          pipeline: name,
          title: dashboard!.title,
          about: dashboard!.about ?? null,
          words: dashboard!.words,
          charts: dashboard!.charts.length,
        })),
      }),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/dashboards/:pipeline',
      summary: 'One dashboard with the answers of its charts',
      description:
        '`live` says what is pushed: ask the aggregates and documents that it names. `words` has the texts of the page in other languages.',
      query: {
        wait: '`false`: a chart that has no answer yet comes without rows, instead of being waited for.',
      },
      async answer(exchange) {
        const { params } = exchange
        const plan = withDashboard.find(({ name }) => name === params.pipeline)
        if (plan === undefined) {
          const known = withDashboard.map(({ name }) => name).join(', ') || 'none'
          throw refusal(
            404,
            'dashboard_missing',
            `There is no dashboard "${params.pipeline}". There are: ${known}.`,
          )
        }
        const { title, about, live, words } = plan.dashboard!
        const answers =
          queryValue(exchange, 'wait') === 'false'
            ? dashboards.known(plan.name)
            : await dashboards.answers(plan.name)
        const charts = answers.map(chartView)
        return { pipeline: plan.name, title, about: about ?? null, live, charts, words }
      },
    }),
  ]
}

function chartView({ chart, columns, rows, problem, askedMs, elapsedMs }: KeptAnswer) {
  const { title, about, show, width, sql } = chart
  return {
    ...{ title, about: about ?? null, show, width, sql },
    columns,
    rows: rows ?? null,
    problem: problem ?? null,
    asked_at: askedMs === undefined ? null : instant(askedMs),
    elapsed_ms: elapsedMs === undefined ? null : Math.round(elapsedMs),
  }
}
