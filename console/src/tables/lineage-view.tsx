import { useEffect, useRef, useState } from 'react'
import type { TableDetail } from '../api.ts'
import { Choices } from '../choices.tsx'
import { go, Link, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { type Lineage, pathOf } from './answers.ts'
import { BOX_WIDTH, chainOf, heightOf, keyOf, lineageLayout } from './lineage-layout.ts'
import { useTableWords } from './words.ts'

const VIEWS = ['picture', 'text'] as const

/** Where the columns of a table come from and go, as a picture and as text. The chosen column is in the address. */
export function LineageView({
  name,
  columns,
}: {
  readonly name: string
  readonly columns: TableDetail['columns'] | undefined
}) {
  const words = useTableWords()
  const common = useWords()
  const { query } = usePlace()
  const column = query.get('column') ?? undefined
  const [view, setView] = useState<(typeof VIEWS)[number]>('picture')
  const { answer: lineage, problem } = useAnswer<Lineage>(`${pathOf(name)}/lineage`)
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (lineage === undefined) return <p className="empty">{common('wait')}</p>
  const own = columns?.map((each) => each.name) ?? [
    ...new Set(lineage.columns.filter(({ to }) => to.table === name).map(({ to }) => to.column)),
  ]
  const problems = lineage.tables.flatMap((table) =>
    table.problem === null ? [] : [`${table.name}: ${table.problem}`],
  )
  return (
    <>
      <p className="row">
        <label>
          <span className="faint">{words('pick')}</span>{' '}
          <select value={column ?? ''} onChange={(event) => go(placeOf(name, event.target.value))}>
            <option value="">{words('everyColumn')}</option>
            {own.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <Choices label={words('view')} all={VIEWS} chosen={view} text={words} onChoose={setView} />
      </p>
      {problems.map((each) => (
        <p key={each} className="problem">
          {each}
        </p>
      ))}
      {lineage.tables.length === 1 ? <p className="empty">{words('noLineage')}</p> : null}
      {view === 'picture' ? (
        <Picture lineage={lineage} own={own} column={column} />
      ) : (
        <Words lineage={lineage} own={column === undefined ? own : [column]} />
      )}
    </>
  )
}

const placeOf = (table: string, column: string) =>
  `tables/${table}/lineage${column === '' ? '' : `?column=${encodeURIComponent(column)}`}`

function Picture({
  lineage,
  own,
  column,
}: {
  readonly lineage: Lineage
  readonly own: readonly string[]
  readonly column: string | undefined
}) {
  const words = useTableWords()
  const { table } = lineage
  const chain = column === undefined ? undefined : chainOf(lineage, { table, column })
  const shown = (name: string) => {
    if (name === table) return own
    const all = lineage.columns.flatMap(({ from, to }) => [from, to])
    const names = all.flatMap((each) =>
      each.table === name && chain?.has(keyOf(each)) === true ? [each.column] : [],
    )
    return [...new Set(names)]
  }
  const { boxes, width, height } = lineageLayout(lineage, shown)
  const ground = useRef<HTMLDivElement>(null)
  const ownX = boxes.find((box) => box.table.name === table)!.x
  // Where there is no room for all of it, the table itself is what is seen first.
  useEffect(() => {
    const { current } = ground
    if (current !== null) current.scrollLeft = ownX - (current.clientWidth - BOX_WIDTH) / 2
  }, [ownX])
  const boxOf = (name: string) => boxes.find((box) => box.table.name === name)!
  return (
    <div ref={ground} className="scroll lineage">
      <div className="bed" style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {lineage.tables.flatMap(({ name, reads }) =>
            reads.map((read) => (
              <path
                key={`${read} ${name}`}
                className={chain === undefined ? 'channel' : 'channel dim'}
                d={curve(boxOf(read), undefined, boxOf(name), undefined)}
              />
            )),
          )}
          {chain === undefined
            ? null
            : lineage.columns
                .filter(({ from, to }) => chain.has(keyOf(from)) && chain.has(keyOf(to)))
                .map(({ from, to, kind }) => (
                  <path
                    key={`${keyOf(from)} ${keyOf(to)}`}
                    className={`flow ${kind}`}
                    d={curve(boxOf(from.table), from.column, boxOf(to.table), to.column)}
                  />
                ))}
        </svg>
        {boxes.map((box) => (
          <div
            key={box.table.name}
            className={box.table.name === table ? 'box self' : 'box'}
            style={{ left: box.x, top: box.y, width: BOX_WIDTH, height: box.height }}
          >
            <Link to={`tables/${box.table.name}/lineage`}>
              <b>{box.table.name}</b>
              <small>{box.table.pipeline ?? ' '}</small>
            </Link>
            {box.columns.map((each) => (
              <button
                key={each}
                type="button"
                className={chain?.has(`${box.table.name}.${each}`) === true ? 'on' : ''}
                aria-pressed={box.table.name === table && each === column}
                onClick={() =>
                  go(
                    placeOf(
                      box.table.name,
                      box.table.name === table && each === column ? '' : each,
                    ),
                  )
                }
              >
                {each}
              </button>
            ))}
            {box.ends.map((end) => (
              <small key={`${end.side} ${end.kind} ${end.name}`} className="end">
                {end.side === 'up' ? '← ' : '→ '}
                {end.kind} {end.name}
              </small>
            ))}
          </div>
        ))}
      </div>
      {chain === undefined ? null : (
        <p className="legend">
          {(['identity', 'transformation', 'aggregation'] as const).map((kind) => (
            <span key={kind}>
              <svg width="28" height="8" aria-hidden="true">
                <path d="M0 4H28" className={`flow ${kind}`} />
              </svg>{' '}
              {words(kind)}
            </span>
          ))}
        </p>
      )}
    </div>
  )
}

type Box = ReturnType<typeof lineageLayout>['boxes'][number]

function curve(a: Box, from: string | undefined, b: Box, to: string | undefined): string {
  const [x1, y1] = [a.x + BOX_WIDTH, heightOf(a, from)]
  const [x2, y2] = [b.x, heightOf(b, to)]
  const bend = Math.max(30, (x2 - x1) / 2)
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
}

/** The same in words: each column with what it is made of and what it goes into. */
function Words({ lineage, own }: { readonly lineage: Lineage; readonly own: readonly string[] }) {
  const words = useTableWords()
  const { table, columns } = lineage
  return (
    <ul className="told-lineage">
      {own.map((column) => {
        const key = keyOf({ table, column })
        const up = columns.filter(({ to }) => keyOf(to) === key)
        const down = columns.filter(({ from }) => keyOf(from) === key)
        return (
          <li key={column}>
            <b>{column}</b>
            <p>
              {words('madeOf')}:{' '}
              {up.length === 0
                ? words('fromNothing')
                : up.map(({ from, kind }) => (
                    <span key={keyOf(from)}>
                      <Link to={placeOf(from.table, from.column)}>{keyOf(from)}</Link>{' '}
                      <small>{words(kind)}</small>{' '}
                    </span>
                  ))}
            </p>
            {down.length === 0 ? null : (
              <p>
                {words('goesTo')}:{' '}
                {down.map(({ to, kind }) => (
                  <span key={keyOf(to)}>
                    <Link to={placeOf(to.table, to.column)}>{keyOf(to)}</Link>{' '}
                    <small>{words(kind)}</small>{' '}
                  </span>
                ))}
              </p>
            )}
          </li>
        )
      })}
    </ul>
  )
}
