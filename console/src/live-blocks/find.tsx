import { useState } from 'react'
import { type Answer, type LiveBlock, post } from '../api.ts'
import { type Choice, Combo } from '../combo.tsx'
import { momentOf, plain } from '../format.ts'
import { useLive } from '../live.tsx'
import { useAnswer } from '../use-answer.ts'
import { useBlockWords } from './words.ts'

export type Fields = Readonly<Record<string, unknown>>

const PAGE = 20

/** Somebody's documents: found by name or id, read from the store of documents, asked again as records come in. */
export function Find({
  block,
  said,
}: {
  readonly block: LiveBlock & { readonly kind: 'find' }
  readonly said: (text: string) => string
}) {
  const words = useBlockWords()
  const { now } = useLive()
  const [chosen, setChosen] = useState<Choice>()
  const [limit, setLimit] = useState(PAGE)
  const path = `/v1/documents/${block.collection}?${block.by}=${encodeURIComponent(chosen?.value ?? '')}&order=${block.order}&limit=${limit + 1}`
  // Rows of all hops together: when it grows, somebody's documents may have too.
  const rows = now?.hops.reduce((sum, hop) => sum + hop.rows, 0)
  const { answer, problem } = useAnswer<{ documents: readonly Fields[] }>(
    chosen === undefined ? undefined : path,
    rows,
  )
  const found = chosen === undefined ? undefined : answer?.documents
  return (
    <article className="card">
      <h3>{said(block.title)}</h3>
      <Combo
        label={said(block.title)}
        hint={said(block.hint)}
        none={words('none')}
        suggest={(text, signal) => suggestions(block.suggest, text, signal)}
        onPick={(choice) => {
          setLimit(PAGE)
          setChosen(choice)
        }}
      />
      {problem === undefined || chosen === undefined ? null : <p className="problem">{problem}</p>}
      {chosen === undefined || found === undefined ? null : (
        <>
          <p className="row">
            <b>{chosen.label}</b> <span className="faint">{chosen.value}</span>
            <button type="button" className="quiet" onClick={() => setChosen(undefined)}>
              {words('clear')}
            </button>
          </p>
          {found.length === 0 ? <p className="empty">{words('noDocuments')}</p> : null}
          {found.length === 0 ? null : (
            <div className="scroll">
              <table className="found">
                <thead>
                  <tr>
                    {block.columns.map((name) => (
                      <th key={name} className={isNumber(found[0]![name]) ? 'number' : ''}>
                        {said(name)}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {found.slice(0, limit).map((document) => (
                    <tr key={String(document._id)}>
                      {block.columns.map((name) => (
                        <td
                          key={name}
                          className={isNumber(document[name]) ? 'number' : ''}
                          data-name={said(name)}
                        >
                          {shown(document[name], block.each?.[name])}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {found.length > limit ? (
            <p>
              <button type="button" onClick={() => setLimit(limit + PAGE * 2)}>
                {words('more')}
              </button>
            </p>
          ) : null}
        </>
      )}
    </article>
  )
}

const isNumber = (value: unknown) => typeof value === 'number'

function shown(value: unknown, each: string | undefined): React.ReactNode {
  if (value === null || value === undefined) return '–'
  if (Array.isArray(value)) {
    if (value.length === 0) return ''
    return (
      <ul className="elements">
        {value.map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: elements have no name and do not move
          <li key={index}>{each === undefined ? String(one) : filled(each, one as Fields)}</li>
        ))}
      </ul>
    )
  }
  if (typeof value === 'number') return plain(value)
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return momentOf(text) === undefined ? text : text.slice(0, 19).replace('T', ' ')
}

/** `{quantity} × {name}` with the fields in it; what is not there is a dash. */
const filled = (text: string, fields: Fields) =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = fields[name]
    return value === null || value === undefined
      ? '–'
      : typeof value === 'number'
        ? plain(value)
        : String(value)
  })

async function suggestions(sql: string, text: string, signal: AbortSignal) {
  const quoted = text.replaceAll("'", "''")
  const like = quoted.replace(/[\\%_]/g, (sign) => `\\${sign}`)
  const question = `SELECT value::VARCHAR AS value, label FROM (${sql})
    WHERE label ILIKE '%${like}%' ESCAPE '\\' OR value::VARCHAR LIKE '${like}%' ESCAPE '\\'
    ORDER BY value::VARCHAR <> '${quoted}', label, value LIMIT 12`
  const { rows } = await post<Answer>('/v1/sql', { sql: question, rows: 12 }, signal)
  return rows.map(([value, label]) => ({ value: String(value), label: String(label ?? value) }))
}
