import { useState } from 'react'
import { post } from '../api.ts'
import { bytesText, plain } from '../format.ts'
import { useWords } from '../text.ts'
import { pathOf } from './answers.ts'
import { useTableWords } from './words.ts'

interface Plan {
  readonly action: Action
  readonly dry_run: boolean
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly bytes: number
}

const ACTIONS = ['optimize', 'expire', 'vacuum'] as const
type Action = (typeof ACTIONS)[number]
const ABOUT = {
  optimize: 'aboutOptimize',
  expire: 'aboutExpire',
  vacuum: 'aboutVacuum',
} as const

/** What keeps a table in shape: each tried first, then done. */
export function MaintenanceView({
  name,
  onDone,
}: {
  readonly name: string
  readonly onDone: () => void
}) {
  const words = useTableWords()
  return (
    <div className="chores" data-needs="operate">
      {ACTIONS.map((action) => (
        <article key={action} className="card">
          <h3>{words(action)}</h3>
          <p className="faint">{words(ABOUT[action])}</p>
          <Chore name={name} action={action} onDone={onDone} />
        </article>
      ))}
    </div>
  )
}

function Chore({
  name,
  action,
  onDone,
}: {
  readonly name: string
  readonly action: Action
  readonly onDone: () => void
}) {
  const words = useTableWords()
  const common = useWords()
  const [plan, setPlan] = useState<Plan>()
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const act = (dryRun: boolean) => {
    setBusy(true)
    post<Plan>(`${pathOf(name)}/maintenance`, { action, dry_run: dryRun })
      .then(
        (made) => {
          setProblem(undefined)
          setPlan(made)
          if (!dryRun) onDone()
        },
        (error: Error) => setProblem(error.message),
      )
      .finally(() => setBusy(false))
  }
  return (
    <>
      <p className="row">
        <button type="button" disabled={isBusy} onClick={() => act(true)}>
          {isBusy ? common('wait') : words('tryIt')}
        </button>
        {plan?.dry_run === true && plan.files.length > 0 ? (
          <button type="button" className="strong" disabled={isBusy} onClick={() => act(false)}>
            {words('doIt')}
          </button>
        ) : null}
      </p>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {plan === undefined ? null : plan.files.length === 0 ? (
        <p role="status">{words('nothingToDo')}</p>
      ) : (
        <>
          <p role="status">
            {words(plan.dry_run ? 'would' : 'did')} {plain(plan.files.length)} {common('files')},{' '}
            {bytesText(plan.bytes)}.
          </p>
          <details>
            <summary>{words('fileList')}</summary>
            <ul className="paths">
              {plan.files.slice(0, 200).map(({ path, bytes }) => (
                <li key={path}>
                  {path} <small>{bytesText(bytes)}</small>
                </li>
              ))}
            </ul>
          </details>
        </>
      )}
    </>
  )
}
