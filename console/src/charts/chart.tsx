import { useState } from 'react'
import type { Answer, ChartShape } from '../api.ts'
import { cellText, changeText, compact, momentOf, secondsText } from '../format.ts'
import { Grid } from './grid.tsx'
import { momentText, ticks } from './scale.ts'
import { useWidth } from './use-width.ts'

type Rows = Pick<Answer, 'columns' | 'rows'>

/** An answer, shown as its chart wants it. */
export function Chart({
  show,
  answer,
  said = (text) => text,
}: {
  readonly show: ChartShape
  readonly answer: Rows
  /** Names of columns and units in the language of the page. */
  readonly said?: (text: string) => string
}) {
  if (show.kind === 'table') return <Grid answer={answer} heading={said} />
  if (show.kind === 'number') return <BigNumber show={show} answer={answer} />
  const lines = linesOf(show, answer, said)
  if (lines.length === 0 || lines[0]!.points.length === 0) return <p className="empty">–</p>
  if (show.kind === 'bar' && show.lies === true) return <LyingBars lines={lines} unit={show.unit} />
  return <Plot kind={show.kind} lines={lines} unit={show.unit} />
}

const indexOf = ({ columns }: Rows, name: string) =>
  columns.findIndex((column) => column.name === name)

function BigNumber({
  show,
  answer,
}: {
  readonly show: ChartShape & { readonly kind: 'number' }
  readonly answer: Rows
}) {
  const row = answer.rows[0] ?? []
  const value = Number(row[indexOf(answer, show.value)] ?? Number.NaN)
  const before = show.compare === undefined ? undefined : Number(row[indexOf(answer, show.compare)])
  // A day is not said in seconds.
  const isSeconds = show.unit === 's'
  const change = before === undefined || before === 0 ? undefined : (value - before) / before
  return (
    <p className="big">
      {Number.isNaN(value) ? '–' : isSeconds ? secondsText(value) : compact(value)}
      {show.unit === undefined || isSeconds ? null : <small>{show.unit}</small>}
      {change === undefined || Number.isNaN(change) ? null : <small>{changeText(change)}</small>}
    </p>
  )
}

interface Line {
  readonly name: string
  readonly points: readonly {
    readonly x: string
    readonly at: number | undefined
    readonly y: number
  }[]
}

function linesOf(
  { x, y, series }: ChartShape & { readonly kind: 'line' | 'area' | 'bar' },
  answer: Rows,
  said: (text: string) => string,
): Line[] {
  const xAt = indexOf(answer, x)
  const seriesAt = series === undefined ? -1 : indexOf(answer, series)
  const groups = new Map<string, { x: string; at: number | undefined; y: number }[]>()
  for (const row of answer.rows) {
    for (const name of y) {
      const value = row[indexOf(answer, name)]
      if (value === null || value === undefined) continue
      const line = seriesAt < 0 ? said(name) : cellText(row[seriesAt])
      const points = groups.get(line) ?? []
      points.push({ x: labelText(row[xAt]), at: momentOf(row[xAt]), y: Number(value) })
      groups.set(line, points)
    }
  }
  return [...groups].map(([name, points]) => ({ name, points }))
}

const HEIGHT = 208
const LEFT = 48
const BOTTOM = 22
const TOP = 8

