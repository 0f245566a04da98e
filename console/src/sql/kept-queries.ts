// Queries that a person keeps, and those asked before: in this browser, for nobody else.

export interface KeptQuery {
  readonly name: string
  readonly sql: string
}

const MINE = 'mekong-queries'
const ASKED = 'mekong-asked'
const ASKED_MAX = 20

const read = (key: string): readonly KeptQuery[] => {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(kept) ? kept : []
  } catch {
    return []
  }
}
const write = (key: string, queries: readonly KeptQuery[]) => {
  localStorage.setItem(key, JSON.stringify(queries))
  return queries
}

export const keptQueries = () => read(MINE)
export const askedQueries = () => read(ASKED)

/** Keep a query under a name; one of the same name is replaced. */
export const keepQuery = (query: KeptQuery): readonly KeptQuery[] =>
  write(MINE, [...read(MINE).filter(({ name }) => name !== query.name), query])

export const forgetQuery = (name: string): readonly KeptQuery[] =>
  write(
    MINE,
    read(MINE).filter((query) => query.name !== name),
  )

/** Remember that a query was asked; newest first, each once. */
export function rememberAsked(sql: string): readonly KeptQuery[] {
  const name = sql.replaceAll(/\s+/g, ' ').trim().slice(0, 60)
  const others = read(ASKED).filter((query) => query.sql !== sql)
  return write(ASKED, [{ name, sql }, ...others].slice(0, ASKED_MAX))
}
