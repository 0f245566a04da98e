import { ACTION } from './known/action.ts'
import { ANIMATION } from './known/animation.ts'
import { C_DRAMA } from './known/c-drama.ts'
import { COMEDY } from './known/comedy.ts'
import { DRAMA } from './known/drama.ts'
import { HORROR } from './known/horror.ts'
import { K_DRAMA } from './known/k-drama.ts'
import { MUSIC } from './known/music.ts'
import { NEWS } from './known/news.ts'
import { REALITY_SHOW } from './known/reality-show.ts'
import { ROMANCE } from './known/romance.ts'
import { SPORTS } from './known/sports.ts'
import { TV_CHANNEL } from './known/tv-channel.ts'
import type { Category } from './lexicon.ts'

/**
 * What somebody who watches television in Vietnam knows by name. Written down from general knowledge of the world, never from a list of searches:
 * not every one of them was ever searched for. A name that two categories have belongs to the first.
 */
export const KNOWN_TITLES: readonly (readonly [Category, readonly string[]])[] = [
  ['TV Channel', TV_CHANNEL],
  ['K Drama', K_DRAMA],
  ['C Drama', C_DRAMA],
  ['Reality Show', REALITY_SHOW],
  ['Sports', SPORTS],
  ['Animation', ANIMATION],
  ['Horror', HORROR],
  ['Comedy', COMEDY],
  ['Romance', ROMANCE],
  ['Drama', DRAMA],
  ['Action', ACTION],
  ['Music', MUSIC],
  ['News', NEWS],
]
