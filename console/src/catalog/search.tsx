import { useEffect, useState } from 'react'
import { go, Link, usePlace } from '../place.tsx'
import { useAnswer } from '../use-answer.ts'
import { type FoundTitle, type PersonLine, personPlace, titlePlace } from './answers.ts'
import { Explained } from './explained.tsx'
import { useCatalogWords } from './words.ts'

const TRIES = ['a map of a river that does not exist', 'golden rivers', 'night train thief']
const FILTERS = ['mode', 'type', 'year_min', 'year_max'] as const

/** Titles and people by one box; what is asked is in the address, so that it can be sent to others. */
export function SearchPage() {
  const words = useCatalogWords()
  const { query } = usePlace()
  const asked = query.get('q') ?? ''
  const [text, setText] = useState(asked)
  useEffect(() => setText(asked), [asked])
  const filters = FILTERS.flatMap((name): string[][] => {
    const value = query.get(name)
    return value === null || value === '' ? [] : [[name, value]]
  })
  const to = (change: Readonly<Record<string, string>>) => {
    const next = new URLSearchParams([['q', text], ...filters])
    for (const [name, value] of Object.entries(change)) next.set(name, value)
    for (const [name, value] of [...next]) if (value === '') next.delete(name)
    go(`catalog?${next}`)
  }
  const path = `/v1/catalog/search?${new URLSearchParams([['q', asked], ['limit', '20'], ...filters])}`
  const titles = useAnswer<{ results: FoundTitle[]; without: string[] }>(
    asked === '' ? undefined : path,
  )
  const people = useAnswer<{ people: PersonLine[] }>(
    asked === ''
      ? undefined
      : `/v1/catalog/people?${new URLSearchParams({ q: asked.slice(0, 200), limit: '6' })}`,
  )
  return (
    <>
      <search>
        <form
          className="seek"
          onSubmit={(event) => {
            event.preventDefault()
            to({})
          }}
        >
          <input
            type="search"
            aria-label={words('search')}
            placeholder={words('hint')}
            value={text}
            // biome-ignore lint/a11y/noAutofocus: the page is this box
            autoFocus
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit" className="strong">
            {words('search')}
          </button>
        </form>
        <div className="row filters">
          <select
            aria-label={words('how')}
            value={query.get('mode') ?? ''}
            onChange={(event) => to({ mode: event.target.value })}
          >
            <option value="">{words('both')}</option>
            <option value="text">{words('text')}</option>
            <option value="vector">{words('vector')}</option>
          </select>
          <select
            aria-label={words('what')}
            value={query.get('type') ?? ''}
            onChange={(event) => to({ type: event.target.value })}
          >
            <option value="">{words('everything')}</option>
            <option value="movie">{words('movies')}</option>
            <option value="tv_series">{words('series')}</option>
          </select>
          {(['year_min', 'year_max'] as const).map((name) => (
            <input
              key={`${name} ${query.get(name)}`}
              type="number"
              min={1800}
              max={2200}
              className="year"
              aria-label={words(name === 'year_min' ? 'from' : 'until')}
              placeholder={words(name === 'year_min' ? 'from' : 'until')}
              defaultValue={query.get(name) ?? ''}
              onBlur={(event) => {
                if (event.target.value !== (query.get(name) ?? ''))
                  to({ [name]: event.target.value })
              }}
              onKeyDown={(event) => {
                if (event.key === 'Enter') to({ [name]: event.currentTarget.value })
              }}
            />
          ))}
        </div>
      </search>
      {asked === '' ? (
        <div className="empty">
          <p>{words('teach')}</p>
          <p className="row">
            {words('try')}:
            {TRIES.map((each) => (
              <Link key={each} to={`catalog?q=${encodeURIComponent(each)}`} className="pill">
                {each}
              </Link>
            ))}
          </p>
        </div>
      ) : (
        <Results titles={titles} people={people} />
      )}
    </>
  )
}

function Results({
  titles,
  people,
}: {
  readonly titles: ReturnType<typeof useAnswer<{ results: FoundTitle[]; without: string[] }>>
  readonly people: ReturnType<typeof useAnswer<{ people: PersonLine[] }>>
}) {
  const words = useCatalogWords()
  const found = titles.answer?.results
  const most = Math.max(...(found ?? []).map(({ score }) => score), Number.EPSILON)
  const named = people.answer?.people ?? []
  return (
    <>
      {titles.problem === undefined ? null : (
        <p className="problem">
          {titles.problem} {words('notThere')}
        </p>
      )}
      {(titles.answer?.without.length ?? 0) > 0 ? (
        <p className="faint">{words('without')}</p>
      ) : null}
      {named.length === 0 ? null : (
        <>
          <h2>{words('people')}</h2>
          <ul className="people">
            {named.map(({ id, name, known_for_department, credits }) => (
              <li key={id}>
                <Link to={personPlace(id)}>{name ?? `#${id}`}</Link>
                <small>
                  {known_for_department} · {credits} {words('credits')}
                </small>
              </li>
            ))}
          </ul>
        </>
      )}
      {found === undefined ? null : (
        <>
          <h2>{words('titles')}</h2>
          {found.length === 0 ? <p className="empty">{words('noResults')}</p> : null}
          <ol className="results">
            {found.map((title) => (
              <li key={`${title.type} ${title.id}`} className="card">
                <div className="told">
                  <h3>
                    <Link to={titlePlace(title)}>{title.title ?? `#${title.id}`}</Link>
                  </h3>
                  <p className="faint">
                    {[title.year, words(title.type), title.genres.join(', ')]
                      .filter(Boolean)
                      .join(' · ')}
                  </p>
                  <p>
                    <Marked text={title.overview ?? ''} explain={title.explain} />
                  </p>
                </div>
                <Explained title={title} most={most} />
              </li>
            ))}
          </ol>
        </>
      )}
    </>
  )
}

/** A text with the words that were found in it marked. */
function Marked({
  text,
  explain,
}: {
  readonly text: string
  readonly explain: FoundTitle['explain']
}) {
  const found = new Set(
    explain.words
      .filter((each) => each.in.includes('overview'))
      .map((each) => each.found.toLowerCase()),
  )
  return text.split(/([\p{L}\p{N}]+)/u).map((part, index) =>
    found.has(part.toLowerCase()) ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a text do not move
      <mark key={index}>{part}</mark>
    ) : (
      part
    ),
  )
}
