import type { AggregatesPage, LiveBlock } from '../api.ts'
import { changeText, plain } from '../format.ts'
import { useBlockWords } from './words.ts'

/** Measures of a period, large, each beside the same stretch of the one before. */
export function Measures({
  block,
  page,
  said,
  onLookBack,
}: {
  readonly block: LiveBlock & { readonly kind: 'measures' }
  readonly page: AggregatesPage | undefined
  readonly said: (text: string) => string
  /** Look at the period of the newest row instead; `undefined` when that is what is shown. */
  readonly onLookBack: (() => void) | undefined
}) {
  const words = useBlockWords()
  const values = Object.values(page?.measures ?? {})
  const isQuiet =
    page !== undefined && values.every((each) => each.value === 0 && each.previous_whole === 0)
  const hasMore = Object.values(page?.totals ?? {}).some((total) => total > 0)
  return (
    <>
      <div className="measures">
        {block.measures.map(({ name, title }) => {
          const measure = page?.measures[name]
          return (
            <article key={name} className="card">
              <h3>{said(title)}</h3>
              {/* A new value begins anew, so that its arrival is seen. */}
              <p key={measure?.value} className="big arrived">
                {measure === undefined ? '…' : plain(measure.value)}
                {measure === undefined || measure.change === null ? null : (
                  <small>{changeText(measure.change)}</small>
                )}
              </p>
              {page === undefined || measure === undefined ? null : (
                <p className="beside">
                  {measure.previous === 0 && measure.previous_whole === 0 ? (
                    words('fresh')
                  ) : (
                    <>
                      <b>{plain(measure.previous)}</b> {words(`than_${page.period}`)}
                      <br />
                      <b>{plain(measure.previous_whole)}</b> {words(`whole_${page.period}`)}
                    </>
                  )}
                  <br />
                  <b>{plain(page.totals[name] ?? 0)}</b> {words('ever')}
                </p>
              )}
            </article>
          )
        })}
      </div>
      {isQuiet && hasMore && onLookBack !== undefined ? (
        <p className="hint">
          {words('quiet')}{' '}
          <button type="button" onClick={onLookBack}>
            {words('lookThere')}
          </button>
        </p>
      ) : null}
    </>
  )
}
