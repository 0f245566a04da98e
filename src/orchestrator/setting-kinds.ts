// What a setting can be. See `settings.ts`.

interface SettingFacts<T> {
  readonly variable: string
  readonly doc: string
  readonly default: T
  readonly example?: string
  /** Never printed. */
  readonly secret?: true
}

export interface IntegerSetting extends SettingFacts<number> {
  readonly kind: 'integer'
  readonly unit?: string
  readonly min: number
  readonly max: number
}
interface TextSetting<D extends string | undefined = string | undefined> extends SettingFacts<D> {
  readonly kind: 'text'
}
export interface ChoiceSetting<C extends string> extends SettingFacts<C> {
  readonly kind: 'choice'
  readonly choices: readonly C[]
}
export type Setting = IntegerSetting | TextSetting | ChoiceSetting<string>

export const integer = (facts: Omit<IntegerSetting, 'kind'>): IntegerSetting => ({
  kind: 'integer',
  ...facts,
})
export const text = <const D extends string | undefined>(
  facts: Omit<TextSetting<D>, 'kind'>,
): TextSetting<D> => ({ kind: 'text', ...facts })
export const choice = <const C extends string>(
  facts: Omit<ChoiceSetting<C>, 'kind'>,
): ChoiceSetting<C> => ({
  kind: 'choice',
  ...facts,
})
