import { Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useWho } from './who.tsx'

/** In the menu: who is signed in, or that nobody needs to be. */
export function WhoAmI() {
  const words = useWords()
  const { access, key, role, session, signOut } = useWho()
  if (access === 'open')
    return (
      <Link to="access" className="who open">
        <span title={words('openHelp')}>{words('open')}</span>
      </Link>
    )
  return (
    <span className="who">
      <Link to="access">
        <b>{key}</b> <small>{role}</small>
      </Link>
      {session === null ? null : (
        <button type="button" className="quiet" onClick={() => void signOut()}>
          {words('signOut')}
        </button>
      )}
    </span>
  )
}
