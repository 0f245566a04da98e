import { useMemo, useState } from 'react'
import type { LedgerLine, Now, River, RiverNode } from '../api.ts'
import { compact } from '../format.ts'
import { useLive } from '../live.tsx'
import { go, Link } from '../place.tsx'
import { layoutOf, NODE_HEIGHT, NODE_WIDTH } from '../river-layout.ts'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

/** Everything that flows, as a picture with its numbers. */
export function RiverPage() {
  const words = useWords()
  const { now, rates } = useLive()
  const { answer: river, problem } = useAnswer<River>('/v1/river')
  const minute = now === undefined ? 0 : Math.floor(Date.parse(now.at) / 10_000)
  const { answer: ledger } = useAnswer<{ balanced: boolean; lines: LedgerLine[] }>(
    '/v1/ledger',
    minute,
  )
  const [only, setOnly] = useState<string>()
  const layout = useMemo(() => {
    if (river === undefined) return undefined
    const nodes = river.nodes.filter(({ pipeline }) => only === undefined || pipeline === only)
    return layoutOf(nodes, river.edges)
  }, [river, only])
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (river === undefined || layout === undefined) return <p className="empty">{words('wait')}</p>
  const moment = now ?? river.now
  const facts = new Map(
    river.nodes.map((node) => [node.id, factsOf(node, moment, rates, ledger?.lines)]),
  )
  const troubles = [...facts.values()].filter(({ trouble }) => trouble !== undefined).length
  const at = new Map(layout.standing.map((each) => [each.node.id, each]))
  const pipelines = [...new Set(river.nodes.map(({ pipeline }) => pipeline))]
  return (
    <section>
      <header className="head">
        <h1>{words('river')}</h1>
        <span className={troubles > 0 ? 'pill wrong' : 'pill'}>
          {troubles > 0 ? `${troubles} ${words('troubles')}` : words('everythingFlows')}
        </span>
        {ledger === undefined ? null : (
          <Link to="ledger" className={ledger.balanced ? 'pill' : 'pill wrong'}>
            {words('ledger')}: {words(ledger.balanced ? 'balanced' : 'notBalanced')}
          </Link>
        )}
        <span className="space" />
        <nav className="choices" aria-label="pipelines">
          {[undefined, ...pipelines].map((pipeline) => (
            <button
              key={pipeline ?? ''}
              type="button"
              aria-pressed={only === pipeline}
              onClick={() => setOnly(pipeline)}
            >
              {pipeline ?? words('all')}
            </button>
          ))}
        </nav>
      </header>
      <div className="river">
        <div className="bed" style={{ width: layout.width, height: layout.height }}>
          <svg width={layout.width} height={layout.height} aria-hidden="true">
            {river.edges.map(({ from, to }) => {
              const [a, b] = [at.get(from), at.get(to)]
              if (a === undefined || b === undefined) return null
              const moving = (facts.get(to)?.rate ?? 0) > 0 || (facts.get(from)?.rate ?? 0) > 0
              const [x1, y1] = [a.x + NODE_WIDTH, a.y + NODE_HEIGHT / 2]
              const [x2, y2] = [b.x, b.y + NODE_HEIGHT / 2]
              const bend = Math.max(24, (x2 - x1) / 2)
              const path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
              return (
                <g key={`${from} ${to}`}>
                  <path d={path} className="channel" />
                  {moving ? <path d={path} className="current" /> : null}
                </g>
              )
            })}
          </svg>
          {layout.lanes.map(({ pipeline, y }) => (
            <h2 key={pipeline} className="lane" style={{ top: y }}>
              {pipeline}
            </h2>
          ))}
          {layout.standing.map(({ node, x, y }) => {
            const { main, side, trouble } = facts.get(node.id)!
            return (
              <button
                key={node.id}
                type="button"
                className={`node ${node.kind}${trouble === undefined ? '' : ' wrong'}`}
                style={{ left: x, top: y, width: NODE_WIDTH, height: NODE_HEIGHT }}
                title={trouble ?? `${node.kind}: ${node.name}`}
                onClick={() => go(placeOf(node))}
              >
                <b>{node.name}</b>
                <span>
                  {main}
                  <em>{trouble === undefined ? side : trouble}</em>
                </span>
              </button>
            )
          })}
        </div>
      </div>
    </section>
  )
}

interface NodeFacts {
  readonly main: string
  readonly side: string
  readonly rate: number
  readonly trouble: string | undefined
}

function factsOf(
  node: RiverNode,
  now: Now,
  rates: ReadonlyMap<string, number>,
  ledger: readonly LedgerLine[] | undefined,
): NodeFacts {
  const line = ledger?.find((each) => each.hop === node.hop && each.pipeline === node.pipeline)
  const off = line === undefined || line.balanced ? undefined : 'ledger not balanced'
  const rate = rates.get(node.hop ?? node.id) ?? 0
  const flowing = rate >= 0.5 ? `${compact(rate)}/s` : ''
  if (node.kind === 'topic') {
    const topic = now.topics.find(({ name }) => name === node.name)
    const refused =
      topic === undefined || topic.rejected === 0 ? '' : `${compact(topic.rejected)} refused`
    return { main: compact(topic?.total ?? 0), side: flowing || refused, rate, trouble: undefined }
  }
  if (node.hop !== undefined) {
    const hop = now.hops.find((each) => each.hop === node.hop && each.pipeline === node.pipeline)
    if (hop === undefined) return { main: '', side: '', rate, trouble: off }
    const isStuck = hop.state === 'failed' || hop.state === 'retrying'
    const behind = hop.lag_records > 0 ? `${compact(hop.lag_records)} behind` : ''
    const trouble = isStuck ? (hop.reason ?? hop.state) : off
    return { main: compact(hop.rows), side: flowing || behind, rate, trouble }
  }
  if (node.task !== undefined) {
    const task = now.tasks.find(({ id }) => id === node.task)
    if (task === undefined) return { main: '', side: '', rate, trouble: undefined }
    const rows = task.facts?.rows_made ?? task.facts?.rows ?? task.facts?.rows_out
    const trouble = task.status === 'failed' ? (task.error ?? 'failed') : undefined
    const side = task.status === 'running' ? 'running' : ''
    return {
      main: typeof rows === 'number' ? compact(rows) : '',
      side,
      rate: side === '' ? 0 : 1,
      trouble,
    }
  }
  return { main: node.kind === 'door' ? 'POST' : '', side: '', rate, trouble: undefined }
}

function placeOf({ kind, id, hop, task, pipeline }: RiverNode): string {
  if (kind === 'table' || kind === 'model') return `tables/${id}`
  if (task !== undefined) return 'runs'
  if (hop !== undefined || kind === 'topic') return 'ledger'
  return `dashboards/${pipeline}`
}
