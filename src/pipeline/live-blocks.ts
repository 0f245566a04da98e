import type { Dashboard, LiveBlock } from '../model/chart.ts'
import type { PipelinePlan } from './plan.ts'

// The parts of a dashboard that are pushed: they name aggregates and collections of the pipeline, which is checked when it is put together.

type Of<Kind extends LiveBlock['kind']> = Omit<Extract<LiveBlock, { kind: Kind }>, 'kind'>

/** Measures of kept aggregates with their change against the same stretch of the period before. `titles` has the measures to show, in order. */
export const liveMeasures = (
  aggregates: string,
  titles: Readonly<Record<string, string>>,
): LiveBlock =>
  Object.freeze({
    kind: 'measures',
    aggregates,
    measures: Object.entries(titles).map(([name, title]) => ({ name, title })),
  })

/** A series of kept aggregates over time, by minute, hour or day as the page chooses. `top` is how many labels are shown; default 10. */
export const liveSeries = (
  title: string,
  { top = 10, ...rest }: Omit<Of<'series'>, 'title' | 'top'> & { readonly top?: number },
): LiveBlock => Object.freeze({ kind: 'series', title, top, ...rest })

/** A box that finds one thing by id or name, and its documents. */
export const liveFind = (title: string, options: Omit<Of<'find'>, 'title'>): LiveBlock =>
  Object.freeze({ kind: 'find', title, ...options })

/** Documents as names with a small line of their past. */
export const liveSparklines = (
  title: string,
  options: Omit<Of<'sparklines'>, 'title'>,
): LiveBlock => Object.freeze({ kind: 'sparklines', title, ...options })

type Report = (where: string, what: string, fix: string) => void

/** What a live block names must be the pipeline's own. */
export function checkLiveBlocks(
  {
    dashboards,
    aggregates,
    documents,
    collections,
  }: Pick<PipelinePlan, 'aggregates' | 'documents' | 'collections'> & {
    readonly dashboards: readonly Dashboard[]
  },
  report: Report,
): void {
  const kept = new Map(aggregates.map(({ name, shape }) => [name, shape]))
  const stored = [
    ...documents.map(({ collection }) => collection.name),
    ...collections.map(({ facts }) => facts.name),
  ]
  const among = (names: Iterable<string>) => `There are: ${[...names].join(', ') || 'none'}`
  for (const block of dashboards.flatMap(({ live }) => live)) {
    const where = `live ${block.kind}`
    if ('collection' in block) {
      if (!stored.includes(block.collection))
        report(where, `shows documents "${block.collection}"`, among(stored))
      continue
    }
    const shape = kept.get(block.aggregates)
    if (shape === undefined) {
      report(where, `shows aggregates "${block.aggregates}"`, among(kept.keys()))
      continue
    }
    const [known, named] =
      block.kind === 'measures'
        ? [Object.keys(shape.measures), block.measures.map(({ name }) => name)]
        : [Object.keys(shape.series), [block.series]]
    for (const name of named)
      if (!known.includes(name))
        report(where, `shows "${name}", which ${block.aggregates} does not keep`, among(known))
  }
}
