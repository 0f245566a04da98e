import { useWho } from '../access/who.tsx'
import type { TableDetail } from '../api.ts'
import { bytesText, plain } from '../format.ts'
import { useTurn } from '../live.tsx'
import { go, Link, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { pathOf, type Tests } from './answers.ts'
import { FilesView } from './files-view.tsx'
import { HistoryView } from './history-view.tsx'
import { LineageView } from './lineage-view.tsx'
import { MaintenanceView } from './maintenance-view.tsx'
import { RowsView } from './rows-view.tsx'
import { SchemaView } from './schema-view.tsx'
import { TestsView } from './tests-view.tsx'
import { useTableWords } from './words.ts'

const VIEWS = [
  ...(['schema', 'rows', 'history', 'files', 'lineage', 'tests', 'maintenance'] as const),
]

/** One table; which view of it is in the address. */
export function OneTable({ name }: { readonly name: string }) {
  const words = useTableWords()
  const common = useWords()
  const { parts } = usePlace()
  const { may } = useWho()
  const view = VIEWS.find((each) => each === parts[2]) ?? 'schema'
  const turn = useTurn(5_000)
  const { answer, problem, again } = useAnswer<TableDetail>(`${pathOf(name)}?history=100`, turn)
  const tests = useAnswer<Tests>(`${pathOf(name)}/tests`, answer?.version)
  // A view is no table of the lake; what it is made of, and its tests, are known all the same.
  const isView = problem !== undefined && tests.answer?.is_model === true
  if (problem !== undefined && !isView) return <p className="problem">{problem}</p>
  if (answer === undefined && !isView) return <p className="empty">{common('wait')}</p>
  const wrong = (tests.answer?.tests ?? []).filter(
    ({ status }) => status === 'failed' || status === 'warned',
  )
  const shown =
    answer === undefined
      ? (['lineage', 'tests'] as const)
      : VIEWS.filter((each) => each !== 'maintenance' || may.includes('operate'))
  const current = shown.some((each) => each === view) ? view : shown[0]!
  return (
    <>
      <header className="head">
        <h1>
          <Link to="tables">{common('tables')}</Link> / {name}
        </h1>
        <span className="pill">
          {answer === undefined ? 'View' : answer.format === 'iceberg' ? 'Iceberg' : 'Delta'}
        </span>
        {answer === undefined ? null : (
          <span className="faint">
            {answer.rows == null ? '' : `${plain(answer.rows)} ${common('rows')}, `}
            {plain(answer.files ?? 0)} {common('files')}, {bytesText(answer.bytes ?? 0)}
          </span>
        )}
        <span className="space" />
        <button
          type="button"
          onClick={() => go(`sql?ask=${encodeURIComponent(`SELECT *\nFROM ${name}\nLIMIT 100`)}`)}
        >
          SQL
        </button>
      </header>
      {answer?.description == null ? null : <p>{answer.description}</p>}
      <nav className="tabs" aria-label={name}>
        {shown.map((each) => (
          <Link key={each} to={`tables/${name}/${each}`} current={each === current}>
            {words(each)}
            {each === 'tests' && wrong.length > 0 ? (
              <b
                className={
                  wrong.some(({ status }) => status === 'failed') ? 'badge wrong' : 'badge'
                }
              >
                {wrong.length}
              </b>
            ) : null}
          </Link>
        ))}
      </nav>
      {answer === undefined || current === 'lineage' || current === 'tests' ? null : (
        <>
          {current === 'schema' ? <SchemaView table={answer} /> : null}
          {current === 'rows' ? <RowsView table={answer} /> : null}
          {current === 'history' ? <HistoryView table={answer} /> : null}
          {current === 'files' ? <FilesView table={answer} /> : null}
          {current === 'maintenance' ? <MaintenanceView name={name} onDone={again} /> : null}
        </>
      )}
      {current === 'lineage' ? <LineageView name={name} columns={answer?.columns} /> : null}
      {current === 'tests' ? <TestsView answer={tests.answer} problem={tests.problem} /> : null}
    </>
  )
}
