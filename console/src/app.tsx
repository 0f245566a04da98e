import { lazy, Suspense, useEffect, useState } from 'react'
import { Access } from './access/access.tsx'
import { useWho, WhoProvider } from './access/who.tsx'
import { WhoAmI } from './access/who-am-i.tsx'
import { Catalog } from './catalog/catalog.tsx'
import { LiveProvider, useLive } from './live.tsx'
import { Dashboards } from './pages/dashboards.tsx'
import { DeadLetters } from './pages/dead-letters.tsx'
import { LedgerPage } from './pages/ledger.tsx'
import { RiverPage } from './pages/river.tsx'
import { Runs } from './pages/runs.tsx'
import { Link, usePlace } from './place.tsx'
import { Tables } from './tables/tables.tsx'
import { type Language, useWords, type Word, Words } from './text.ts'
import { useAnswer } from './use-answer.ts'

// The editor is half of the console's weight, and not every visit asks a question.
const Sql = lazy(async () => ({ default: (await import('./pages/sql.tsx')).Sql }))

/** A page with a pipeline's name is there when the pipeline is. */
const PAGES: readonly (readonly [
  path: string,
  word: Word,
  page: () => React.ReactNode,
  pipeline?: string,
])[] = [
  ['', 'river', () => <RiverPage />],
  ['dashboards', 'dashboards', () => <Dashboards />],
  ['catalog', 'catalog', () => <Catalog />, 'catalog'],
  ['tables', 'tables', () => <Tables />],
  ['sql', 'sql', () => <Sql />],
  ['runs', 'runs', () => <Runs />],
  ['ledger', 'ledger', () => <LedgerPage />],
  ['dead-letters', 'deadLetters', () => <DeadLetters />],
  ['access', 'access', () => <Access />],
]

export function App() {
  const [language, setLanguage] = useState<Language>(
    () =>
      (localStorage.getItem('mekong-language') as Language | null) ??
      (navigator.language.startsWith('vi') ? 'vi' : 'en'),
  )
  // Before anything is drawn in it: numbers and moments look there for their separators and words.
  document.documentElement.lang = language
  useEffect(() => localStorage.setItem('mekong-language', language), [language])
  return (
    <Words.Provider value={language}>
      <WhoProvider>
        <LiveProvider>
          <Shell language={language} onLanguage={setLanguage} />
        </LiveProvider>
      </WhoProvider>
    </Words.Provider>
  )
}

function Shell({
  language,
  onLanguage,
}: {
  readonly language: Language
  readonly onLanguage: (language: Language) => void
}) {
  const words = useWords()
  const { parts } = usePlace()
  const { may } = useWho()
  const { answer: status } = useAnswer<{ pipelines: string[] }>('/v1/status')
  const [, , page] = PAGES.find(([path]) => path === (parts[0] ?? '')) ?? PAGES[0]!
  // On a narrow screen the menu is a strip that scrolls, and where one is may be beyond its edge.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the place is what moves it
  useEffect(() => {
    const here = document.querySelector('.menu [aria-current]')
    here?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [parts[0]])
  return (
    <div className="shell" data-may={may.join(' ')}>
      <nav className="menu" aria-label="Mekong">
        <Link to="" className="brand">
          <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
            <path
              d="M4 6c10 0 6 10 12 10M16 16c6 0 6 10 12 10M16 16c6 0 4-8 12-8M16 16h12"
              fill="none"
              stroke="currentColor"
              strokeWidth="3"
              strokeLinecap="round"
            />
          </svg>
          Mekong
        </Link>
        {PAGES.filter(
          ([, , , pipeline]) => pipeline === undefined || status?.pipelines.includes(pipeline),
        ).map(([path, word]) => (
          <Link key={path} to={path} current={(parts[0] ?? '') === path}>
            {words(word)}
          </Link>
        ))}
        <span className="space" />
        <WhoAmI />
        <Connection />
        <button
          type="button"
          className="quiet"
          onClick={() => onLanguage(language === 'en' ? 'vi' : 'en')}
        >
          {language === 'en' ? 'Tiếng Việt' : 'English'}
        </button>
      </nav>
      <main>
        <Suspense>{page()}</Suspense>
      </main>
    </div>
  )
}

/** Whether what is shown is true now. */
function Connection() {
  const words = useWords()
  const { state, now } = useLive()
  const running = now?.runs.length ?? 0
  return (
    <span className={`connection ${state}`} role="status">
      <i aria-hidden="true" />
      {state === 'live'
        ? running > 0
          ? `${running} ${words('runs').toLowerCase()}`
          : words('live')
        : words('connecting')}
    </span>
  )
}
