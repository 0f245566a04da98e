import { type PipelineBuilder, ReadRefusedError } from 'mekong'
import { aroundPerson } from './around.ts'
import { idOf } from './entities.ts'
import {
  coStars,
  filmography,
  ofTheDirectors,
  personNames,
  personOf,
  shortestPath,
} from './graph-walks.ts'

const VIEWS = ['co_stars', 'filmography', 'around', 'path', 'director'] as const

/** People and titles connected to others. */
export function graphReads(p: PipelineBuilder): void {
  p.read('/v1/catalog/graph', {
    summary:
      'Questions to the graph: co-stars, filmography, everybody around a person, who links two people, films of a director',
    description:
      '`co_stars`, `filmography` and `around` take `person`; `path` takes `from` and `to`; `director` takes `title`, a movie, and answers with all films of its directors. People are ids or exact names.',
    query: {
      view: { type: 'text', required: true, oneOf: VIEWS, doc: 'What to ask.' },
      person: { type: 'text', doc: 'Id or name.', example: 'Keanu Reeves' },
      from: { type: 'text', doc: 'Id or name of one person.' },
      to: { type: 'text', doc: 'Id or name of the other.' },
      title: { type: 'text', doc: 'Id of a movie.' },
      steps: { type: 'int', default: 6, min: 1, max: 10, doc: 'Longest path, in titles.' },
      limit: { type: 'int', default: 20, min: 1, max: 200, doc: 'So many at most.' },
    },
    async answer({ query }, stores) {
      const { view, person, from, to, title, steps, limit } = query
      switch (view) {
        case 'filmography': {
          const who = await personOf(stores, person, 'person')
          return { person: who, credits: (await filmography(stores, who.id)).slice(0, limit) }
        }
        case 'co_stars': {
          const who = await personOf(stores, person, 'person')
          return { person: who, co_stars: await coStars(stores, who.id, limit) }
        }
        case 'around': {
          const who = await personOf(stores, person, 'person')
          return { person: who, ...(await aroundPerson(stores, who.id, limit)) }
        }
        case 'director':
          return ofTheDirectors(stores, idOf(title), limit)
        case 'path': {
          const start = await personOf(stores, from, 'from')
          const end = await personOf(stores, to, 'to')
          const ends = { from: start.id, to: end.id, stepsMax: steps }
          const found = await shortestPath(stores, ends)
          if (found === null) return { from: start, to: end, steps: null, path: [] }
          const names = await personNames(stores, found.people)
          const path = found.people.flatMap((id, index) => {
            const titles = found.titles[index]
            const step = { person: { id, name: names.get(id) ?? null } }
            return titles === undefined ? [step] : [step, { title: titles }]
          })
          return { from: start, to: end, steps: found.titles.length, path }
        }
        default:
          throw new ReadRefusedError(400, `view must be one of ${VIEWS.join(', ')}.`)
      }
    },
  })
}
