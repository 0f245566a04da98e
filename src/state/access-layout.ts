/**
 * Roles of keys, sessions and the audit log. A key from before there were roles could do everything that was possible then, which is what
 * `operate` may.
 */
export const ACCESS_LAYOUT = `
ALTER TABLE api_keys ADD COLUMN role TEXT NOT NULL DEFAULT 'operate';
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  key_name TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  address TEXT,
  agent TEXT
) WITHOUT ROWID;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  by TEXT NOT NULL,
  session TEXT,
  role TEXT,
  address TEXT,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER,
  detail TEXT
);
CREATE INDEX audit_refusals ON audit (id) WHERE outcome = 'refused';
`