function Plot({
  kind,
  lines,
  unit,
}: {
  readonly kind: 'line' | 'area' | 'bar'
  readonly lines: readonly Line[]
  readonly unit?: string | undefined
}) {
  const { ref, width } = useWidth()
  const [near, setNear] = useState<number>()
  const labels = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))]
  const places = new Map(labels.map((label, index) => [label, index]))
  const moments = lines.flatMap(({ points }) => points.map(({ at }) => at))
  const areMoments = moments.every((at) => at !== undefined)
  const isTime = areMoments && kind !== 'bar'
  const times = isTime ? (moments as number[]) : []
  const [from, to] = isTime ? [Math.min(...times), Math.max(...times)] : [0, labels.length - 1]
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y))
  const steps = ticks(Math.min(...values), Math.max(...values), 4)
  const [least, most] = [steps[0]!, steps.at(-1)!]
  const inner = width - LEFT - 8
  const band = inner / Math.max(1, labels.length)
  const xOf = (point: Line['points'][number]) =>
    kind === 'bar'
      ? LEFT + (places.get(point.x)! + 0.5) * band
      : LEFT +
        (inner * ((isTime ? point.at! : places.get(point.x)!) - from)) / Math.max(1, to - from)
  const yOf = (y: number) =>
    TOP + (HEIGHT - TOP - BOTTOM) * (1 - (y - least) / Math.max(Number.EPSILON, most - least))
  const shown = labels.filter(
    (_, index) => index % Math.ceil(labels.length / Math.max(2, inner / 76)) === 0,
  )
  const first = lines[0]!.points
  const nearest = near === undefined ? undefined : first[near]
  return (
    <div ref={ref} className="plot">
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: left and right walk along the points
        tabIndex={0}
        aria-label={lines.map(({ name }) => name).join(', ')}
        onKeyDown={({ key }) => {
          if (key !== 'ArrowLeft' && key !== 'ArrowRight') return
          const by = key === 'ArrowLeft' ? -1 : 1
          setNear((old) =>
            Math.min(first.length - 1, Math.max(0, (old ?? (by < 0 ? first.length : -1)) + by)),
          )
        }}
        onBlur={() => setNear(undefined)}
        onPointerMove={(event) => {
          const at = event.clientX - event.currentTarget.getBoundingClientRect().left
          const distances = first.map((point) => Math.abs(xOf(point) - at))
          setNear(distances.indexOf(Math.min(...distances)))
        }}
        onPointerLeave={() => setNear(undefined)}
      >
        {steps.map((step) => (
          <g key={step}>
            <line x1={LEFT} x2={width - 8} y1={yOf(step)} y2={yOf(step)} className="rule" />
            <text x={LEFT - 6} y={yOf(step) + 4} textAnchor="end">
              {compact(step)}
            </text>
          </g>
        ))}
        {shown.map((label) => {
          const point = { x: label, at: momentOf(label), y: 0 }
          const text =
            isTime || (areMoments && kind === 'bar')
              ? momentText(point.at!, isTime ? to - from : spanOf(lines))
              : shortText(label)
          return (
            <text key={label} x={xOf(point)} y={HEIGHT - 6} textAnchor="middle">
              {text}
            </text>
          )
        })}
        {lines.map(({ name, points }, index) =>
          kind === 'bar' ? (
            <g key={name} className={`tone t${index % 8}`}>
              {points.map((point) => {
                const wide = Math.max(1, (band * 0.72) / lines.length)
                return (
                  <rect
                    key={point.x}
                    x={xOf(point) - (band * 0.72) / 2 + index * wide}
                    y={Math.min(yOf(point.y), yOf(0))}
                    width={wide}
                    height={Math.abs(yOf(point.y) - yOf(0))}
                  />
                )
              })}
            </g>
          ) : (
            <g key={name} className={`tone t${index % 8}`}>
              {kind === 'area' && lines.length === 1 ? (
                <path
                  className="filled"
                  d={`${pathOf(points.map((p) => [xOf(p), yOf(p.y)]))}L${xOf(points.at(-1)!)} ${yOf(least)}L${xOf(points[0]!)} ${yOf(least)}Z`}
                />
              ) : null}
              <path className="stroke" d={pathOf(points.map((p) => [xOf(p), yOf(p.y)]))} />
              {/* One point is no line. */}
              {points.length === 1 ? (
                <circle cx={xOf(points[0]!)} cy={yOf(points[0]!.y)} r="4" />
              ) : null}
            </g>
          ),
        )}
        {nearest === undefined ? null : (
          <line
            x1={xOf(nearest)}
            x2={xOf(nearest)}
            y1={TOP}
            y2={HEIGHT - BOTTOM}
            className="near"
          />
        )}
      </svg>
      {nearest === undefined ? null : (
        <p className="tip" style={{ left: Math.min(xOf(nearest) + 8, width - 150) }}>
          <b>{isTime ? nearest.x.slice(0, 16) : nearest.x}</b>
          {lines.map(({ name, points }, index) => {
            const point = points.find(({ x }) => x === nearest.x)
            return point === undefined ? null : (
              <span key={name} className={`tone t${index % 8}`}>
                <i /> {lines.length === 1 ? '' : `${name} `}
                {compact(point.y)} {unit ?? ''}
              </span>
            )
          })}
        </p>
      )}
      {lines.length === 1 ? null : (
        <p className="legend">
          {lines.map(({ name }, index) => (
            <span key={name} className={`tone t${index % 8}`}>
              <i /> {name}
            </span>
          ))}
        </p>
      )}
    </div>
  )
}

/** A year, an hour or a number of days along the axis is a label, without signs in it. */
const labelText = (value: unknown) => (typeof value === 'number' ? String(value) : cellText(value))

/** Between the first and the last of moments in order. */
const spanOf = ([line]: readonly Line[]) =>
  (line?.points.at(-1)?.at ?? 0) - (line?.points[0]?.at ?? 0)

const pathOf = (points: readonly (readonly [number, number] | number[])[]) =>
  points
    .map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x!.toFixed(1)} ${y!.toFixed(1)}`)
    .join('')

const shortText = (text: string) => (text.length > 12 ? `${text.slice(0, 11)}…` : text)

function LyingBars({
  lines,
  unit,
}: {
  readonly lines: readonly Line[]
  readonly unit?: string | undefined
}) {
  const points = lines[0]!.points
  const most = Math.max(...points.map(({ y }) => y), Number.EPSILON)
  return (
    <ol className="lying">
      {points.map(({ x, y }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: labels may repeat
        <li key={index}>
          <span title={x}>{x}</span>
          <i style={{ width: `${Math.max(0.5, (y / most) * 100)}%` }} />
          <b>
            {compact(y)} {unit ?? ''}
          </b>
        </li>
      ))}
    </ol>
  )
}
