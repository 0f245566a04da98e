import { messageOf } from '../../model/errors.ts'

/** What one check of `mekong doctor` found. Never holds a secret. */
export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail'
  /** What was found, in one line. */
  readonly message: string
  /** What to do about it. */
  readonly todo?: string
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message })
export const warn = (check: string, message: string, todo: string): Finding => ({
  ...{ check, status: 'warn', message, todo },
})
export const fail = (check: string, message: string, todo: string): Finding => ({
  ...{ check, status: 'fail', message, todo },
})

/** A check that throws has failed, for the reason it throws. */
export async function finding(
  check: string,
  todo: string,
  look: () => Promise<Finding>,
): Promise<Finding> {
  try {
    return await look()
  } catch (error) {
    return fail(check, messageOf(error), todo)
  }
}
