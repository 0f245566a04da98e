import { useEffect, useState } from 'react'
import { go, Link, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { type AskAnswer, titlePlace } from './answers.ts'
import { useCatalogWords } from './words.ts'

/** A question, its answer with citations, and the passages that it rests on. */
export function AskPage() {
  const words = useCatalogWords()
  const common = useWords()
  const { query } = usePlace()
  const asked = query.get('q') ?? ''
  const [text, setText] = useState(asked)
  useEffect(() => setText(asked), [asked])
  const { answer, problem } = useAnswer<AskAnswer>(
    asked === '' ? undefined : `/v1/catalog/ask?${new URLSearchParams({ q: asked })}`,
  )
  const isCurrent = answer?.question === asked
  return (
    <>
      <form
        className="seek"
        onSubmit={(event) => {
          event.preventDefault()
          if (text.trim() !== '') go(`catalog/ask?${new URLSearchParams({ q: text.trim() })}`)
        }}
      >
        <input
          type="search"
          maxLength={500}
          aria-label={words('ask')}
          placeholder={words('question')}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="strong">
          {words('ask')}
        </button>
      </form>
      {asked === '' ? <p className="empty">{words('askHelp')}</p> : null}
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {asked !== '' && problem === undefined && !isCurrent ? (
        <p className="empty">{common('wait')}</p>
      ) : null}
      {answer === undefined || !isCurrent ? null : (
        <>
          {answer.answer === null ? (
            <p className="faint">
              {answer.problem === null
                ? words('noModel')
                : `${words('modelAway')} ${answer.problem}`}
            </p>
          ) : (
            <>
              <h2>{words('answer')}</h2>
              <p className="answer">
                <Cited text={answer.answer} passages={answer.passages} />
              </p>
            </>
          )}
          <h2>{words('passages')}</h2>
          <ol className="passages">
            {answer.passages.map((passage) => (
              <li key={passage.n} id={`passage-${passage.n}`} className="card">
                <b className="n">{passage.n}</b>
                <div>
                  <Link to={titlePlace(passage)}>{passage.title ?? `#${passage.id}`}</Link>
                  <small>
                    {[passage.year, words(passage.type), passage.genres.join(', ')]
                      .filter(Boolean)
                      .join(' · ')}
                  </small>
                  <p>{passage.overview}</p>
                </div>
              </li>
            ))}
          </ol>
        </>
      )}
    </>
  )
}

/** An answer whose [1] lead to the passages. */
function Cited({
  text,
  passages,
}: {
  readonly text: string
  readonly passages: AskAnswer['passages']
}) {
  return text.split(/(\[\d+\])/).map((part, index) => {
    const n = Number(/^\[(\d+)\]$/.exec(part)?.[1])
    const passage = passages.find((each) => each.n === n)
    if (passage === undefined) return part
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a text do not move
      <Link key={index} to={titlePlace(passage)} className="cite">
        [{n} {passage.title}]
      </Link>
    )
  })
}
