import { ModelInvalidError } from './errors.ts'

interface Node {
  readonly name: string
  readonly reads: readonly string[]
}

/**
 * Models so that each comes after those it reads; where that leaves a choice, in the order given. Pure.
 * @throws ModelInvalidError naming a circle
 */
export function inOrder<M>(models: readonly M[], nodeOf: (model: M) => Node): readonly M[] {
  const byName = new Map(models.map((model) => [nodeOf(model).name, model]))
  const ordered: M[] = []
  const done = new Set<string>()
  const visit = (model: M, trail: readonly string[]) => {
    const { name, reads } = nodeOf(model)
    const at = trail.indexOf(name)
    if (at >= 0)
      throw new ModelInvalidError(
        `Models read one another in a circle: ${[...trail.slice(at), name].join(' → ')}. Break it: one of them has to read something else.`,
      )
    if (done.has(name)) return
    for (const read of reads) {
      const next = byName.get(read)
      if (next !== undefined) visit(next, [...trail, name])
    }
    done.add(name)
    ordered.push(model)
  }
  for (const model of models) visit(model, [])
  return ordered
}
