import { isDayText, type SqlModel, WINDOW_DAYS_MAX } from '../model/sql-model.ts'
import type { PipelinePlan } from './plan.ts'

// What a home may say otherwise about a model, without a change of the pipeline: values that its SQL asks for with `parameter('name')`, and the length and the last
// day of a window. They are part of what a model is: another value makes it anew.

/** Plans with the values that somebody gave, and what is wrong with those. */
export interface Parameterized {
  readonly plans: readonly PipelinePlan[]
  readonly problems: readonly string[]
}

/** Names of the parameters that every window has: its length, and the day that it ends with. */
const DAYS = 'days'
const LAST_DAY = 'last_day'

/** `said` is `layer.model.name=value`, separated by commas. Pure. */
export function withParameters(plans: readonly PipelinePlan[], said: string): Parameterized {
  const problems: string[] = []
  const values = new Map<string, string>()
  for (const part of said.split(',').filter((text) => text.trim() !== '')) {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? []
    if (name === undefined || value === undefined || value === '')
      problems.push(`"${part.trim()}" is no layer.model.name=value`)
    else values.set(name, value)
  }
  const known = new Set(plans.flatMap((plan) => plan.models.flatMap(namesOf)))
  for (const name of values.keys())
    if (!known.has(name))
      problems.push(
        `${name} is no parameter of a model; there are ${[...known].sort().join(', ') || 'none'}`,
      )
  const given = (model: SqlModel, name: string) => values.get(`${model.name}.${name}`)
  const changed = (model: SqlModel): SqlModel => {
    const { materialize, parameters } = model
    const own = Object.entries(parameters).map(([name, value]) => [
      name,
      given(model, name) ?? value,
    ])
    const days = given(model, DAYS)
    if (
      days !== undefined &&
      !(Number(days) >= 1 && Number(days) <= WINDOW_DAYS_MAX && /^\d+$/.test(days))
    )
      problems.push(`${model.name}.${DAYS} is no whole number from 1 to ${WINDOW_DAYS_MAX}`)
    const lastDay = given(model, LAST_DAY)
    if (lastDay !== undefined && !isDayText(lastDay))
      problems.push(`${model.name}.${LAST_DAY} is no day such as 2022-04-30`)
    return {
      ...model,
      parameters: Object.fromEntries(own),
      materialize:
        materialize.kind === 'window'
          ? {
              ...materialize,
              ...(days === undefined ? {} : { days: Number(days) }),
              ...(lastDay === undefined ? {} : { lastDay }),
            }
          : materialize,
    }
  }
  return { plans: plans.map((plan) => ({ ...plan, models: plan.models.map(changed) })), problems }
}

const namesOf = ({ name, parameters, materialize }: SqlModel) =>
  [...Object.keys(parameters), ...(materialize.kind === 'window' ? [DAYS, LAST_DAY] : [])].map(
    (parameter) => `${name}.${parameter}`,
  )
