import type { LoaderPlan } from 'mekong'

/** An hour of GH Archive: one event a line, sent as it is. Events carry their own id, so loading a file twice adds nothing. */
export const archive: LoaderPlan = {
  description: 'Hours of GH Archive (.json or .json.gz), one event a line',
  path: '/collect',
  format: 'json',
  matches: /\.json(\.gz)?$/,
}
