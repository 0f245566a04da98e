import { useCallback, useMemo, useState } from 'react'
import type { LedgerLine, River, TableLine } from '../api.ts'
import { useLive, useTurn } from '../live.tsx'
import { go, Link, usePlace } from '../place.tsx'
import { factsOfAll } from '../river/node-facts.ts'
import { NodePanel } from '../river/node-panel.tsx'
import '../river/river.css'
import { layoutOf } from '../river/river-layout.ts'
import { listOf, NARROW_MAX_WIDTH } from '../river/river-list.ts'
import { RiverMap } from '../river/river-map.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { useWidth } from '../use-width.ts'

/** Everything that flows, as a picture with its numbers. The node that is looked at is in the address. */
export function RiverPage() {
  const words = useWords()
  const { query } = usePlace()
  const { now, rates } = useLive()
  const { answer: river, problem } = useAnswer<River>('/v1/river')
  const turn = useTurn(10_000)
  const { answer: ledger } = useAnswer<{ balanced: boolean; lines: LedgerLine[] }>(
    '/v1/ledger',
    turn,
  )
  const { answer: tables } = useAnswer<{ tables: TableLine[] }>('/v1/tables', turn)
  const [only, setOnly] = useState<string>()
  const { ref, width } = useWidth()
  const layout = useMemo(() => {
    if (river === undefined) return undefined
    const nodes = river.nodes.filter(({ pipeline }) => only === undefined || pipeline === only)
    return width > NARROW_MAX_WIDTH
      ? layoutOf(nodes, river.edges)
      : listOf(nodes, river.edges, width)
  }, [river, only, width])
  const choose = useCallback((id: string) => go(`?node=${encodeURIComponent(id)}`), [])
  const close = useCallback(() => go(''), [])
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (river === undefined || layout === undefined) return <p className="empty">{words('wait')}</p>
  const facts = factsOfAll(river.nodes, {
    ...{ now: now ?? river.now, rates, words },
    ...{ ledger: ledger?.lines ?? [], tables: tables?.tables ?? [] },
  })
  const inTrouble = river.nodes.filter(({ id }) => facts.get(id)?.trouble !== '')
  const pipelines = [...new Set(river.nodes.map(({ pipeline }) => pipeline))]
  const chosen = river.nodes.find(({ id }) => id === query.get('node'))
  return (
    <section ref={ref}>
      <header className="head">
        <h1>{words('river')}</h1>
        {inTrouble.length === 0 ? (
          <span className="pill">{words('everythingFlows')}</span>
        ) : (
          <button
            type="button"
            className="pill wrong"
            title={words('onlyTroubles')}
            onClick={() => choose(inTrouble[0]!.id)}
          >
            {inTrouble.length} {words('troubles')}
          </button>
        )}
        {ledger === undefined ? null : (
          <Link to="ledger" className={ledger.balanced ? 'pill' : 'pill wrong'}>
            {words('ledger')}: {words(ledger.balanced ? 'balanced' : 'notBalanced')}
          </Link>
        )}
        <span className="space" />
        <nav className="choices" aria-label="pipelines">
          {[undefined, ...pipelines].map((pipeline) => (
            <button
              key={pipeline ?? ''}
              type="button"
              aria-pressed={only === pipeline}
              onClick={() => setOnly(pipeline)}
            >
              {pipeline ?? words('all')}
            </button>
          ))}
        </nav>
      </header>
      {river.nodes.length === 0 ? <p className="empty">{words('noRiver')}</p> : null}
      <div className={chosen === undefined ? 'river-page' : 'river-page with-panel'}>
        <RiverMap
          {...{ layout, edges: river.edges, facts, chosen: chosen?.id, onChoose: choose }}
        />
        {chosen === undefined ? null : (
          <NodePanel
            node={chosen}
            facts={facts.get(chosen.id)!}
            nodes={river.nodes}
            edges={river.edges}
            onChoose={choose}
            onClose={close}
          />
        )}
      </div>
    </section>
  )
}
