import { Link, usePlace } from '../place.tsx'
import { Backfills } from '../runs/backfills.tsx'
import { OneRun } from '../runs/one-run.tsx'
import { RunList } from '../runs/run-list.tsx'
import '../runs/runs.css'
import { Schedules } from '../runs/schedules.tsx'
import { useWords, type Word } from '../text.ts'

const TABS: readonly (readonly [place: string, word: Word, page: () => React.ReactNode])[] = [
  ['runs', 'runs', () => <RunList />],
  ['runs/schedules', 'schedules', () => <Schedules />],
  ['runs/backfills', 'backfills', () => <Backfills />],
]

/** What runs: what did, what will, and the past made again. */
export function Runs() {
  const words = useWords()
  const { parts } = usePlace()
  const tab = TABS.find(([place]) => place === parts.join('/'))
  if (tab === undefined) return <OneRun key={parts[1]} id={parts[1]!} />
  return (
    <section>
      <header className="head">
        <h1>{words('runs')}</h1>
        <nav className="choices" aria-label={words('runs')}>
          {TABS.map(([place, word]) => (
            <Link key={place} to={place} current={place === tab[0]}>
              {words(word)}
            </Link>
          ))}
        </nav>
      </header>
      {tab[2]()}
    </section>
  )
}
