// What the catalog's routes answer.

export type TitleType = 'movie' | 'tv_series'

export interface TitleLine {
  readonly id: number
  readonly type: TitleType
  readonly title: string | null
  readonly year: number | null
  readonly genres: readonly string[]
  readonly overview: string | null
}

export interface FoundTitle extends TitleLine {
  readonly score: number
  readonly explain: Explanation
}

export interface Explanation {
  readonly words: readonly {
    readonly word: string
    readonly found: string
    readonly how: 'same' | 'form' | 'alike'
    readonly in: readonly ('title' | 'overview' | 'genres' | 'tagline')[]
  }[]
  readonly missing: readonly string[]
  readonly by_words: Way | null
  readonly by_meaning: Way | null
}

export interface Way {
  readonly rank: number
  readonly score: number
  /** Of the whole score. */
  readonly share: number
}

export interface PersonLine {
  readonly id: number
  readonly name: string | null
  readonly known_for_department: string | null
  readonly credits: number
}

export interface Credit {
  readonly person_id: number
  readonly name: string | null
  readonly character?: string | null
  readonly job?: string | null
}

export interface Title {
  readonly type: TitleType
  readonly id: number
  readonly title?: string | null
  readonly name?: string | null
  readonly tagline: string | null
  readonly overview: string | null
  readonly release_date?: string | null
  readonly first_air_date?: string | null
  readonly vote_average: number | null
  readonly vote_count: number | null
  readonly runtime?: number | null
  readonly number_of_seasons?: number | null
  readonly status: string | null
  readonly genres: readonly { readonly name: string | null }[] | null
  readonly production_countries: readonly { readonly name: string | null }[] | null
  readonly embedding_text: string | null
  readonly cast: readonly Credit[]
  readonly crew: readonly Credit[]
}

export interface Person {
  readonly id: number
  readonly name: string | null
  readonly biography: string | null
  readonly birthday: string | null
  readonly deathday: string | null
  readonly place_of_birth: string | null
  readonly known_for_department: string | null
  readonly also_known_as: readonly string[] | null
  readonly credits: readonly {
    readonly type: TitleType
    readonly id: number
    readonly title: string | null
    readonly date: string | null
    readonly credit: 'cast' | 'crew'
    readonly role: string | null
  }[]
}

export interface AroundAnswer {
  readonly person: { readonly id: number; readonly name: string | null }
  readonly titles: readonly {
    readonly type: TitleType
    readonly id: number
    readonly title: string | null
    readonly date: string | null
    readonly roles: readonly string[]
  }[]
  readonly people: readonly {
    readonly id: number
    readonly name: string | null
    readonly titles: readonly number[]
  }[]
  readonly counts: { readonly titles: number; readonly people: number }
}

export interface PathAnswer {
  readonly steps: number | null
  readonly path: readonly {
    readonly person?: { readonly id: number; readonly name: string | null }
    readonly title?: {
      readonly type: TitleType
      readonly id: number
      readonly title: string | null
    }
  }[]
}

export interface AskAnswer {
  readonly question: string
  readonly answer: string | null
  readonly problem: string | null
  readonly passages: readonly (TitleLine & { readonly n: number; readonly text: string })[]
}

export const titlePlace = ({ type, id }: { readonly type: TitleType; readonly id: number }) =>
  `catalog/title/${type}/${id}`
export const personPlace = (id: number) => `catalog/person/${id}`
