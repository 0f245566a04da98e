import { fixed } from '../format.ts'
import type { Explanation, FoundTitle, Way } from './answers.ts'
import { useCatalogWords } from './words.ts'

/** Why a title was found: what each way of searching gave, and which words stand where. */
export function Explained({ title, most }: { readonly title: FoundTitle; readonly most: number }) {
  const words = useCatalogWords()
  const { by_words, by_meaning, ...found } = title.explain
  return (
    <div className="explained">
      <dl>
        <dt>{words('byWords')}</dt>
        <Share way={by_words} most={most} tone="t0" unit={words('score')} />
        <dt>{words('byMeaning')}</dt>
        <Share way={by_meaning} most={most} tone="t1" unit={words('cosine')} />
      </dl>
      <MatchedWords {...found} />
    </div>
  )
}

function Share({
  way,
  most,
  tone,
  unit,
}: {
  readonly way: Way | null
  readonly most: number
  readonly tone: string
  readonly unit: string
}) {
  const words = useCatalogWords()
  return (
    <dd className={`tone ${tone}`}>
      <i style={{ width: `${((way?.share ?? 0) / most) * 100}%` }} />
      <span>
        {way === null
          ? words('notIn')
          : `${words('place')} ${way.rank}, ${unit} ${fixed(way.score, 2)}`}
      </span>
    </dd>
  )
}

function MatchedWords({ words: matched, missing }: Pick<Explanation, 'words' | 'missing'>) {
  const words = useCatalogWords()
  if (matched.length + missing.length === 0) return null
  return (
    <ul className="matched">
      {matched.map(({ word, found, how, in: places }) => (
        <li key={word} className={how}>
          <b>{found}</b>{' '}
          {how === 'same' ? null : (
            <>
              {words(how === 'form' ? 'form' : 'alike')} “{word}”{' '}
            </>
          )}
          <small>{places.map((place) => words(`in_${place}`)).join(', ')}</small>
        </li>
      ))}
      {missing.map((word) => (
        <li key={word} className="missing">
          <s>{word}</s> <small>{words('missing')}</small>
        </li>
      ))}
    </ul>
  )
}
