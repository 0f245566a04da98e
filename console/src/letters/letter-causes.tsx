import { compact } from '../format.ts'
import { Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { type Cause, isOf, type LetterCount, placeOfCause } from './letter.ts'

/** Why letters died, by pipeline, with how many there are. */
export function LetterCauses({
  counts,
  cause,
  status,
}: {
  readonly counts: readonly LetterCount[]
  readonly cause: Cause
  readonly status: string | undefined
}) {
  const words = useWords()
  const byPipeline = Map.groupBy(counts, ({ pipeline }) => pipeline)
  return (
    <nav className="causes" aria-label={words('reason')}>
      <Link to={placeOfCause({}, status)} current={Object.keys(cause).length === 0}>
        <span>{words('allLetters')}</span>
        <b>{compact(sum(counts))}</b>
      </Link>
      {[...byPipeline].map(([pipeline, ofPipeline]) => (
        <section key={pipeline}>
          <h2>
            <Link
              to={placeOfCause({ pipeline }, status)}
              current={cause.pipeline === pipeline && cause.hop === undefined}
            >
              <span>{pipeline}</span>
              <b>{compact(sum(ofPipeline))}</b>
            </Link>
          </h2>
          {[...Map.groupBy(ofPipeline, ({ hop, reason }) => `${hop} ${reason}`).values()].map(
            (same) => {
              const { hop, reason } = same[0]!
              const own = { pipeline, hop, reason }
              const isCurrent = cause.reason !== undefined && isOf(cause, own)
              return (
                <Link key={`${hop} ${reason}`} to={placeOfCause(own, status)} current={isCurrent}>
                  <span>
                    {reason} <small>{hop}</small>
                  </span>
                  <b>{compact(sum(same))}</b>
                </Link>
              )
            },
          )}
        </section>
      ))}
    </nav>
  )
}

export const sum = (counts: readonly LetterCount[]): number =>
  counts.reduce((total, { letters }) => total + letters, 0)
