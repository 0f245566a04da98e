/** A small line of the past, oldest first, with the last value marked and a threshold where there is one. */
export function Sparkline({
  values,
  threshold,
  title,
}: {
  readonly values: readonly number[]
  readonly threshold: number | undefined
  readonly title: string
}) {
  const most = Math.max(...values, threshold ?? 0, 1)
  const x = (index: number) => (index / Math.max(1, values.length - 1)) * 98 + 1
  const y = (value: number) => 37 - (value / most) * 34
  const path = values
    .map(
      (value, index) => `${index === 0 ? 'M' : 'L'}${x(index).toFixed(2)} ${y(value).toFixed(2)}`,
    )
    .join('')
  return (
    <span className="sparkline" role="img" aria-label={title}>
      <svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
        {threshold === undefined ? null : (
          <line x1="0" x2="100" y1={y(threshold)} y2={y(threshold)} className="threshold" />
        )}
        <path d={`${path}L${x(values.length - 1)} 38L${x(0)} 38Z`} className="under" />
        <path d={path} className="over" />
      </svg>
      {/* Beside the stretched picture, so that the dot stays round. */}
      <i
        style={{
          left: `${x(values.length - 1)}%`,
          top: `${(y(values.at(-1) ?? 0) / 40) * 100}%`,
        }}
      />
    </span>
  )
}
