import { useWords } from '../text.ts'
import { AuditLog } from './audit-log.tsx'
import { Keys } from './keys.tsx'
import { Sessions } from './sessions.tsx'
import { useWho } from './who.tsx'
import './access.css'

/** Who may do what, and who did: sessions for everybody, keys and the audit log for admins. */
export function Access() {
  const words = useWords()
  const { access, key, role, may } = useWho()
  return (
    <section>
      <header className="head">
        <h1>{words('access')}</h1>
        {access === 'open' ? (
          <span className="pill">{words('open')}</span>
        ) : (
          <span className="faint">
            {words('signedInAs')} <b>{key}</b>, {role}
          </span>
        )}
      </header>
      {access === 'open' ? <p className="notice">{words('openHelp')}</p> : null}
      {may.includes('admin') ? <AuditLog /> : null}
      <div className="access-pair">
        {may.includes('admin') ? <Keys /> : null}
        <Sessions />
      </div>
    </section>
  )
}
