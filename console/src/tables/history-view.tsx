import { useState } from 'react'
import type { Answer, Commit, TableDetail } from '../api.ts'
import { Grid } from '../charts/grid.tsx'
import { ago, bytesText, plain } from '../format.ts'
import { Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { pathOf } from './answers.ts'
import { useTableWords } from './words.ts'

/** Commits, newest first; each shows what it did to the rows. */
export function HistoryView({ table }: { readonly table: TableDetail }) {
  const words = useTableWords()
  const [open, setOpen] = useState<string>()
  return (
    <ol className="commits">
      {table.history.map((commit) => {
        const version = String(commit.version)
        return (
          <li key={version}>
            <CommitLine commit={commit} />
            <span className="row">
              <button
                type="button"
                className="quiet"
                aria-expanded={open === version}
                onClick={() => setOpen(open === version ? undefined : version)}
              >
                {words('whatChanged')}
              </button>
              <Link to={`tables/${table.name}/rows?version=${version}`} className="quiet">
                {words('rowsThen')}
              </Link>
            </span>
            {open === version ? <Changes name={table.name} version={version} /> : null}
          </li>
        )
      })}
    </ol>
  )
}

function CommitLine({ commit }: { readonly commit: Commit }) {
  const common = useWords()
  return (
    <div className="commit">
      <b>{String(commit.version)}</b>
      <span>{commit.operation ?? '–'}</span>
      <span className="number">
        {commit.rows_added === null ? '' : `+${plain(commit.rows_added)} ${common('rows')}`}
      </span>
      <span className="number faint">
        +{plain(commit.files_added)} −{plain(commit.files_removed)} {common('files')}
        {commit.bytes_added == null ? '' : `, ${bytesText(commit.bytes_added)}`}
      </span>
      <span className="number" title={commit.committed_at}>
        {ago(commit.committed_at)}
      </span>
    </div>
  )
}

const KINDS = ['insert', 'update_preimage', 'update_postimage', 'delete'] as const

function Changes({ name, version }: { readonly name: string; readonly version: string }) {
  const words = useTableWords()
  const common = useWords()
  const { answer, problem } = useAnswer<Answer & { readonly counts: Record<string, number> }>(
    `${pathOf(name)}/changes?from=${version}&limit=50`,
  )
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (answer === undefined) return <p className="faint">{common('wait')}</p>
  const counts = KINDS.filter((kind) => (answer.counts[kind] ?? 0) > 0)
  if (counts.length === 0) return <p className="faint">{words('noChanges')}</p>
  return (
    <>
      <p>{counts.map((kind) => `${plain(answer.counts[kind]!)} ${words(kind)}`).join(' · ')}</p>
      <Grid
        answer={kindFirst(answer)}
        heading={(column) => (column === '_change_type' ? '' : column)}
      />
    </>
  )
}

/** What happened to a row is said first. */
function kindFirst({ columns, rows }: Answer): Pick<Answer, 'columns' | 'rows'> {
  const at = columns.findIndex(({ name }) => name === '_change_type')
  const order = [
    at,
    ...columns.flatMap(({ name }, index) =>
      name === '_change_type' || name.startsWith('_commit_') ? [] : [index],
    ),
  ]
  return {
    columns: order.map((index) => columns[index]!),
    rows: rows.map((row) => order.map((index) => row[index])),
  }
}
