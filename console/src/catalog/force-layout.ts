// Where the nodes of a small graph stand around the one in the middle: on two rings, near what they belong to; then they push one another away,
// edges pull, and labels keep clear. Pure, and the same every time.

export interface ForceNode {
  readonly id: string
  /** 0 is the middle; 1 are its neighbours; 2 are theirs. */
  readonly ring: 0 | 1 | 2
  /** Of the label below it, in pixels. */
  readonly labelWidth: number
  readonly size: number
}

export interface ForceEdge {
  readonly from: string
  readonly to: string
}

export interface ForceOptions {
  readonly width: number
  readonly height: number
}

const ROUNDS = 220
const PUSH = 900
const PULL = 0.012
/** How strongly a node stays where its ring put it. */
const STAY = 0.03
const LABEL_HEIGHT = 30
/** Of the picture's half width and height. */
const RING = [0, 0.44, 0.86] as const

interface Body extends ForceNode {
  x: number
  y: number
  readonly home: { readonly x: number; readonly y: number }
}

/** @returns places by id, within the picture */
export function forceLayout(
  nodes: readonly ForceNode[],
  edges: readonly ForceEdge[],
  { width, height }: ForceOptions,
): ReadonlyMap<string, { readonly x: number; readonly y: number }> {
  const angles = anglesOf(nodes, edges)
  const bodies: Body[] = nodes.map((node) => {
    const angle = angles.get(node.id) ?? 0
    const home = {
      x: width / 2 + (Math.cos(angle) * RING[node.ring] * width) / 2,
      y: height / 2 + (Math.sin(angle) * RING[node.ring] * height) / 2,
    }
    return { ...node, ...home, home }
  })
  const byId = new Map(bodies.map((body) => [body.id, body]))
  for (let round = 0; round < ROUNDS; round += 1) {
    pushApart(bodies, 1 - round / ROUNDS)
    for (const { from, to } of edges) pullTogether(byId.get(from)!, byId.get(to)!)
    for (const body of bodies) {
      body.x += (body.home.x - body.x) * STAY
      body.y += (body.home.y - body.y) * STAY
    }
    keepLabelsClear(bodies)
    for (const body of bodies) {
      if (body.ring === 0) [body.x, body.y] = [body.home.x, body.home.y]
      keepInside(body, width, height)
    }
  }
  return new Map(bodies.map(({ id, x, y }) => [id, { x, y }]))
}

/** Directions from the middle: the inner ring evenly, the outer ring evenly too, in the order of what each belongs to. */
function anglesOf(
  nodes: readonly ForceNode[],
  edges: readonly ForceEdge[],
): ReadonlyMap<string, number> {
  const evenly = (ids: readonly string[], turn: number) =>
    ids.map((id, index) => [id, turn + (index / ids.length) * 2 * Math.PI] as const)
  const inner = new Map(
    evenly(
      nodes.filter(({ ring }) => ring === 1).map(({ id }) => id),
      -Math.PI / 2,
    ),
  )
  const outer = nodes
    .filter(({ ring }) => ring === 2)
    .map(({ id }) => {
      const near = edges.flatMap(({ from, to }) => (to === id ? [inner.get(from) ?? 0] : []))
      return { id, angle: meanAngle(near) }
    })
    .sort((a, b) => a.angle - b.angle)
  // Turned so that, all in all, each stands outside of what it belongs to.
  const turn = meanAngle(
    outer.map(({ angle }, index) => angle - (index / outer.length) * 2 * Math.PI),
  )
  return new Map([
    ...inner,
    ...evenly(
      outer.map(({ id }) => id),
      turn,
    ),
  ])
}

function meanAngle(angles: readonly number[]): number {
  const sum = (of: (angle: number) => number) => angles.reduce((all, angle) => all + of(angle), 0)
  return Math.atan2(sum(Math.sin), sum(Math.cos))
}

function pushApart(bodies: readonly Body[], heat: number): void {
  for (const [index, a] of bodies.entries()) {
    for (const b of bodies.slice(index + 1)) {
      const [dx, dy] = [b.x - a.x, b.y - a.y]
      const square = Math.max(100, dx * dx + dy * dy)
      const far = Math.sqrt(square)
      const force = Math.min(14, (PUSH / square) * heat)
      a.x -= (dx / far) * force
      a.y -= (dy / far) * force
      b.x += (dx / far) * force
      b.y += (dy / far) * force
    }
  }
}

function pullTogether(a: Body, b: Body): void {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  a.x += dx * PULL
  a.y += dy * PULL
  b.x -= dx * PULL
  b.y -= dy * PULL
}

/** Boxes of node and label that overlap are moved apart along the shorter way. */
function keepLabelsClear(bodies: readonly Body[]): void {
  for (const [index, a] of bodies.entries()) {
    for (const b of bodies.slice(index + 1)) {
      const overlapX = (a.labelWidth + b.labelWidth) / 2 + 6 - Math.abs(b.x - a.x)
      const overlapY = LABEL_HEIGHT + (a.size + b.size) / 4 - Math.abs(b.y - a.y)
      if (overlapX <= 0 || overlapY <= 0) continue
      if (overlapX < overlapY) {
        const by = (overlapX / 2) * (b.x < a.x ? -1 : 1)
        a.x -= by
        b.x += by
      } else {
        const by = (overlapY / 2) * (b.y < a.y ? -1 : 1)
        a.y -= by
        b.y += by
      }
    }
  }
}

function keepInside(body: Body, width: number, height: number): void {
  const side = Math.max(body.size, body.labelWidth / 2) + 8
  body.x = Math.min(width - side, Math.max(side, body.x))
  body.y = Math.min(height - body.size - 22, Math.max(body.size + 4, body.y))
}
