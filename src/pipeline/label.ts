/** How `p.label` is written: texts and one label out of a closed list for each, from a model or, where there is none, from rules. */
export interface LabelOptions {
  /** A SELECT over tables that yields the texts to label in the column `keyword`, as they are to be compared: each once, none null. */
  readonly sql: URL
  /** The tables that the SELECT reads; while one of them is not there, there is nothing to label. */
  readonly reads: readonly string[]
  readonly labels: readonly string[]
  /** A file with the rules for the model. */
  readonly prompt: URL
  /** Name of the prompt's wording: labels that another one gave are asked again. */
  readonly promptVersion: string
  /** The built-in rules, for homes without a model. Deterministic. */
  readonly rules: (keyword: string) => string
  /** Name of the rules' wording. */
  readonly rulesVersion: string
  readonly tags?: readonly string[]
}

/** A table of labels, as planned. */
export interface LabelPlan extends LabelOptions {
  /** `layer.name` of the table that keeps them, by keyword. */
  readonly name: string
  readonly tags: readonly string[]
}

type Report = (where: string, what: string, fix: string) => void

export function checkLabel({ name, labels }: LabelPlan, report: Report): void {
  const where = `label ${name}`
  if (!/^(silver|gold)\.[a-z][a-z0-9_]*$/.test(name))
    report(where, 'is no table name', 'Use layer.name in snake_case, the layer silver or gold')
  if (labels.length < 2 || new Set(labels).size !== labels.length)
    report(where, 'has no list of labels to choose from', 'Name at least two, each once')
}
