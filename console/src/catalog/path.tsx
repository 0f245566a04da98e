import { go, Link, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { type PathAnswer, type Person, personPlace, titlePlace } from './answers.ts'
import { PersonBox } from './person-box.tsx'
import { useCatalogWords } from './words.ts'

/** The shortest way from one person to another. Both are in the address. */
export function PathPage() {
  const words = useCatalogWords()
  const common = useWords()
  const { query } = usePlace()
  const [from, to] = [query.get('from'), query.get('to')]
  const asks = from !== null && to !== null
  const { answer, problem } = useAnswer<PathAnswer>(
    asks ? `/v1/catalog/graph?${new URLSearchParams({ view: 'path', from, to })}` : undefined,
  )
  const first = useAnswer<Person>(from === null ? undefined : `/v1/catalog/people/${from}`)
  const last = useAnswer<Person>(to === null ? undefined : `/v1/catalog/people/${to}`)
  const choose = (change: { from?: string; to?: string }) => {
    const next = { ...(from === null ? {} : { from }), ...(to === null ? {} : { to }), ...change }
    go(`catalog/path?${new URLSearchParams(next)}`)
  }
  return (
    <>
      <p className="faint">{words('pathHelp')}</p>
      <div className="ends">
        <div>
          <h2>{words('pathFrom')}</h2>
          <PersonBox
            label={words('pathFrom')}
            start={from === null ? '' : (first.answer?.name ?? '')}
            onPick={(id) => choose({ from: id })}
          />
        </div>
        <div>
          <h2>{words('pathTo')}</h2>
          <PersonBox
            label={words('pathTo')}
            start={to === null ? '' : (last.answer?.name ?? '')}
            onPick={(id) => choose({ to: id })}
          />
        </div>
      </div>
      {!asks ? null : problem !== undefined ? (
        <p className="problem">{problem}</p>
      ) : answer === undefined ? (
        <p className="empty">{common('wait')}</p>
      ) : answer.steps === null ? (
        <p className="empty">{words('noPath')}</p>
      ) : (
        <>
          <h2>{answer.steps === 0 ? words('samePerson') : `${answer.steps} ${words('apart')}`}</h2>
          <ol className="way">
            {answer.path.map(({ person, title }) =>
              person !== undefined ? (
                <li key={`person ${person.id}`} className="person">
                  <Link to={personPlace(person.id)}>{person.name ?? `#${person.id}`}</Link>
                </li>
              ) : (
                <li key={`${title!.type} ${title!.id}`} className="title">
                  <Link to={titlePlace(title!)}>{title!.title ?? `#${title!.id}`}</Link>
                  <small>{words(title!.type)}</small>
                </li>
              ),
            )}
          </ol>
        </>
      )}
    </>
  )
}
