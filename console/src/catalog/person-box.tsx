import { get } from '../api.ts'
import { Combo } from '../combo.tsx'
import type { PersonLine } from './answers.ts'
import { useCatalogWords } from './words.ts'

/** A box that finds one person. */
export function PersonBox({
  label,
  start = '',
  onPick,
}: {
  readonly label: string
  readonly start?: string
  readonly onPick: (id: string) => void
}) {
  const words = useCatalogWords()
  return (
    <Combo
      label={label}
      hint={words('findPerson')}
      none={words('nobody')}
      start={start}
      suggest={async (text, signal) => {
        const path = `/v1/catalog/people?${new URLSearchParams({ q: text, limit: '10' })}`
        const { people } = await get<{ people: PersonLine[] }>(path, signal)
        return people.map(({ id, name, known_for_department, credits }) => ({
          value: String(id),
          label: name ?? `#${id}`,
          side: `${known_for_department ?? ''} · ${credits} ${words('credits')}`,
        }))
      }}
      onPick={({ value }) => onPick(value)}
    />
  )
}
