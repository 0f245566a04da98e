import { useMemo, useState } from 'react'
import { useWidth } from '../charts/use-width.ts'
import { Choices } from '../choices.tsx'
import { plain } from '../format.ts'
import { go, Link } from '../place.tsx'
import { useAnswer } from '../use-answer.ts'
import { type AroundAnswer, personPlace, titlePlace } from './answers.ts'
import { forceLayout } from './force-layout.ts'
import { useCatalogWords } from './words.ts'

const VIEWS = ['picture', 'list'] as const
const NARROW = 620
/** People beside the one in the middle, as many as can be read. */
const PEOPLE = { wide: 26, narrow: 10 }
const TITLES = { wide: 16, narrow: 7 }
const LABEL_LENGTH = 22
const LETTER_PX = 6.1

const RING = { self: 0, title: 1, person: 2 } as const

interface Node {
  readonly id: string
  readonly kind: 'self' | 'title' | 'person'
  readonly name: string
  readonly place: string | undefined
  readonly size: number
}

/** Who and what is around a person, as a picture or as a list. */
export function Around({ id }: { readonly id: string }) {
  const words = useCatalogWords()
  const [view, setView] = useState<(typeof VIEWS)[number]>('picture')
  const { ref, width } = useWidth()
  const isNarrow = width < NARROW
  const { answer, problem } = useAnswer<AroundAnswer>(
    `/v1/catalog/graph?view=around&person=${id}&limit=${PEOPLE.wide}`,
  )
  const shown = shownOf(answer, view, isNarrow)
  return (
    <div ref={ref}>
      <h2 className="row">
        {words('around')} {answer?.person.name}
        <Choices label={words('view')} all={VIEWS} chosen={view} text={words} onChoose={setView} />
        {answer === undefined ? null : (
          <small>
            {shown.titles} {words('ofAll')} {plain(answer.counts.titles)}{' '}
            {words('titles').toLowerCase()}, {shown.people} {words('ofAll')}{' '}
            {plain(answer.counts.people)} {words('people').toLowerCase()}
          </small>
        )}
      </h2>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {answer === undefined ? (
        <div className="graph" />
      ) : view === 'list' ? (
        <AroundList answer={answer} />
      ) : (
        <Picture answer={answer} width={width} isNarrow={isNarrow} />
      )}
    </div>
  )
}

/** How many titles and people of an answer are there to be seen. */
function shownOf(
  answer: AroundAnswer | undefined,
  view: 'picture' | 'list',
  isNarrow: boolean,
): { readonly titles: number; readonly people: number } {
  if (answer === undefined) return { titles: 0, people: 0 }
  if (view === 'list') return { titles: answer.titles.length, people: answer.people.length }
  const { nodes } = graphOf(answer, isNarrow ? 'narrow' : 'wide')
  const count = (wanted: Node['kind']) => nodes.filter(({ kind }) => kind === wanted).length
  return { titles: count('title'), people: count('person') }
}

function Picture({
  answer,
  width,
  isNarrow,
}: {
  readonly answer: AroundAnswer
  readonly width: number
  readonly isNarrow: boolean
}) {
  const words = useCatalogWords()
  const [near, setNear] = useState<string>()
  const height = isNarrow ? 520 : Math.min(680, Math.max(480, width * 0.5))
  const { nodes, edges, places } = useMemo(() => {
    const graph = graphOf(answer, isNarrow ? 'narrow' : 'wide')
    const places = forceLayout(
      graph.nodes.map((node) => ({
        id: node.id,
        ring: RING[node.kind],
        size: node.size,
        labelWidth: shortName(node.name).length * LETTER_PX,
      })),
      graph.edges,
      { width, height },
    )
    return { ...graph, places }
  }, [answer, isNarrow, width, height])
  const touching = new Set(
    near === undefined
      ? []
      : edges.flatMap(({ from, to }) => (from === near || to === near ? [from, to] : [])),
  )
  const dim = (isPart: boolean) => (near === undefined || isPart ? '' : ' dim')
  return (
    <>
      <svg className="graph" width={width} height={height} aria-label={words('aroundHelp')}>
        {edges.map(({ from, to }) => {
          const [a, b] = [places.get(from)!, places.get(to)!]
          return (
            <line
              key={`${from} ${to}`}
              className={`edge${dim(from === near || to === near)}`}
              {...{ x1: a.x, y1: a.y, x2: b.x, y2: b.y }}
            />
          )
        })}
        {nodes.map((node) => {
          const { x, y } = places.get(node.id)!
          return (
            <Spot
              key={node.id}
              node={node}
              x={x}
              y={y}
              className={dim(node.id === near || touching.has(node.id))}
              onNear={(isNear) => setNear(isNear ? node.id : undefined)}
            />
          )
        })}
      </svg>
      <p className="faint">{answer.people.length === 0 ? words('alone') : words('aroundHelp')}</p>
    </>
  )
}

