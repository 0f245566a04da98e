import { fixed, plain } from '../format.ts'
import { Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import {
  type Credit,
  type FoundTitle,
  personPlace,
  type Title,
  type TitleType,
  titlePlace,
} from './answers.ts'
import { useCatalogWords } from './words.ts'

export function TitlePage({ type, id }: { readonly type: string; readonly id: string }) {
  const words = useCatalogWords()
  const common = useWords()
  const { answer: title, problem } = useAnswer<Title>(`/v1/catalog/titles/${id}?type=${type}`)
  const directed = useAnswer<{
    titles: { id: number; title: string | null; date: string | null }[]
  }>(type === 'movie' ? `/v1/catalog/graph?view=director&title=${id}&limit=13` : undefined)
  const about = title?.embedding_text?.slice(0, 480)
  const similar = useAnswer<{ results: FoundTitle[] }>(
    about === undefined
      ? undefined
      : `/v1/catalog/search?${new URLSearchParams({ q: about, mode: 'vector', limit: '9' })}`,
  )
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (title === undefined) return <p className="empty">{common('wait')}</p>
  const day = title.release_date ?? title.first_air_date
  const facts = [
    day,
    words(title.type),
    (title.genres ?? []).map(({ name }) => name).join(', '),
    title.runtime == null ? '' : `${title.runtime} ${words('minutes')}`,
    title.number_of_seasons == null ? '' : `${title.number_of_seasons} ${words('seasons')}`,
    (title.production_countries ?? []).map(({ name }) => name).join(', '),
    title.status,
  ]
  const others = (directed.answer?.titles ?? []).filter((each) => String(each.id) !== id)
  const alike = (similar.answer?.results ?? [])
    .filter((each) => !(String(each.id) === id && each.type === type))
    .slice(0, 8)
  return (
    <article>
      <h2 className="name">{title.title ?? title.name ?? `#${id}`}</h2>
      <p className="faint">{facts.filter(Boolean).join(' · ')}</p>
      {title.tagline ? <p className="tagline">{title.tagline}</p> : null}
      <p className="overview">{title.overview || words('noOverview')}</p>
      {title.vote_average === null ? null : (
        <p>
          <b>{fixed(title.vote_average, 1)}</b>{' '}
          <span className="faint">
            {words('rating')}, {plain(title.vote_count ?? 0)} {words('votes')}
          </span>
        </p>
      )}
      <div className="pair even">
        <Credits heading={words('cast')} credits={title.cast} />
        <Credits heading={words('crew')} credits={title.crew} />
      </div>
      <div className="pair even">
        {others.length === 0 ? null : (
          <div>
            <h2>{words('sameDirector')}</h2>
            <ul className="lines">
              {others.map((each) => (
                <li key={each.id}>
                  <Link to={titlePlace({ type: 'movie', id: each.id })}>{each.title}</Link>
                  <small>{each.date?.slice(0, 4)}</small>
                </li>
              ))}
            </ul>
          </div>
        )}
        {alike.length === 0 ? null : (
          <div>
            <h2>{words('similar')}</h2>
            <ul className="lines">
              {alike.map((each) => (
                <li key={`${each.type} ${each.id}`}>
                  <Link to={titlePlace({ type: each.type as TitleType, id: each.id })}>
                    {each.title}
                  </Link>
                  <small>
                    {each.year} · {words('cosine')}{' '}
                    {each.explain.by_meaning == null
                      ? '–'
                      : fixed(each.explain.by_meaning.score, 2)}
                  </small>
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </article>
  )
}

/** One line a person, with all they did. */
function Credits({
  heading,
  credits,
}: {
  readonly heading: string
  readonly credits: readonly Credit[]
}) {
  const people = Map.groupBy(credits, ({ person_id }) => person_id)
  if (people.size === 0) return null
  return (
    <div>
      <h2>
        {heading}
        <small>{people.size}</small>
      </h2>
      <ul className="lines tall">
        {[...people].map(([id, all]) => (
          <li key={id}>
            <Link to={personPlace(id)}>{all[0]!.name ?? `#${id}`}</Link>
            <small>
              {all
                .map(({ character, job }) => character ?? job)
                .filter(Boolean)
                .join(', ')}
            </small>
          </li>
        ))}
      </ul>
    </div>
  )
}
