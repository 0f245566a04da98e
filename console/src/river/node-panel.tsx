import { useEffect } from 'react'
import type { LedgerLine, RiverEdge, RiverNode } from '../api.ts'
import { ago, compact, plain } from '../format.ts'
import { placeOfCause } from '../letters/letter.ts'
import { Link } from '../place.tsx'
import { useWords, type Word } from '../text.ts'
import { type NodeFacts, shortName } from './node-facts.ts'

const KIND: Readonly<Record<RiverNode['kind'], Word>> = {
  door: 'kindDoor',
  files: 'kindFiles',
  topic: 'kindTopic',
  table: 'kindTable',
  model: 'kindModel',
  store: 'kindStore',
  step: 'kindStep',
}

/** All that is known of one node, and the ways to where more is. */
export function NodePanel({
  node,
  facts,
  nodes,
  edges,
  onChoose,
  onClose,
}: {
  readonly node: RiverNode
  readonly facts: NodeFacts
  readonly nodes: readonly RiverNode[]
  readonly edges: readonly RiverEdge[]
  readonly onChoose: (id: string) => void
  readonly onClose: () => void
}) {
  const words = useWords()
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent) => key === 'Escape' && onClose()
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [onClose])
  const by = new Map(nodes.map((each) => [each.id, each]))
  const neighbours = (from: 'from' | 'to', to: 'from' | 'to') =>
    edges.filter((edge) => edge[from] === node.id).flatMap((edge) => by.get(edge[to]) ?? [])
  const told: readonly (readonly [Word, string])[] = [
    ['state', facts.state.replaceAll('_', ' ')],
    ['total', facts.main === 'POST' ? '' : facts.main],
    ['rate', facts.rate >= 0.5 ? `${compact(facts.rate)}${words('perSecond')}` : ''],
    ['lag', facts.lag === undefined ? '' : plain(facts.lag)],
    ['fresh', facts.changedAt === undefined ? '' : ago(facts.changedAt)],
    ['refused', facts.refused === 0 ? '' : plain(facts.refused)],
  ]
  return (
    <aside className="panel" aria-label={node.name}>
      <header>
        <h2>
          <small>
            {node.pipeline} · {words(KIND[node.kind])}
          </small>
          {node.name}
        </h2>
        <button type="button" className="quiet" onClick={onClose}>
          {words('close')}
        </button>
      </header>
      {facts.trouble === '' ? null : <p className="problem">{facts.trouble}</p>}
      <dl className="facts-of">
        {told
          .filter(([, text]) => text !== '')
          .map(([word, text]) => (
            <div key={word}>
              <dt>{words(word)}</dt>
              <dd>{text}</dd>
            </div>
          ))}
      </dl>
      {facts.ledger === undefined ? null : <Balance line={facts.ledger} />}
      <p className="ways">
        {waysFrom(node, facts).map(([word, to]) => (
          <Link key={to} to={to}>
            {words(word)}
          </Link>
        ))}
      </p>
      {(
        [
          ['cameFrom', neighbours('to', 'from')],
          ['goesTo', neighbours('from', 'to')],
        ] as const
      ).map(([word, others]) =>
        others.length === 0 ? null : (
          <p key={word} className="neighbours">
            <span className="faint">{words(word)}</span>
            {others.map((other) => (
              <button key={other.id} type="button" onClick={() => onChoose(other.id)}>
                {shortName(other)}
              </button>
            ))}
          </p>
        ),
      )}
    </aside>
  )
}

const COUNTS = ['in', 'out', 'filtered', 'duplicates', 'dead', 'in_flight', 'missing'] as const

/** What became of every record at the hop of a node. */
function Balance({ line }: { readonly line: LedgerLine }) {
  const words = useWords()
  return (
    <dl className={line.balanced ? 'facts-of' : 'facts-of wrong'}>
      {COUNTS.filter((count) => count === 'in' || count === 'out' || line[count] !== 0).map(
        (count) => (
          <div key={count}>
            <dt>{words(count === 'in_flight' ? 'inFlight' : count)}</dt>
            <dd>{plain(line[count])}</dd>
          </div>
        ),
      )}
      <div>
        <dt>{words('ledger')}</dt>
        <dd>{words(line.balanced ? 'balanced' : 'notBalanced')}</dd>
      </div>
    </dl>
  )
}

/** Where more is to be seen of a node. */
function waysFrom(
  { id, pipeline, kind, hop, name }: RiverNode,
  { task, refused, ledger }: NodeFacts,
): readonly (readonly [Word, string])[] {
  const isTable = kind === 'table' || kind === 'model'
  const served =
    kind === 'store' && hop !== undefined ? `serve.${name.replace(/^serve\./, '')}` : ''
  const asked = isTable ? id : served
  const dead = (ledger?.dead ?? 0) > 0 && hop !== undefined
  return [
    ...(isTable ? ([['openTable', `tables/${id}`]] as const) : []),
    ...(asked === ''
      ? []
      : ([
          ['askIt', `sql?ask=${encodeURIComponent(`SELECT *\nFROM ${asked}\nLIMIT 100`)}`],
        ] as const)),
    ...(task === undefined ? [] : ([['openRun', `runs/${task.run}`]] as const)),
    ...(dead ? ([['deadLetters', placeOfCause({ pipeline, hop })]] as const) : []),
    ...(refused > 0
      ? ([['deadLetters', placeOfCause({ pipeline, hop: 'gateway' })]] as const)
      : []),
    ...(ledger === undefined && kind !== 'topic' ? [] : ([['ledger', 'ledger']] as const)),
    ['openDashboard', `dashboards/${pipeline}`],
  ]
}
