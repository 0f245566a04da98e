import { go, Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { type Person, titlePlace } from './answers.ts'
import { Around } from './around.tsx'
import { PersonBox } from './person-box.tsx'
import { useCatalogWords } from './words.ts'

export function PersonPage({ id }: { readonly id: string }) {
  const words = useCatalogWords()
  const common = useWords()
  const { answer: person, problem } = useAnswer<Person>(`/v1/catalog/people/${id}`)
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (person === undefined) return <p className="empty">{common('wait')}</p>
  const name = person.name ?? `#${id}`
  const titles = Map.groupBy(person.credits, (credit) => `${credit.type} ${credit.id}`)
  const facts = [
    person.known_for_department,
    person.birthday === null ? '' : `${words('born')} ${person.birthday}`,
    person.place_of_birth,
    person.deathday === null ? '' : `${words('died')} ${person.deathday}`,
    (person.also_known_as ?? []).join(', '),
  ]
  return (
    <article>
      <h2 className="name">{name}</h2>
      <p className="faint">{facts.filter(Boolean).join(' · ')}</p>
      {person.biography ? <p className="overview">{person.biography}</p> : null}
      <Around id={id} />
      <div className="pair even">
        <div>
          <h2>
            {words('filmography')}
            <small>{titles.size}</small>
          </h2>
          <ul className="lines tall">
            {[...titles].map(([key, all]) => (
              <li key={key}>
                <Link to={titlePlace(all[0]!)}>{all[0]!.title ?? key}</Link>
                <small>
                  {[all[0]!.date?.slice(0, 4), ...all.map(({ role }) => role)]
                    .filter(Boolean)
                    .join(' · ')}
                </small>
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h2>{words('toOther')}</h2>
          <PersonBox
            label={words('toOther')}
            onPick={(other) => go(`catalog/path?from=${id}&to=${other}`)}
          />
        </div>
      </div>
    </article>
  )
}
