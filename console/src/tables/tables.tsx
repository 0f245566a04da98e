import { useState } from 'react'
import type { TableLine } from '../api.ts'
import { ago, bytesText, plain } from '../format.ts'
import { useTurn } from '../live.tsx'
import { Link, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { OneTable } from './one-table.tsx'
import './tables.css'
import { useTableWords } from './words.ts'

/** In the order in which records come by; others come first. */
const LAYERS = ['bronze', 'silver', 'gold', 'system']

/** The tables of the lake by layer; one of them beside the others. */
export function Tables() {
  const words = useWords()
  const { parts } = usePlace()
  const turn = useTurn(5_000)
  const { answer, problem } = useAnswer<{ tables: TableLine[] }>('/v1/tables', turn)
  const chosen = parts[1]
  const found = Map.groupBy(answer?.tables ?? [], ({ name }) => name.split('.')[0]!)
  const layers = new Map([...found].sort(([a], [b]) => LAYERS.indexOf(a) - LAYERS.indexOf(b)))
  const trouble = problem === undefined ? null : <p className="problem">{problem}</p>
  if (chosen !== undefined)
    return (
      <section className="browser">
        <Tree layers={layers} chosen={chosen} />
        <div>
          {trouble}
          <OneTable key={chosen} name={chosen} />
        </div>
      </section>
    )
  return (
    <section>
      <header className="head">
        <h1>{words('tables')}</h1>
      </header>
      {trouble}
      {answer?.tables.length === 0 ? <p className="empty">{words('noTables')}</p> : null}
      {[...layers].map(([layer, tables]) => (
        <div key={layer}>
          <h2>
            {layer}
            <small>{tables.length}</small>
          </h2>
          <TableList tables={tables} />
        </div>
      ))}
    </section>
  )
}

function TableList({ tables }: { readonly tables: readonly TableLine[] }) {
  const words = useWords()
  return (
    <div className="scroll">
      <table className="list">
        <thead>
          <tr>
            <th>{words('name')}</th>
            <th>{words('type')}</th>
            <th className="number">{words('rows')}</th>
            <th className="number">{words('files')}</th>
            <th className="number">{words('size')}</th>
            <th className="number">{words('committed')}</th>
          </tr>
        </thead>
        <tbody>
          {tables.map((table) => (
            <tr key={table.name} className={table.problem === undefined ? '' : 'wrong'}>
              <td>
                <Link to={`tables/${table.name}`}>{table.name}</Link>
                {table.problem === undefined ? null : <small>{table.problem}</small>}
              </td>
              <td className="faint">{table.format === 'iceberg' ? 'Iceberg' : 'Delta'}</td>
              <td className="number">{table.rows == null ? '–' : plain(table.rows)}</td>
              <td className="number">{plain(table.files ?? 0)}</td>
              <td className="number">{bytesText(table.bytes ?? 0)}</td>
              <td className="number">{ago(table.committed_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Tree({
  layers,
  chosen,
}: {
  readonly layers: ReadonlyMap<string, readonly TableLine[]>
  readonly chosen: string
}) {
  const words = useTableWords()
  const [part, setPart] = useState('')
  const shown = [...layers].flatMap(([layer, tables]) => {
    const some = tables.filter(({ name }) => name.includes(part.trim().toLowerCase()))
    return some.length === 0 ? [] : [[layer, some] as const]
  })
  return (
    <nav className="tree" aria-label={words('layers')}>
      <input
        type="search"
        aria-label={words('filter')}
        placeholder={words('filter')}
        value={part}
        onChange={(event) => setPart(event.target.value)}
      />
      {shown.length === 0 && part !== '' ? <p className="faint">{words('noMatch')}</p> : null}
      {shown.map(([layer, tables]) => (
        <details key={layer} open>
          <summary>{layer}</summary>
          <ul>
            {tables.map(({ name, problem }) => (
              <li key={name}>
                <Link
                  to={`tables/${name}`}
                  current={name === chosen}
                  className={problem === undefined ? '' : 'wrong'}
                >
                  {name.slice(layer.length + 1)}
                </Link>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </nav>
  )
}
