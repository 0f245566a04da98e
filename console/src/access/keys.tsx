import { useState } from 'react'
import { post } from '../api.ts'
import { ago } from '../format.ts'
import { useWords, type Word } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { type Grant, useWho } from './who.tsx'

interface Key {
  readonly name: string
  readonly role: Grant
  readonly records_per_second_max: number | null
  readonly created_at: string
  readonly revoked_at: string | null
}

const ROLES: readonly (readonly [role: Grant, means: Word])[] = [
  ['ingest', 'roleIngest'],
  ['read', 'roleRead'],
  ['operate', 'roleOperate'],
  ['admin', 'roleAdmin'],
]

/** Keys with their roles; make and revoke them. */
export function Keys() {
  const words = useWords()
  const { access } = useWho()
  const { answer, problem, again } = useAnswer<{ keys: Key[] }>('/v1/keys')
  const [trouble, setTrouble] = useState<string>()
  const act = async (path: string, body: unknown = {}) => {
    try {
      const made = await post<{ key?: string }>(path, body)
      setTrouble(undefined)
      return made
    } catch (error) {
      setTrouble((error as Error).message)
      return undefined
    } finally {
      again()
    }
  }
  const keys = answer?.keys ?? []
  return (
    <div>
      <h2>{words('keys')}</h2>
      {(trouble ?? problem) === undefined ? null : <p className="problem">{trouble ?? problem}</p>}
      {answer !== undefined && keys.length === 0 ? (
        <p className="empty">{words('noKeys')}</p>
      ) : null}
      {keys.length === 0 ? null : (
        <div className="scroll tall">
          <table>
            <thead>
              <tr>
                <th>{words('name')}</th>
                <th>{words('role')}</th>
                <th className="number">{words('rateLimit')}</th>
                <th>{words('made')}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {keys.map(({ name, role, records_per_second_max: rate, created_at, revoked_at }) => (
                <tr key={name} className={revoked_at === null ? '' : 'faint'}>
                  <td>{name}</td>
                  <td>{role}</td>
                  <td className="number">{rate ?? '–'}</td>
                  <td>{ago(created_at)}</td>
                  <td className="number">
                    {revoked_at === null ? (
                      <button
                        type="button"
                        className="quiet"
                        onClick={() => void act(`/v1/keys/${encodeURIComponent(name)}/revoke`)}
                      >
                        {words('revoke')}
                      </button>
                    ) : (
                      words('revoked')
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {access === 'open' ? null : <MakeKey make={(wish) => act('/v1/keys', wish)} />}
    </div>
  )
}

function MakeKey({
  make,
}: {
  readonly make: (wish: unknown) => Promise<{ key?: string } | undefined>
}) {
  const words = useWords()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Grant>('read')
  const [made, setMade] = useState<string>()
  const send = async () => {
    const answer = await make({ name, role })
    setMade(answer?.key)
    if (answer !== undefined) setName('')
  }
  return (
    <form
      className="make-key"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <label>
        {words('name')}
        <input value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      <label>
        {words('role')}
        <select value={role} onChange={(event) => setRole(event.target.value as Grant)}>
          {ROLES.map(([one, means]) => (
            <option key={one} value={one}>
              {one}: {words(means)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" disabled={name === ''}>
        {words('makeKey')}
      </button>
      {made === undefined ? null : (
        <p className="notice" role="status">
          {words('newKey')} <code>{made}</code>
        </p>
      )}
    </form>
  )
}
