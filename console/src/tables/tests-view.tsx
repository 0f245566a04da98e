import { ago, plain, secondsText } from '../format.ts'
import { Link } from '../place.tsx'
import { useWords } from '../text.ts'
import type { Tests } from './answers.ts'
import { useTableWords } from './words.ts'

/** Data tests with their last results and failing rows, and how fresh the table is. */
export function TestsView({
  answer,
  problem,
}: {
  readonly answer: Tests | undefined
  readonly problem: string | undefined
}) {
  const words = useTableWords()
  const common = useWords()
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (answer === undefined) return <p className="empty">{common('wait')}</p>
  return (
    <>
      <h2>{words('freshness')}</h2>
      <ul className="checks">
        {answer.committed_at === null ? null : (
          <li>
            <span className="verdict">{words('committed')}</span>
            <b title={answer.committed_at}>{ago(answer.committed_at)}</b>
          </li>
        )}
        {answer.freshness.map((each) => (
          <li key={each.column}>
            <span className={`verdict ${each.status}`}>{words(each.status)}</span>
            <span>
              {words('newestValue')} <code>{each.column}</code>: <b>{ago(each.newest)}</b>
              <small>
                {each.warn_after_seconds === null
                  ? ''
                  : ` ${words('warnAfter')} ${secondsText(each.warn_after_seconds)}`}
                {each.error_after_seconds === null
                  ? ''
                  : ` · ${words('failsAfter')} ${secondsText(each.error_after_seconds)}`}
              </small>
            </span>
          </li>
        ))}
      </ul>
      <h2>
        {words('tests')}
        {answer.is_model ? (
          <small>
            {words('lastRun')}:{' '}
            {answer.last_run === null ? (
              words('neverRun')
            ) : (
              <Link to={`runs/${answer.last_run.run}`}>
                {answer.last_run.status} {ago(answer.last_run.ended_at)}
              </Link>
            )}
          </small>
        ) : null}
      </h2>
      {answer.tests.length === 0 ? (
        <p className="empty">{words(answer.is_model ? 'noTests' : 'noModel')}</p>
      ) : null}
      <ul className="checks">
        {answer.tests.map((test) => (
          <li key={test.name}>
            <span className={`verdict ${test.status}`}>{words(test.status)}</span>
            <span>
              <b>{test.name}</b> <small>{saidOf(test)}</small>
              {test.last_failure === null ? null : (
                <Failure failure={test.last_failure} stands={test.status !== 'passed'} />
              )}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

function saidOf({ kind, about, severity }: Tests['tests'][number]): string {
  const what = Object.values(about)
    .map((value) => (Array.isArray(value) ? value.join(', ') : String(value)))
    .join(' → ')
  return `${kind.replaceAll('_', ' ')}: ${what}${severity === 'warn' ? ' (warn)' : ''}`
}

function Failure({
  failure,
  stands,
}: {
  readonly failure: NonNullable<Tests['tests'][number]['last_failure']>
  readonly stands: boolean
}) {
  const words = useTableWords()
  const columns = Object.keys(failure.rows[0] ?? {})
  return (
    <details open={stands}>
      <summary>
        {stands ? '' : `${words('lastFailed')} `}
        {ago(failure.tested_at.replace(' ', 'T').replace(/\+00$/, 'Z'))}:{' '}
        {plain(failure.failing_rows)} {words('failingRows')}
      </summary>
      {columns.length === 0 ? null : (
        <div className="scroll tall">
          <table>
            <thead>
              <tr>
                {columns.map((name) => (
                  <th key={name}>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {failure.rows.map((row, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name
                <tr key={index}>
                  {columns.map((name) => (
                    <td key={name} className="cell">
                      {typeof row[name] === 'object'
                        ? JSON.stringify(row[name])
                        : String(row[name])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}
