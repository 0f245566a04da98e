import { useState } from 'react'
import { post } from '../api.ts'
import { ago } from '../format.ts'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

interface Session {
  readonly id: string
  readonly key: string
  readonly began_at: string
  readonly seen_at: string
  readonly ends_at: string
  readonly address: string | null
  readonly agent: string | null
  readonly current: boolean
}

/** Sessions in force: one's own, for admins everybody's. */
export function Sessions() {
  const words = useWords()
  const { answer, problem, again } = useAnswer<{ sessions: Session[] }>('/v1/sessions')
  const [trouble, setTrouble] = useState<string>()
  const end = async (id: string) => {
    await post(`/v1/sessions/${id}/end`).catch((error: Error) => setTrouble(error.message))
    again()
  }
  const sessions = answer?.sessions ?? []
  return (
    <div>
      <h2>{words('sessions')}</h2>
      {(trouble ?? problem) === undefined ? null : <p className="problem">{trouble ?? problem}</p>}
      {answer !== undefined && sessions.length === 0 ? (
        <p className="empty">{words('noSessions')}</p>
      ) : null}
      {sessions.length === 0 ? null : (
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th>{words('key')}</th>
                <th>{words('from')}</th>
                <th>{words('began')}</th>
                <th>{words('seenAt')}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {sessions.map(({ id, key, address, agent, began_at, seen_at, current }) => (
                <tr key={id}>
                  <td>{key}</td>
                  <td title={agent ?? ''}>{address}</td>
                  <td>{ago(began_at)}</td>
                  <td>{current ? <em>{words('thisOne')}</em> : ago(seen_at)}</td>
                  <td className="number">
                    <button type="button" className="quiet" onClick={() => void end(id)}>
                      {words('end')}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  )
}
