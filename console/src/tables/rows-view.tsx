import type { Answer, TableDetail } from '../api.ts'
import { Grid } from '../charts/grid.tsx'
import { ago } from '../format.ts'
import { go, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { pathOf } from './answers.ts'
import { useTableWords } from './words.ts'

/** Some rows, now or at any version that is kept. The version is in the address. */
export function RowsView({ table }: { readonly table: TableDetail }) {
  const words = useTableWords()
  const common = useWords()
  const { query } = usePlace()
  const version = query.get('version')
  const to = (next: string) =>
    go(`tables/${table.name}/rows${next === '' ? '' : `?version=${next}`}`)
  const past = version === null ? '' : `&version=${version}`
  const { answer, problem } = useAnswer<Answer>(
    `${pathOf(table.name)}/rows?limit=100${past}`,
    version === null ? table.version : undefined,
  )
  return (
    <>
      <p className="row">
        <label>
          {words('asOf')}{' '}
          <select value={version ?? ''} onChange={(event) => to(event.target.value)}>
            <option value="">{words('newest')}</option>
            {table.history.slice(1).map((commit) => (
              <option key={String(commit.version)} value={String(commit.version)}>
                {String(commit.version)}, {ago(commit.committed_at)}
              </option>
            ))}
          </select>
        </label>
        {version === null ? null : (
          <>
            <b>{words('past')}</b>
            <button type="button" onClick={() => to('')}>
              {words('toNewest')}
            </button>
          </>
        )}
      </p>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {answer === undefined ? (
        problem === undefined ? (
          <p className="empty">{common('wait')}</p>
        ) : null
      ) : (
        <div className="rows">
          <Grid answer={answer} />
        </div>
      )}
    </>
  )
}
