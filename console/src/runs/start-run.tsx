import { useState } from 'react'
import { post, type RunDetail } from '../api.ts'
import { go } from '../place.tsx'
import { useWords } from '../text.ts'
import { Selectors } from './selectors.tsx'

/** Begin a run of what selectors name. */
export function StartRun() {
  const words = useWords()
  const [selectors, setSelectors] = useState<readonly string[]>([])
  const [fullRefresh, setFullRefresh] = useState(false)
  const [problem, setProblem] = useState<string>()
  const begin = () =>
    post<RunDetail>('/v1/runs', { selectors, full_refresh: fullRefresh }).then(
      ({ id }) => go(`runs/${id}`),
      (error: Error) => setProblem(error.message),
    )
  return (
    <details className="begin">
      <summary>{words('startRun')}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void begin()
        }}
      >
        <Selectors onChange={setSelectors} />
        <p className="row">
          <label className="check">
            <input
              type="checkbox"
              checked={fullRefresh}
              onChange={() => setFullRefresh(!fullRefresh)}
            />
            {words('fullRefresh')}
          </label>
          <button type="submit" className="strong">
            {words('start')}
          </button>
        </p>
        {problem === undefined ? null : <p className="problem">{problem}</p>}
      </form>
    </details>
  )
}
