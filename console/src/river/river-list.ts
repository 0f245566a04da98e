import type { RiverEdge as Edge, RiverNode } from '../api.ts'
import {
  depths,
  GAP_Y,
  LANE_GAP,
  LANE_HEAD,
  type Layout,
  NODE_HEIGHT,
  type Sources,
  type Standing,
  sourcesAmong,
} from './river-layout.ts'

// The river where there is no room for columns, as on a phone: one node below another, further in the further it has come. Pure.

/** Three columns would not be seen whole. */
export const NARROW_MAX_WIDTH = 560
const INDENT = 16
/** Lines come down beside the names. */
const LINE_X = 8
const BEND = 8

export function listOf(nodes: readonly RiverNode[], edges: readonly Edge[], width: number): Layout {
  const sources = sourcesAmong(edges)
  const depth = depths(nodes, sources)
  const standing: Standing[] = []
  const lanes: { pipeline: string; y: number }[] = []
  let top = 0
  for (const pipeline of new Set(nodes.map((node) => node.pipeline))) {
    lanes.push({ pipeline, y: top })
    top += LANE_HEAD
    const members = nodes.filter((node) => node.pipeline === pipeline)
    for (const node of inOrderOfFlow(members, sources)) {
      const x = depth.get(node.id)! * INDENT
      standing.push({ node, x, y: top, width: width - x })
      top += NODE_HEIGHT + GAP_Y
    }
    top += LANE_GAP - GAP_Y
  }
  const height = Math.max(0, top - LANE_GAP)
  return { standing, lanes, channels: channelsOf(standing, edges), width, height }
}

/** Each as soon as all that it comes from is there, so that what belongs together stands together. */
function inOrderOfFlow(members: readonly RiverNode[], sources: Sources): RiverNode[] {
  const among = new Set(members.map(({ id }) => id))
  const placed = new Set<string>()
  const order: RiverNode[] = []
  const isReady = ({ id }: RiverNode) =>
    !placed.has(id) && sources(id).every((from) => !among.has(from) || placed.has(from))
  const place = (node: RiverNode) => {
    placed.add(node.id)
    order.push(node)
    for (const next of members) if (sources(next.id).includes(node.id) && isReady(next)) place(next)
  }
  for (const node of members) if (isReady(node)) place(node)
  // Members of a circle, which there should not be.
  for (const node of members) if (!placed.has(node.id)) place(node)
  return order
}

function channelsOf(standing: readonly Standing[], edges: readonly Edge[]): Layout['channels'] {
  const at = new Map(standing.map((each) => [each.node.id, each]))
  return edges.flatMap(({ from, to }) => {
    const [a, b] = [at.get(from), at.get(to)]
    if (a === undefined || b === undefined) return []
    const [x, y1] = [a.x + LINE_X, a.y + NODE_HEIGHT]
    const y2 = b.y + NODE_HEIGHT / 2
    return [{ from, to, path: `M${x} ${y1}V${y2 - BEND}Q${x} ${y2} ${x + BEND} ${y2}H${b.x}` }]
  })
}
