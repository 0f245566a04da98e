import { useState } from 'react'
import type { AggregatesPage, DashboardWords, Grain, LiveBlock, Period } from '../api.ts'
import { Stack } from '../charts/stack.tsx'
import { Choices } from '../choices.tsx'
import { useLanguage } from '../text.ts'
import { usePushed } from '../use-pushed.ts'
import { Find } from './find.tsx'
import './live-blocks.css'
import { Measures } from './measures.tsx'
import { Sparklines } from './sparklines.tsx'
import { useBlockWords } from './words.ts'

const PERIODS: readonly Period[] = ['hour', 'day', 'week', 'month']
const GRAINS: readonly Grain[] = ['minute', 'hour', 'day']
/** As many columns as can be told apart. */
const STEPS: Readonly<Record<Grain, number>> = { minute: 60, hour: 48, day: 30 }

/** The texts of a dashboard in the language of the page. */
export function useSaid(words: DashboardWords): (text: string) => string {
  const language = useLanguage()
  return (text) => words[language]?.[text] ?? text
}

/** What a dashboard pushes: one stream for each of the aggregates that it shows. */
export function LiveBlocks({
  live,
  words,
}: {
  readonly live: readonly LiveBlock[]
  readonly words: DashboardWords
}) {
  const said = useSaid(words)
  const names = [
    ...new Set(live.flatMap((block) => ('aggregates' in block ? [block.aggregates] : []))),
  ]
  return (
    <div className="live-blocks">
      {names.map((name) => (
        <Aggregates key={name} name={name} live={live} said={said} />
      ))}
      {live.map((block) =>
        block.kind === 'sparklines' ? (
          <Sparklines key={block.title} block={block} said={said} />
        ) : block.kind === 'find' ? (
          <Find key={block.title} block={block} said={said} />
        ) : null,
      )}
    </div>
  )
}

interface AggregatesProps {
  readonly name: string
  readonly live: readonly LiveBlock[]
  readonly said: (text: string) => string
}

function Aggregates({ name, live, said }: AggregatesProps) {
  const words = useBlockWords()
  const [period, setPeriod] = useState<Period>('day')
  const [grain, setGrain] = useState<Grain>('hour')
  const [at, setAt] = useState<'now' | 'latest'>('now')
  const own = live.filter((block) => 'aggregates' in block && block.aggregates === name)
  const series = own.flatMap((block) => (block.kind === 'series' ? [block] : []))
  const query = new URLSearchParams({
    period,
    grain,
    steps: String(STEPS[grain]),
    series: series.map((block) => block.series).join(','),
    top: String(Math.max(1, ...series.map(({ top }) => top))),
    ...(at === 'latest' ? { at } : {}),
  })
  const { answer: page, problem } = usePushed<AggregatesPage>(
    `/v1/aggregates/${name}/live?${query}`,
    'page',
  )
  return (
    <>
      <div className="row controls">
        <Choices
          label={words('period')}
          all={PERIODS}
          chosen={period}
          text={words}
          onChoose={setPeriod}
        />
        <span className="row">
          <span className="faint">{words('asOf')}</span>
          <Choices
            label={words('asOf')}
            all={['now', 'latest'] as const}
            chosen={at}
            text={(each) => words(each === 'now' ? 'now' : 'newest')}
            onChoose={setAt}
          />
        </span>
      </div>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {own.map((block) =>
        block.kind === 'measures' ? (
          <Measures
            key={block.measures.map((measure) => measure.name).join()}
            block={block}
            page={page}
            said={said}
            onLookBack={at === 'now' ? () => setAt('latest') : undefined}
          />
        ) : null,
      )}
      {series.map((block) => {
        const answer = page?.series[block.series]
        return (
          <article key={block.series} className="card reserved">
            <h3>
              {said(block.title)}
              <Choices
                label={words('steps')}
                all={GRAINS}
                chosen={grain}
                text={(each) =>
                  words(each === 'minute' ? 'minute' : each === 'hour' ? 'hours' : 'days')
                }
                onChoose={setGrain}
              />
            </h3>
            {block.about === undefined ? null : <p className="faint">{said(block.about)}</p>}
            {answer === undefined ? null : answer.lines.length === 0 ? (
              <p className="empty">{words('noValues')}</p>
            ) : (
              <Stack
                steps={answer.steps}
                lines={answer.lines}
                otherText={words('other')}
                onlyText={words('only')}
                asTableText={words('asTable')}
              />
            )}
          </article>
        )
      })}
    </>
  )
}