function Spot({
  node: { kind, name, place, size },
  x,
  y,
  className,
  onNear,
}: {
  readonly node: Node
  readonly x: number
  readonly y: number
  readonly className: string
  readonly onNear: (isNear: boolean) => void
}) {
  const shape = (
    <>
      <title>{name}</title>
      {kind === 'title' ? (
        <rect x={x - size / 2} y={y - size / 2} width={size} height={size} rx="3" />
      ) : (
        <circle cx={x} cy={y} r={size / 2} />
      )}
      <text x={x} y={y + size / 2 + 13} textAnchor="middle">
        {shortName(name)}
      </text>
    </>
  )
  const classes = `spot-node ${kind}${className}`
  if (place === undefined) return <g className={classes}>{shape}</g>
  return (
    <a
      href={`/console/${place}`}
      className={classes}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return
        event.preventDefault()
        go(place)
      }}
      onPointerEnter={() => onNear(true)}
      onPointerLeave={() => onNear(false)}
      onFocus={() => onNear(true)}
      onBlur={() => onNear(false)}
    >
      {shape}
    </a>
  )
}

const shortName = (name: string) =>
  name.length > LABEL_LENGTH ? `${name.slice(0, LABEL_LENGTH - 1)}…` : name

function graphOf({ person, titles, people }: AroundAnswer, room: 'wide' | 'narrow') {
  const nodes: Node[] = [
    { ...{ id: 'self', kind: 'self', name: person.name ?? '' }, ...{ place: undefined, size: 26 } },
  ]
  const edges: { from: string; to: string }[] = []
  const shown = titles.slice(0, TITLES[room])
  for (const [at, title] of shown.entries()) {
    const id = `title ${at}`
    nodes.push({
      ...{ id, kind: 'title', name: title.title ?? `#${title.id}` },
      ...{ place: titlePlace(title), size: 14 },
    })
    edges.push({ from: 'self', to: id })
  }
  for (const other of people.slice(0, PEOPLE[room])) {
    const own = other.titles.filter((at) => at < shown.length)
    if (own.length === 0) continue
    const id = `person ${other.id}`
    nodes.push({
      ...{ id, kind: 'person', name: other.name ?? `#${other.id}` },
      ...{ place: personPlace(other.id), size: 9 + Math.min(9, own.length * 2) },
    })
    for (const at of own) edges.push({ from: `title ${at}`, to: id })
  }
  return { nodes, edges }
}

function AroundList({ answer: { titles, people } }: { readonly answer: AroundAnswer }) {
  const words = useCatalogWords()
  if (people.length === 0) return <p className="empty">{words('alone')}</p>
  return (
    <ul className="lines">
      {people.map(({ id, name, titles: shared }) => (
        <li key={id}>
          <Link to={personPlace(id)}>{name ?? `#${id}`}</Link>
          <small>
            {shared.length} {words('together')}:{' '}
            {shared.map((at, index) => (
              <span key={at}>
                {index === 0 ? '' : ', '}
                <Link to={titlePlace(titles[at]!)}>{titles[at]!.title}</Link>
              </span>
            ))}
          </small>
        </li>
      ))}
    </ul>
  )
}
