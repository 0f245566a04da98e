import { useWords } from '../text.ts'

export interface Schedule {
  readonly id: string
  readonly pipeline: string
  readonly cron: string
  readonly zone: string
  readonly run: readonly string[]
  readonly catch_up: string
  readonly next: readonly string[]
}

/** `in 3 h`: when something will be. */
export function useUntil(): (instant: string) => string {
  const words = useWords()
  return (instant) => {
    const minutes = Math.max(0, Math.round((Date.parse(instant) - Date.now()) / 60_000))
    const text =
      minutes < 120
        ? `${minutes} min`
        : minutes < 2_880
          ? `${Math.round(minutes / 60)} h`
          : `${Math.round(minutes / 1_440)} d`
    return `${words('dueIn')} ${text}`
  }
}
