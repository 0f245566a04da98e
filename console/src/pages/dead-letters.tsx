import { useState } from 'react'
import { type DeadLetter, get, post } from '../api.ts'
import { ago } from '../format.ts'
import { useLive } from '../live.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

interface Detail extends DeadLetter {
  readonly value: { readonly text?: string }
  readonly fixed: { readonly text?: string } | null
}

/** What could not be processed: look, mend, send again. */
export function DeadLetters() {
  const words = useWords()
  const { now } = useLive()
  const turn = now === undefined ? 0 : Math.floor(Date.parse(now.at) / 3_000)
  const { answer, problem, again } = useAnswer<{ dead_letters: DeadLetter[] }>(
    '/v1/dead-letters?limit=500',
    turn,
  )
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [open, setOpen] = useState<string>()
  const [trouble, setTrouble] = useState<string>()
  const letters = answer?.dead_letters ?? []
  const each = async (action: 'replay' | 'drop') => {
    try {
      for (const id of chosen) await post(`/v1/dead-letters/${id}/${action}`)
      setTrouble(undefined)
    } catch (error) {
      setTrouble((error as Error).message)
    }
    setChosen(new Set())
    again()
  }
  const toggle = (id: string) => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    setChosen(next)
  }
  return (
    <section>
      <header className="head">
        <h1>{words('deadLetters')}</h1>
        <span className="space" />
        <button
          type="button"
          data-needs="operate"
          disabled={chosen.size === 0}
          onClick={() => void each('replay')}
        >
          {words('replaySelected')} {chosen.size > 0 ? `(${chosen.size})` : ''}
        </button>
        <button
          type="button"
          data-needs="operate"
          disabled={chosen.size === 0}
          onClick={() => void each('drop')}
        >
          {words('dropSelected')}
        </button>
      </header>
      {(trouble ?? problem) === undefined ? null : <p className="problem">{trouble ?? problem}</p>}
      {answer !== undefined && letters.length === 0 ? (
        <p className="empty">{words('noLetters')}</p>
      ) : null}
      <div className="scroll">
        <table>
          <tbody>
            {letters.map((letter) => (
              <tr key={letter.id}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={letter.id}
                    checked={chosen.has(letter.id)}
                    onChange={() => toggle(letter.id)}
                  />
                </td>
                <td className="faint">{letter.pipeline}</td>
                <td className="faint">{letter.hop}</td>
                <td>
                  <button
                    type="button"
                    className="quiet"
                    aria-expanded={open === letter.id}
                    onClick={() => setOpen(open === letter.id ? undefined : letter.id)}
                  >
                    {letter.reason}
                  </button>
                  {open === letter.id ? <Mend id={letter.id} onDone={again} /> : null}
                </td>
                <td>{letter.message}</td>
                <td>
                  <span className={`status ${letter.status}`}>{letter.status}</span>
                </td>
                <td className="number">{ago(letter.first_seen)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Mend({ id, onDone }: { readonly id: string; readonly onDone: () => void }) {
  const words = useWords()
  const { answer: letter } = useAnswer<Detail>(`/v1/dead-letters/${id}`)
  const [text, setText] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const [preview, setPreview] = useState<string>()
  if (letter === undefined) return null
  const value = text ?? letter.fixed?.text ?? letter.value.text ?? ''
  const act = async (work: () => Promise<unknown>) => {
    try {
      await work()
      setProblem(undefined)
      onDone()
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const fix = () => post(`/v1/dead-letters/${id}/fix`, { value })
  return (
    <div className="mend">
      <p className="faint">
        {letter.topic}
        {letter.offset === null ? '' : `/${letter.partition} @ ${letter.offset}`}
      </p>
      <textarea
        aria-label={words('value')}
        spellCheck={false}
        rows={Math.min(16, value.split('\n').length + 3)}
        value={value}
        onChange={(event) => setText(event.target.value)}
      />
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {preview === undefined ? null : <pre className="log">{preview}</pre>}
      <p className="row" data-needs="operate">
        <button
          type="button"
          onClick={() =>
            void act(async () => {
              if (text !== undefined) await fix()
              setPreview(JSON.stringify(await get(`/v1/dead-letters/${id}/preview`), null, 2))
            })
          }
        >
          {words('preview')}
        </button>
        <button
          type="button"
          className="strong"
          onClick={() =>
            void act(async () => {
              if (text !== undefined) await fix()
              await post(`/v1/dead-letters/${id}/replay`)
            })
          }
        >
          {words('replay')}
        </button>
        <button type="button" onClick={() => void act(() => post(`/v1/dead-letters/${id}/drop`))}>
          {words('drop')}
        </button>
      </p>
    </div>
  )
}
