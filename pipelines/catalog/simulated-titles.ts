// Films, series and people that nobody made, in the shape of TMDB's details.

type Random = () => number

const GENRES = [
  [18, 'Drama'],
  [35, 'Comedy'],
  [28, 'Action'],
  [878, 'Science Fiction'],
  [53, 'Thriller'],
  [10751, 'Family'],
  [99, 'Documentary'],
] as const
const WHO = [
  'a ferryman',
  'two sisters',
  'a retired judge',
  'a young cartographer',
  'a village choir',
  'an astronaut',
  'a chess prodigy',
  'a night nurse',
  'a smuggler',
  'the last lighthouse keeper',
]
const FINDS = [
  'finds a map of a river that does not exist',
  'receives a letter from the future',
  'must cross the delta before the flood',
  'learns that the town has been sold',
  'wakes up in the wrong decade',
  'is accused of a theft on the night train',
  'builds a machine that remembers dreams',
  'hides a stranger during the storm',
]
const AND_THEN = [
  'and has three days to set it right',
  'while an old rival closes in',
  'and falls in love on the way',
  'but nobody believes a word',
  'and discovers who the real enemy is',
  'with the help of a stubborn dog',
]
const FIRST = [
  'Silent',
  'Golden',
  'Last',
  'Burning',
  'Hidden',
  'Northern',
  'Paper',
  'Broken',
  'Crimson',
  'Distant',
]
const SECOND = [
  'River',
  'Harbour',
  'Orchard',
  'Signal',
  'Empire',
  'Winter',
  'Monsoon',
  'Bridge',
  'Garden',
  'Tide',
]
const GIVEN = [
  'Linh',
  'Mara',
  'Tomas',
  'Aiko',
  'Jules',
  'Nadia',
  'Oscar',
  'Priya',
  'Sami',
  'Ines',
  'Viktor',
  'Thu',
]
const FAMILY = [
  'Nguyen',
  'Berger',
  'Okafor',
  'Santos',
  'Lindqvist',
  'Moreau',
  'Tanaka',
  'Rossi',
  'Haddad',
  'Novak',
]
const JOBS = [
  ['Directing', 'Director'],
  ['Writing', 'Screenplay'],
  ['Production', 'Producer'],
] as const

const one = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!
const rounded = (value: number, digits: number) => Number(value.toFixed(digits))

function title(random: Random) {
  const sentence = `${one(random, WHO)} ${one(random, FINDS)} ${one(random, AND_THEN)}.`
  return {
    name: `The ${one(random, FIRST)} ${one(random, SECOND)}${random() < 0.3 ? ` ${2 + Math.floor(random() * 3)}` : ''}`,
    overview: sentence[0]!.toUpperCase() + sentence.slice(1),
    popularity: rounded(random() ** 3 * 100, 3),
    vote_average: rounded(4 + random() * 5, 1),
    vote_count: Math.floor(random() ** 2 * 20_000),
    genres: [...new Set([one(random, GENRES), one(random, GENRES)])].map(([id, name]) => ({
      id,
      name,
    })),
    production_countries: [{ iso_3166_1: 'VN', name: 'Vietnam' }],
    original_language: 'en',
    day: `${1960 + Math.floor(random() * 66)}-${String(1 + Math.floor(random() * 12)).padStart(2, '0')}-15`,
  }
}

function credits(random: Random, person: () => number) {
  const credit = () =>
    Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0')
      .padStart(24, '5')
  return {
    casts_info: Array.from({ length: 2 + Math.floor(random() * 4) }, (_, index) => ({
      person_id: person(),
      known_for_department: 'Acting',
      cast_id: index + 1,
      character: `${one(random, GIVEN)}`,
      credit_id: credit(),
    })),
    crews_info: JOBS.slice(0, 1 + Math.floor(random() * 3)).map(([department, job]) => ({
      person_id: person(),
      known_for_department: department,
      department,
      job,
      credit_id: credit(),
    })),
  }
}

export function someMovie(random: Random, person: () => number) {
  const { name, day, ...rest } = title(random)
  return {
    ...rest,
    title: name,
    original_title: name,
    release_date: day,
    tagline: random() < 0.5 ? `It begins with a ${one(random, SECOND).toLowerCase()}.` : '',
    runtime: 80 + Math.floor(random() * 70),
    status: 'Released',
    belongs_to_collection: random() < 0.1 ? { id: 7, name: 'The Delta Collection' } : null,
    credits: credits(random, person),
  }
}

export function someSeries(random: Random, person: () => number) {
  const { name, day, ...rest } = title(random)
  return {
    ...rest,
    name,
    original_name: name,
    first_air_date: day,
    tagline: '',
    status: random() < 0.5 ? 'Returning Series' : 'Ended',
    number_of_seasons: 1 + Math.floor(random() * 8),
    credits: credits(random, person),
  }
}

export function somePerson(random: Random) {
  const name = `${one(random, GIVEN)} ${one(random, FAMILY)}`
  return {
    name,
    gender: Math.floor(random() * 3),
    also_known_as: random() < 0.2 ? [`${name} Jr.`] : [],
    biography: random() < 0.5 ? `${name} grew up by the river.` : '',
    birthday: `${1930 + Math.floor(random() * 75)}-06-01`,
    deathday: null,
    place_of_birth: 'Can Tho, Vietnam',
    known_for_department: random() < 0.7 ? 'Acting' : 'Directing',
    popularity: rounded(random() ** 3 * 60, 3),
  }
}
