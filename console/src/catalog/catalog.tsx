import { Link, usePlace } from '../place.tsx'
import { AskPage } from './ask.tsx'
import './catalog.css'
import { PathPage } from './path.tsx'
import { PersonPage } from './person.tsx'
import { SearchPage } from './search.tsx'
import { TitlePage } from './title.tsx'
import { useCatalogWords } from './words.ts'

/** Titles and people: found, looked at, and how they hang together. */
export function Catalog() {
  const words = useCatalogWords()
  const { parts } = usePlace()
  const [, view = '', first, second] = parts
  return (
    <section className="catalog">
      <header className="head">
        <h1>{words('catalog')}</h1>
        <nav className="choices" aria-label={words('catalog')}>
          <Link to="catalog" current={view === ''}>
            {words('search')}
          </Link>
          <Link to="catalog/ask" current={view === 'ask'}>
            {words('ask')}
          </Link>
          <Link to="catalog/path" current={view === 'path'}>
            {words('path')}
          </Link>
        </nav>
      </header>
      {view === 'title' && first !== undefined && second !== undefined ? (
        <TitlePage key={`${first} ${second}`} type={first} id={second} />
      ) : view === 'person' && first !== undefined ? (
        <PersonPage key={first} id={first} />
      ) : view === 'path' ? (
        <PathPage />
      ) : view === 'ask' ? (
        <AskPage />
      ) : (
        <SearchPage />
      )}
    </section>
  )
}
