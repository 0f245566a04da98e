import type { Dashboard, DashboardWords } from '../api.ts'
import { Chart } from '../charts/chart.tsx'
import { ago } from '../format.ts'
import { useLive } from '../live.tsx'
import { LiveBlocks, useSaid } from '../live-blocks/live-blocks.tsx'
import { go, Link, usePlace } from '../place.tsx'
import { useLanguage, useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

interface DashboardLine {
  readonly pipeline: string
  readonly title: string
  readonly words: DashboardWords
}

export function Dashboards() {
  const words = useWords()
  const language = useLanguage()
  const { parts } = usePlace()
  const { answer } = useAnswer<{ dashboards: DashboardLine[] }>('/v1/dashboards')
  const chosen = parts[1] ?? answer?.dashboards[0]?.pipeline
  return (
    <section>
      <header className="head">
        <h1>{words('dashboards')}</h1>
        <nav className="choices">
          {answer?.dashboards.map(({ pipeline, title, words: texts }) => (
            <Link key={pipeline} to={`dashboards/${pipeline}`} current={pipeline === chosen}>
              {texts[language]?.[title] ?? title}
            </Link>
          ))}
        </nav>
      </header>
      {chosen === undefined ? null : <Page key={chosen} pipeline={chosen} />}
    </section>
  )
}

function Page({ pipeline }: { readonly pipeline: string }) {
  const words = useWords()
  const { dashboards } = useLive()
  // What is pushed does not wait for the first answers of the charts.
  const { answer: early } = useAnswer<Dashboard>(`/v1/dashboards/${pipeline}?wait=false`)
  const { answer: whole, problem } = useAnswer<Dashboard>(
    `/v1/dashboards/${pipeline}`,
    dashboards.get(pipeline),
  )
  const answer = whole ?? early
  const said = useSaid(answer?.words ?? {})
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (answer === undefined) return <p className="empty">{words('wait')}</p>
  return (
    <>
      {answer.about === null ? null : <p className="faint">{said(answer.about)}</p>}
      {answer.live.length === 0 ? null : <LiveBlocks live={answer.live} words={answer.words} />}
      <div className="charts">
        {answer.charts.map((chart) => (
          <article key={chart.title} className={`card w${chart.width}`}>
            <h3>
              {said(chart.title)}
              <button
                type="button"
                className="quiet"
                title={`${words('updated')} ${ago(chart.asked_at)}; SQL`}
                onClick={() => go(`sql?ask=${encodeURIComponent(chart.sql)}`)}
              >
                SQL
              </button>
            </h3>
            {chart.about === null ? null : <p className="faint">{said(chart.about)}</p>}
            {chart.problem === null ? null : <p className="problem">{chart.problem}</p>}
            {chart.rows === null && chart.problem === null ? (
              <p className="empty">{words('wait')}</p>
            ) : null}
            {chart.rows === null ? null : (
              <Chart
                show={chart.show}
                answer={{ columns: chart.columns, rows: chart.rows }}
                said={said}
              />
            )}
          </article>
        ))}
      </div>
    </>
  )
}
