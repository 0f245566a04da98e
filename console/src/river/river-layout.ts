import type { RiverEdge as Edge, RiverNode } from '../api.ts'

// Where the nodes of the river stand: pipelines below one another, in each the columns in which records come by. Pure.

export interface Standing {
  readonly node: RiverNode
  readonly x: number
  readonly y: number
  readonly width: number
}

export interface Layout {
  readonly standing: readonly Standing[]
  readonly lanes: readonly { readonly pipeline: string; readonly y: number }[]
  /** What joins the nodes, as SVG paths. */
  readonly channels: readonly (Edge & { readonly path: string })[]
  readonly width: number
  readonly height: number
}

/** Six columns are seen whole on a screen of 1440 px. */
const NODE_WIDTH = 172
export const NODE_HEIGHT = 54
const GAP_X = 36
export const GAP_Y = 12
export const LANE_GAP = 44
/** What the name of a lane takes. */
export const LANE_HEAD = 26

export function layoutOf(nodes: readonly RiverNode[], edges: readonly Edge[]): Layout {
  const sources = sourcesAmong(edges)
  const depth = depths(nodes, sources)
  const standing: Standing[] = []
  const lanes: { pipeline: string; y: number }[] = []
  let top = 0
  for (const pipeline of new Set(nodes.map((node) => node.pipeline))) {
    lanes.push({ pipeline, y: top })
    top += LANE_HEAD
    const columns = Map.groupBy(
      nodes.filter((node) => node.pipeline === pipeline),
      ({ id }) => depth.get(id)!,
    )
    const rows = Math.max(...[...columns.values()].map((column) => column.length))
    const laneHeight = rows * (NODE_HEIGHT + GAP_Y) - GAP_Y
    const placed = new Map<string, number>()
    for (const [column, members] of [...columns].sort(([a], [b]) => a - b)) {
      // Near what they come from, so that few lines cross.
      const wanted = members
        .map((node) => ({ node, at: meanOf(sources(node.id), placed) }))
        .sort((a, b) => a.at - b.at)
      const used = members.length * (NODE_HEIGHT + GAP_Y) - GAP_Y
      for (const [row, { node }] of wanted.entries()) {
        const y = top + (laneHeight - used) / 2 + row * (NODE_HEIGHT + GAP_Y)
        placed.set(node.id, y)
        standing.push({ node, x: column * (NODE_WIDTH + GAP_X), y, width: NODE_WIDTH })
      }
    }
    top += laneHeight + LANE_GAP
  }
  const width = Math.max(0, ...standing.map(({ x }) => x + NODE_WIDTH))
  return {
    standing,
    lanes,
    channels: channelsOf(standing, edges),
    width,
    height: Math.max(0, top - LANE_GAP),
  }
}

export type Sources = (id: string) => readonly string[]

/** What each node comes from. */
export function sourcesAmong(edges: readonly Edge[]): Sources {
  const sources = Map.groupBy(edges, ({ to }) => to)
  return (id) => (sources.get(id) ?? []).map(({ from }) => from)
}

function channelsOf(standing: readonly Standing[], edges: readonly Edge[]): Layout['channels'] {
  const at = new Map(standing.map((each) => [each.node.id, each]))
  return edges.flatMap(({ from, to }) => {
    const [a, b] = [at.get(from), at.get(to)]
    if (a === undefined || b === undefined) return []
    const [x1, y1] = [a.x + a.width, a.y + NODE_HEIGHT / 2]
    const [x2, y2] = [b.x, b.y + NODE_HEIGHT / 2]
    const bend = Math.max(24, (x2 - x1) / 2)
    const path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
    return [{ from, to, path }]
  })
}

function meanOf(ids: readonly string[], placed: ReadonlyMap<string, number>): number {
  const known = ids.map((id) => placed.get(id)).filter((y) => y !== undefined)
  return known.length === 0 ? 0 : known.reduce((sum, y) => sum + y, 0) / known.length
}

/** The longest way to each node; a circle, which there should not be, counts once. */
export function depths(nodes: readonly RiverNode[], sources: Sources): Map<string, number> {
  const depth = new Map<string, number>()
  const visiting = new Set<string>()
  const visit = (id: string): number => {
    const known = depth.get(id)
    if (known !== undefined) return known
    if (visiting.has(id)) return 0
    visiting.add(id)
    const found = Math.max(0, ...sources(id).map((from) => visit(from) + 1))
    depth.set(id, found)
    return found
  }
  for (const { id } of nodes) visit(id)
  return depth
}
