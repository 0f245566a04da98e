/**
 * Counts of what happens, cheap enough for hot paths: a child metric is looked up once, kept by the caller, and then
 * adding to it is one addition. Rendered in the Prometheus text exposition format 0.0.4.
 */
export interface Meter {
  /** A number that only grows. By convention the name ends in `_total`. */
  counter<Label extends string = never>(config: MetricConfig<Label>): Family<Label, Counter>
  gauge<Label extends string = never>(config: MetricConfig<Label>): Family<Label, Gauge>
  histogram<Label extends string = never>(
    config: MetricConfig<Label> & {
      /** Upper bounds, inclusive, ascending; the last bucket, `+Inf`, is added. */
      readonly buckets: readonly number[]
    },
  ): Family<Label, Histogram>
  /** Called before each rendering, for gauges that are read and not pushed. */
  beforeRender(read: () => void): void
  render(): string
}

export interface MetricConfig<Label extends string> {
  /** Letters, digits and underscores; unit last (`_seconds`, `_bytes`). One name is one family: asking again returns it. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly Label[]
}

/** The metrics of one name. `with` makes a child on first use; keep what it returns. */
export interface Family<Label extends string, Child> {
  with(labels: Readonly<Record<Label, string>>): Child
}

export interface Counter {
  /** Never negative. */
  add(amount: number): void
  readonly value: number
}

export interface Gauge {
  set(value: number): void
  add(amount: number): void
  readonly value: number
}

export interface Histogram {
  observe(value: number): void
  readonly count: number
  readonly sum: number
}

/** Buckets for latencies in seconds, from a tenth of a millisecond to ten seconds. */
export const LATENCY_BUCKETS_S: readonly number[] = Object.freeze([
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
])

/** The content type of what `render` returns. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

type Kind = 'counter' | 'gauge' | 'histogram'

interface Line {
  render(name: string, labels: string): string
}

interface StoredFamily {
  readonly kind: Kind
  readonly help: string
  readonly labelNames: readonly string[]
  readonly children: Map<string, Line>
  readonly with: (labels: Readonly<Record<string, string>>) => Line
}

/** A new, empty meter. */
export function createMeter(): Meter {
  const families = new Map<string, StoredFamily>()
  const readers: (() => void)[] = []

  const family = (kind: Kind, config: MetricConfig<string>, create: () => Line): StoredFamily => {
    const known = families.get(config.name)
    if (known !== undefined) return known
    const labelNames = config.labels ?? []
    const children = new Map<string, Line>()
    const made: StoredFamily = {
      kind,
      help: config.help,
      labelNames,
      children,
      with(labels) {
        const key = labelNames.map((name) => `${name}="${escapeLabel(labels[name]!)}"`).join(',')
        const known = children.get(key)
        if (known !== undefined) return known
        const child = create()
        children.set(key, child)
        return child
      },
    }
    families.set(config.name, made)
    return made
  }

  return {
    counter: (config) => family('counter', config, () => new Tally()) as never,
    gauge: (config) => family('gauge', config, () => new Tally()) as never,
    histogram: (config) =>
      family('histogram', config, () => new BucketTally(config.buckets)) as never,
    beforeRender: (read) => void readers.push(read),
    render() {
      for (const read of readers) read()
      let text = ''
      for (const [name, { kind, help, children }] of families) {
        text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`
        for (const [labels, child] of children) text += child.render(name, labels)
      }
      return text
    },
  }
}

class Tally implements Counter, Gauge, Line {
  value = 0

  add(amount: number): void {
    this.value += amount
  }

  set(value: number): void {
    this.value = value
  }

  render(name: string, labels: string): string {
    return `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(this.value)}\n`
  }
}

class BucketTally implements Histogram, Line {
  readonly #bounds: readonly number[]
  readonly #counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length)
  }

  observe(value: number): void {
    this.sum += value
    this.count += 1
    const bounds = this.#bounds
    for (let index = 0; index < bounds.length; index += 1) {
      if (value > bounds[index]!) continue
      this.#counts[index]! += 1
      return
    }
  }

  render(name: string, labels: string): string {
    const before = labels === '' ? '' : `${labels},`
    const after = labels === '' ? '' : `{${labels}}`
    let text = ''
    let below = 0
    for (let index = 0; index < this.#bounds.length; index += 1) {
      below += this.#counts[index]!
      text += `${name}_bucket{${before}le="${numberText(this.#bounds[index]!)}"} ${below}\n`
    }
    text += `${name}_bucket{${before}le="+Inf"} ${this.count}\n`
    return `${text}${name}_sum${after} ${numberText(this.sum)}\n${name}_count${after} ${this.count}\n`
  }
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
