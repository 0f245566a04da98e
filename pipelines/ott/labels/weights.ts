import type { Likeness, Shape, Trait } from './evidence.ts'

// How much each kind of evidence says, in the order of CATEGORIES: Action, Romance, Comedy, Horror, Animation, Drama, C Drama, K Drama, Sports, Music, Reality Show,
// TV Channel, News, Other. Fitted by multinomial logistic regression to the labelled searches of the half that was tuned on. They are about kinds of evidence and never about a
// word, so that no search can be read out of them.

type Weights = readonly number[]

/** What a text is that nothing else is known of. */
export const SHAPE_WEIGHTS: Readonly<Record<Shape, Weights>> = {
  'short foreign': [1, -0.8, -0.7, -0.5, 1, 1.7, -1.6, 0, -0.5, 0, -0.3, -1, -0.7, 2.2],
  'one vietnamese': [
    -0.6, -0.2, -0.4, -0.5, 0.6, 1.8, -0.9, -0.7, -0.4, -0.3, -0.6, 0.1, -0.4, 2.6,
  ],
  'one foreign': [0.5, -0.7, -1.8, 0.2, 1.1, 1.2, -0.7, 1, -0.1, 0.2, -0.2, -1.7, -0.3, 1.2],
  'two vietnamese': [0.6, 0.1, -0.8, 0, 0, 1.9, -0.1, -0.7, -0.5, -0.6, -0.5, -1, -0.3, 1.5],
  'two mixed': [0.2, 0.2, -0.8, -0.3, 0.4, 1.8, -1.1, -0.1, 0.1, 0.1, -0.4, -0.9, -0.7, 1.4],
  'two foreign': [0.5, -0.1, -0.3, -0.2, 0.6, 1.4, -0.8, -0.3, -0.7, 0.2, 0.3, -0.9, -0.1, 0.4],
  'three vietnamese': [0.6, 0.2, -0.5, 0.3, -0.1, 1.6, 0, -0.4, 0.1, -0.7, -0.6, -0.4, -0.9, 0.7],
  'three mixed': [0.4, 0.3, 0.1, -0.8, 0.7, 1, -0.4, 0, 0.1, -0.2, -0.7, -0.4, -1, 0.9],
  'three foreign': [0.4, -0.2, -0.6, 0.5, 0.7, 1.1, 0, 0.1, -0.2, -0.4, -0.5, -0.7, -0.1, -0.1],
  'four vietnamese': [0.4, 0.7, 0.3, -0.2, -0.1, 1.4, -0.2, -0.1, -0.2, -0.9, -0.4, -0.2, -0.9, 0],
  'four mixed': [0.1, -0.2, 0.1, -1.3, 1, 1, -0.4, -0.1, 0.3, -0.9, -0.7, 0.4, 0.2, 0.3],
  'four foreign': [0.3, -1, -0.1, -0.2, 0.2, 1.2, -0.6, -0.4, -0.3, 0.1, 0.5, -0.2, 0.6, -0.1],
  'more vietnamese': [0.1, 0.9, 0.5, -0.6, 0.2, 0.9, 0.1, 0.2, -0.8, -0.7, -0.8, -0.4, 0, 0.1],
  'more mixed': [0.4, -0.2, 0.5, -0.3, 0.7, 0.3, -0.5, 0, -0.4, -1.2, -0.1, -0.5, 0.9, 0.3],
  'more foreign': [0.2, -0.1, 1, -1.1, 0.1, 0.7, 0, -1.1, 0.2, 0.3, -0.6, -0.2, 0.4, 0.1],
  'one mixed': [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
}

export const TRAIT_WEIGHTS: Readonly<Record<Trait, Weights>> = {
  accents: [0.3, 0.2, 0.2, 0.1, 0.5, 0.2, 0.1, 0.1, -0.2, -0.1, -0.2, -0.9, -0.2, -0.2],
  cut: [0.3, 0.2, -0.8, 0.1, 0.1, 0.3, 0.3, 0, -0.1, -0.6, -0.5, 0.1, -0.4, 1],
  episode: [-0.8, 0.1, -0.6, -0.7, 1.2, 0.4, 0, 0.1, -0.1, -0.3, 0.1, 0, -0.4, 0.9],
  romaji: [-0.4, 0.2, -0.9, 0, 1.3, 0.4, 0.2, -0.2, 0.2, -0.6, 0.4, -0.8, -0.1, 0.4],
  korean: [1.4, -0.3, -0.2, -0.1, -0.1, -0.5, -0.4, 1, -0.2, -0.4, 0.3, -0.1, -0.2, -0.2],
  asked: [-0.1, 0.1, -1.1, 0.5, -0.8, -0.4, -0.2, -0.1, 0.6, 0.3, 0.1, -0.2, 0.4, 0.9],
}

/** For a text that is all Sino-Vietnamese, and for one all of words of daily speech. */
export const SINO_WEIGHTS: Readonly<Record<'sino' | 'daily', Weights>> = {
  sino: [-0.1, 0.1, -0.6, 0.2, 0, 0.3, 1, 0.8, -0.9, -0.2, 0.2, -0.6, -0.4, 0.2],
  daily: [-0.2, 0.3, -0.1, 0.6, 0.4, 0.1, -0.2, -0.1, -0.5, 0.2, 0.6, -0.3, -0.8, 0.1],
}

/** By what words and names speak for a category, each for its own. */
export const WORD_WEIGHTS: Readonly<Record<'names' | 'hints' | 'words' | 'letters', Weights>> = {
  names: [0.7, 0.7, 0.5, 0.8, 1, 0.4, 0.4, 1, 2.1, 1, 0.8, 1.9, 1.2, 0],
  hints: [0.9, 0.5, 0.8, 1.4, 0.7, 0.3, 0.5, 0.9, 1.3, 0.8, 0.8, 0.8, 0.5, 0],
  words: [0.6, 0.3, 0.4, 0.3, 0.5, 0.2, 0.6, 0.3, 0.3, 0.8, 0.4, 0.5, 0.4, 0],
  letters: [0.2, 0.2, 0.3, 0.3, 0.4, 0.1, 0.1, 0.5, 0.3, 0, 0.4, 0.3, 0.3, 0],
}

/** For the category of a title that a text resembles. */
export const LIKENESS_WEIGHTS: Readonly<Record<Likeness, number>> = {
  'near short': 1.2,
  near: 1.5,
  'near long': 1.1,
  'begun short': 1,
  begun: 0.8,
  'begun long': 1.1,
  'nearly begun': 0.2,
}
