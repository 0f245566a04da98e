import type { LiveBlock } from '../api.ts'
import { Sparkline } from '../charts/sparkline.tsx'
import { plain } from '../format.ts'
import { useLive } from '../live.tsx'
import { useAnswer } from '../use-answer.ts'
import type { Fields } from './find.tsx'
import { useBlockWords } from './words.ts'

/** Documents as names with a small line of their past; asked again when the task that makes them has ended. */
export function Sparklines({
  block,
  said,
}: {
  readonly block: LiveBlock & { readonly kind: 'sparklines' }
  readonly said: (text: string) => string
}) {
  const words = useBlockWords()
  const { now } = useLive()
  const made = now?.tasks.find(({ id }) => id === block.task)?.ended_at
  const { answer, problem } = useAnswer<{ documents: readonly Fields[] }>(
    `/v1/documents/${block.collection}?order=-${block.value}&limit=24`,
    made,
  )
  return (
    <article className="card">
      <h3>{said(block.title)}</h3>
      {block.about === undefined ? null : <p className="faint">{said(block.about)}</p>}
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {answer?.documents.length === 0 ? <p className="empty">{said(block.empty)}</p> : null}
      <ul className="surges">
        {answer?.documents.map((document) => {
          const [first, ...rest] = block.label.filter((field) => document[field] != null)
          // A number alone is no name.
          const name =
            typeof document[first ?? ''] === 'string'
              ? String(document[first!])
              : `#${document[first ?? '_id']}`
          const value = Number(document[block.value])
          const threshold =
            block.threshold === undefined ? undefined : Number(document[block.threshold])
          return (
            <li key={String(document._id)}>
              <span>
                <b>{name}</b>
                <small>{rest.map((field) => `#${document[field]}`).join(' ')}</small>
              </span>
              <Sparkline
                values={(document[block.history] as number[] | undefined) ?? []}
                threshold={threshold}
                title={`${name}: ${plain(value)}`}
              />
              <span className="number">
                <b>{plain(value)}</b>
                {threshold === undefined ? null : (
                  <small>
                    {words('usually')} {plain(threshold)}
                  </small>
                )}
              </span>
            </li>
          )
        })}
      </ul>
    </article>
  )
}
