import { memo, useEffect, useRef } from 'react'
import type { RiverEdge, RiverNode } from '../api.ts'
import { type NodeFacts, shortName } from './node-facts.ts'
import { type Layout, NODE_HEIGHT } from './river-layout.ts'

/** The nodes where they stand, and what flows between. */
export function RiverMap({
  layout,
  edges,
  facts,
  chosen,
  onChoose,
}: {
  readonly layout: Layout
  readonly edges: readonly RiverEdge[]
  readonly facts: ReadonlyMap<string, NodeFacts>
  readonly chosen: string | undefined
  readonly onChoose: (id: string) => void
}) {
  const near = chosen === undefined ? undefined : connected(chosen, edges)
  return (
    <div className="river">
      <div
        className={chosen === undefined ? 'bed' : 'bed chosen'}
        style={{ width: layout.width, height: layout.height }}
      >
        <svg width={layout.width} height={layout.height} aria-hidden="true">
          {layout.channels.map(({ from, to, path }) => (
            <Channel
              key={`${from} ${to}`}
              path={path}
              isMoving={(facts.get(to)?.rate ?? 0) >= 0.5}
              isNear={near?.has(from) === true && near.has(to)}
            />
          ))}
        </svg>
        {layout.lanes.map(({ pipeline, y }) => (
          <h2 key={pipeline} className="lane" style={{ top: y }}>
            {pipeline}
          </h2>
        ))}
        {layout.standing.map(({ node, x, y, width }) => {
          const { main, side, trouble } = facts.get(node.id)!
          return (
            <Node
              key={node.id}
              {...{ node, x, y, width, main, side, trouble, onChoose }}
              isChosen={node.id === chosen}
              isNear={near?.has(node.id) === true}
            />
          )
        })}
      </div>
    </div>
  )
}

/** Drawn anew only when it changes: of two hundred nodes few do in a second. */
const Node = memo(function Node({
  node,
  x,
  y,
  width,
  main,
  side,
  trouble,
  isChosen,
  isNear,
  onChoose,
}: {
  readonly node: RiverNode
  readonly x: number
  readonly y: number
  readonly width: number
  readonly main: string
  readonly side: string
  readonly trouble: string
  readonly isChosen: boolean
  readonly isNear: boolean
  readonly onChoose: (id: string) => void
}) {
  const ref = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (isChosen) ref.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [isChosen])
  const classes = ['node', node.kind, trouble === '' ? '' : 'wrong', isNear ? 'near' : '']
  return (
    <button
      ref={ref}
      type="button"
      className={classes.join(' ')}
      style={{ left: x, top: y, width, height: NODE_HEIGHT }}
      title={trouble || node.name}
      aria-pressed={isChosen}
      onClick={() => onChoose(node.id)}
    >
      <b>{shortName(node)}</b>
      <span>
        {main}
        <em>{trouble || side}</em>
      </span>
    </button>
  )
})

const Channel = memo(function Channel({
  path,
  isMoving,
  isNear,
}: {
  readonly path: string
  readonly isMoving: boolean
  readonly isNear: boolean
}) {
  return (
    <g className={isNear ? 'near-channel' : ''}>
      <path d={path} className="channel" />
      {isMoving ? <path d={path} className="current" /> : null}
    </g>
  )
})

/** A node with all that it comes from and all that comes from it. */
export function connected(id: string, edges: readonly RiverEdge[]): ReadonlySet<string> {
  const found = new Set([id])
  const follow = (from: 'from' | 'to', to: 'from' | 'to') => {
    const waiting = [id]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
      for (const edge of edges)
        if (edge[from] === at && !found.has(edge[to])) {
          found.add(edge[to])
          waiting.push(edge[to])
        }
  }
  follow('from', 'to')
  const behind = new Set(found)
  found.clear()
  found.add(id)
  follow('to', 'from')
  return new Set([...behind, ...found])
}
