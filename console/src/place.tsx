import { type ReactNode, useSyncExternalStore } from 'react'

// Where in the console we are: the path below /console and its query. The browser's history is the state.

const BASE = '/console'
const listeners = new Set<() => void>()
const tell = () => {
  for (const listener of listeners) listener()
}
window.addEventListener('popstate', tell)

export interface Place {
  /** `['tables', 'bronze.events']` */
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

export function usePlace(): Place {
  const href = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => window.location.href,
  )
  const url = new URL(href)
  const parts = url.pathname.slice(BASE.length).split('/').filter(Boolean).map(decodeURIComponent)
  return { parts, query: url.searchParams }
}

/** `tables/x`, or `?…` for the first page. */
const hrefOf = (to: string) => `${BASE}${to === '' || to.startsWith('?') ? to : `/${to}`}`

export function go(to: string): void {
  window.history.pushState(null, '', hrefOf(to))
  tell()
}

export function Link({
  to,
  children,
  className,
  title,
  current = false,
}: {
  readonly to: string
  readonly children?: ReactNode
  readonly className?: string
  /** Also its name, where it has no text. */
  readonly title?: string
  readonly current?: boolean
}) {
  return (
    <a
      href={hrefOf(to)}
      className={className}
      title={title}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return
        event.preventDefault()
        go(to)
      }}
    >
      {children}
    </a>
  )
}
