import { useState } from 'react'
import { compact, plain } from '../format.ts'
import { momentText, ticks } from './scale.ts'
import { useWidth } from './use-width.ts'

export interface StackLine {
  readonly label: string
  readonly values: readonly number[]
}

const HEIGHT = 248
const LEFT = 48
const BOTTOM = 22
const TOP = 8
/** Eleven layers that can be told apart; the last is for what is left over. */
const TONES = ['t0', 't1', 't2', 't3', 't4', 't6', 't7', 't8', 't9', 't10'] as const

/** Values over time, one layer a label: columns on top of one another. */
export function Stack({
  steps,
  lines,
  otherText,
  onlyText,
  asTableText,
}: {
  readonly steps: readonly string[]
  readonly lines: readonly StackLine[]
  readonly otherText: string
  readonly onlyText: string
  readonly asTableText: string
}) {
  const { ref, width } = useWidth()
  const [near, setNear] = useState<number>()
  const [only, setOnly] = useState<string>()
  const layers = lines.map((line, index) => ({
    ...line,
    name: line.label === 'other' ? otherText : line.label,
    tone: line.label === 'other' ? 'other' : TONES[index % TONES.length]!,
    total: line.values.reduce((sum, value) => sum + value, 0),
  }))
  const shown = layers.filter(({ label }) => only === undefined || label === only)
  const sums = steps.map((_, step) => shown.reduce((sum, { values }) => sum + values[step]!, 0))
  const marks = ticks(0, Math.max(...sums, Number.EPSILON), 4)
  const most = marks.at(-1)!
  const inner = Math.max(40, width - LEFT - 4)
  const band = inner / Math.max(1, steps.length)
  const xOf = (step: number) => LEFT + step * band
  const yOf = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most)
  const spanMs = Date.parse(steps.at(-1) ?? '') - Date.parse(steps[0] ?? '')
  const every = Math.ceil(steps.length / Math.max(2, inner / 84))
  const move = (by: number) =>
    setNear((old) => Math.min(steps.length - 1, Math.max(0, (old ?? steps.length) + by)))
  const bases = new Array<number>(steps.length).fill(0)
  return (
    <div ref={ref} className="plot">
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: left and right walk along the steps
        tabIndex={0}
        aria-label={layers.map(({ name, total }) => `${name} ${plain(total)}`).join(', ')}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') move(-1)
          else if (event.key === 'ArrowRight') move(1)
        }}
        onBlur={() => setNear(undefined)}
        onPointerMove={(event) => {
          const at = event.clientX - event.currentTarget.getBoundingClientRect().left
          setNear(Math.min(steps.length - 1, Math.max(0, Math.floor((at - LEFT) / band))))
        }}
        onPointerLeave={() => setNear(undefined)}
      >
        {marks.map((mark) => (
          <g key={mark}>
            <line x1={LEFT} x2={width - 4} y1={yOf(mark)} y2={yOf(mark)} className="rule" />
            <text x={LEFT - 6} y={yOf(mark) + 4} textAnchor="end">
              {compact(mark)}
            </text>
          </g>
        ))}
        {steps.map((step, index) =>
          index % every === 0 && xOf(index) + band / 2 + 20 < width ? (
            <text key={step} x={xOf(index) + band / 2} y={HEIGHT - 6} textAnchor="middle">
              {momentText(Date.parse(step), spanMs)}
            </text>
          ) : null,
        )}
        {near === undefined ? null : (
          <rect
            x={xOf(near)}
            y={TOP}
            width={band}
            height={HEIGHT - TOP - BOTTOM}
            className="spot"
          />
        )}
        {shown.map(({ label, values, tone }) => (
          <g key={label} className={`tone ${tone}`}>
            {values.map((value, step) => {
              const base = bases[step]!
              bases[step] = base + value
              if (value <= 0) return null
              return (
                <rect
                  key={steps[step]}
                  x={xOf(step) + band * 0.12}
                  y={yOf(base + value)}
                  width={Math.max(1, band * 0.76)}
                  height={Math.max(0.5, yOf(base) - yOf(base + value))}
                />
              )
            })}
          </g>
        ))}
      </svg>
      {near === undefined || steps[near] === undefined ? null : (
        <div
          className="tip"
          style={
            xOf(near) > width / 2
              ? { right: Math.max(0, width - xOf(near) + 6) }
              : { left: xOf(near) + band + 6 }
          }
        >
          <b>{steps[near]!.slice(0, 16).replace('T', ' ')}</b>
          {shown
            .filter(({ values }) => values[near]! > 0)
            .map(({ label, name, values, tone }) => (
              <span key={label} className={`tone ${tone}`}>
                <i /> {name} {plain(values[near]!)}
              </span>
            ))}
          <span>Σ {plain(sums[near]!)}</span>
        </div>
      )}
      <div className="legend buttons">
        {layers.map(({ label, name, tone, total }) => (
          <button
            key={label}
            type="button"
            className={`quiet tone ${tone}`}
            aria-pressed={only === label}
            title={`${onlyText} ${name}`}
            onClick={() => setOnly(only === label ? undefined : label)}
          >
            <i /> {name} <em>{compact(total)}</em>
          </button>
        ))}
      </div>
      <details className="as-table">
        <summary>{asTableText}</summary>
        <div className="scroll tall">
          <table>
            <thead>
              <tr>
                <th> </th>
                {layers.map(({ label, name }) => (
                  <th key={label} className="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {steps.map((step, index) => (
                <tr key={step}>
                  <td className="number">{step.slice(0, 16).replace('T', ' ')}</td>
                  {layers.map(({ label, values }) => (
                    <td key={label} className={`number ${values[index] === 0 ? 'faint' : ''}`}>
                      {plain(values[index]!)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  )
}
