import { useId, useState } from 'react'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

interface Task {
  readonly id: string
  readonly pipeline: string
  readonly kind: string
  readonly tags: readonly string[]
}

const SHOWN_MAX = 12

/** A field for selectors, which says at once what they name. */
export function Selectors({
  onChange,
}: {
  readonly onChange: (selectors: readonly string[]) => void
}) {
  const words = useWords()
  const [text, setText] = useState('')
  const list = useId()
  const all = useAnswer<{ tasks: Task[] }>('/v1/tasks')
  const selectors = selectorsOf(text)
  const named = useAnswer<{ tasks: Task[] }>(
    selectors.length === 0
      ? undefined
      : `/v1/tasks?select=${encodeURIComponent(selectors.join(','))}`,
  )
  const tasks =
    selectors.length === 0
      ? all.answer?.tasks.filter(({ kind }) => kind !== 'maintenance')
      : named.answer?.tasks
  return (
    <>
      <label className="field">
        {words('selectors')}
        <input
          list={list}
          value={text}
          placeholder="gold.user_activity+  tag:hourly"
          spellCheck={false}
          onChange={(event) => {
            setText(event.target.value)
            onChange(selectorsOf(event.target.value))
          }}
        />
        <small>{words('selectorHelp')}</small>
      </label>
      <datalist id={list}>
        {suggestions(all.answer?.tasks ?? []).map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      {selectors.length > 0 && named.problem !== undefined ? (
        <p className="faint">{named.problem}</p>
      ) : tasks === undefined ? null : (
        <p className="faint" role="status">
          {tasks.length} {words('wouldRun')}:{' '}
          {tasks
            .slice(0, SHOWN_MAX)
            .map(({ id }) => id)
            .join(', ')}
          {tasks.length > SHOWN_MAX ? ' …' : ''}
        </p>
      )}
    </>
  )
}

const selectorsOf = (text: string): readonly string[] => text.split(/[\s,]+/).filter(Boolean)

const suggestions = (tasks: readonly Task[]): readonly string[] => [
  ...new Set([
    ...tasks.map(({ pipeline }) => pipeline),
    ...tasks.flatMap(({ tags }) => tags.map((tag) => `tag:${tag}`)),
    ...tasks.map(({ kind }) => `kind:${kind}`),
    ...tasks.map(({ id }) => id),
  ]),
]
