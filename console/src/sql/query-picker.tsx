import { useState } from 'react'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { forgetQuery, type KeptQuery, keepQuery, keptQueries } from './kept-queries.ts'

interface Saved extends KeptQuery {
  readonly about: string
  readonly on: string
}

/** Queries of the pipelines, one's own, and those asked before; and a place to keep the one at hand. */
export function QueryPicker({
  sql,
  asked,
  onPick,
}: {
  readonly sql: string
  readonly asked: readonly KeptQuery[]
  readonly onPick: (sql: string) => void
}) {
  const words = useWords()
  const saved = useAnswer<{ queries: Saved[] }>('/v1/queries')
  const [mine, setMine] = useState(keptQueries)
  const [name, setName] = useState('')
  const groups: readonly (readonly [string, readonly KeptQuery[]])[] = [
    [words('myQueries'), mine],
    [words('ofPipelines'), saved.answer?.queries.filter(({ on }) => on === 'lake') ?? []],
    [words('asked'), asked],
  ]
  const known = mine.some((query) => query.name === name)
  return (
    <div className="row picker">
      <select
        aria-label={words('saved')}
        value=""
        onChange={(event) => {
          const [group, index] = event.target.value.split(' ').map(Number)
          const picked = groups[group!]?.[1][index!]
          if (picked === undefined) return
          onPick(picked.sql)
          setName(group === 0 ? picked.name : '')
        }}
      >
        <option value="">{words('saved')} …</option>
        {groups.map(([label, queries], group) =>
          queries.length === 0 ? null : (
            <optgroup key={label} label={label}>
              {queries.map((query, index) => (
                <option key={query.name + query.sql} value={`${group} ${index}`}>
                  {query.name}
                </option>
              ))}
            </optgroup>
          ),
        )}
      </select>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          setMine(keepQuery({ name: name.trim(), sql }))
        }}
      >
        <input
          aria-label={words('saveAs')}
          placeholder={words('saveAs')}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" disabled={name.trim() === '' || sql.trim() === ''}>
          {words('saveQuery')}
        </button>
        {known ? (
          <button type="button" onClick={() => setMine(forgetQuery(name))}>
            {words('forgetQuery')}
          </button>
        ) : null}
      </form>
    </div>
  )
}
