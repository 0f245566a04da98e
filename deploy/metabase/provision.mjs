// Sets Metabase up through its API (https://www.metabase.com/docs/latest/api): the first user, the MariaDB database, the questions, the dashboard. What is there by
// its name is left as it is, so running it again changes nothing.

const { METABASE_URL, METABASE_PASSWORD, MYSQL_PASSWORD } = process.env
const EMAIL = 'admin@mekong.local'
const DATABASE = 'Mekong'
const DASHBOARD = 'OTT: what customers watch and search'
let session = ''

const QUESTIONS = [
  {
    name: 'Customers by favourite category',
    display: 'bar',
    sql: 'SELECT MostWatch AS category, COUNT(*) AS customers FROM customer_content_stats GROUP BY MostWatch ORDER BY customers DESC',
    at: { row: 0, col: 0, size_x: 12, size_y: 6 },
  },
  {
    name: 'Hours watched by category',
    display: 'pie',
    sql: `SELECT 'Truyen Hinh' AS category, SUM(\`Truyen Hinh\`) / 3600 AS hours FROM customer_content_stats
UNION ALL SELECT 'Phim Truyen', SUM(\`Phim Truyen\`) / 3600 FROM customer_content_stats
UNION ALL SELECT 'Giai Tri', SUM(\`Giai Tri\`) / 3600 FROM customer_content_stats
UNION ALL SELECT 'Thieu Nhi', SUM(\`Thieu Nhi\`) / 3600 FROM customer_content_stats
UNION ALL SELECT 'The Thao', SUM(\`The Thao\`) / 3600 FROM customer_content_stats`,
    at: { row: 0, col: 12, size_x: 12, size_y: 6 },
  },
  {
    name: 'Customers by active days',
    display: 'line',
    sql: 'SELECT Active AS active_days, COUNT(*) AS customers FROM customer_content_stats GROUP BY Active ORDER BY Active',
    at: { row: 6, col: 0, size_x: 12, size_y: 6 },
  },
  {
    name: 'What customers combine',
    display: 'table',
    sql: 'SELECT Taste AS taste, COUNT(*) AS customers FROM customer_content_stats GROUP BY Taste ORDER BY customers DESC LIMIT 15',
    at: { row: 6, col: 12, size_x: 12, size_y: 6 },
  },
  {
    name: 'Search taste, month against month',
    display: 'bar',
    sql: 'SELECT taste, COUNT(*) AS users FROM customer_search_stats GROUP BY taste ORDER BY users DESC',
    at: { row: 12, col: 0, size_x: 12, size_y: 6 },
  },
  {
    name: 'Where changed tastes went',
    display: 'table',
    sql: "SELECT category_m6 AS was, category_m7 AS became, COUNT(*) AS users FROM customer_search_stats WHERE taste = 'Changed' GROUP BY category_m6, category_m7 ORDER BY users DESC LIMIT 15",
    at: { row: 12, col: 12, size_x: 12, size_y: 6 },
  },
]

async function call(method, path, body) {
  const response = await fetch(`${METABASE_URL}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(session === '' ? {} : { 'x-metabase-session': session }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

async function signIn() {
  const properties = await call('GET', '/api/session/properties')
  if (properties['has-user-setup'] !== true) {
    const user = {
      email: EMAIL,
      password: METABASE_PASSWORD,
      first_name: 'Mekong',
      last_name: 'Admin',
    }
    const prefs = { site_name: 'Mekong', allow_tracking: false }
    await call('POST', '/api/setup', { token: properties['setup-token'], user, prefs })
  }
  const answer = await call('POST', '/api/session', {
    username: EMAIL,
    password: METABASE_PASSWORD,
  })
  session = answer.id
}

async function databaseId() {
  const { data } = await call('GET', '/api/database')
  const known = data.find(({ name }) => name === DATABASE)
  if (known !== undefined) return known.id
  const details = {
    host: 'mariadb',
    port: 3306,
    dbname: 'mekong',
    user: 'mekong',
    password: MYSQL_PASSWORD,
    ssl: false,
  }
  return (await call('POST', '/api/database', { engine: 'mysql', name: DATABASE, details })).id
}

async function cardIds(database) {
  const known = await call('GET', '/api/card')
  const ids = []
  for (const { name, display, sql } of QUESTIONS) {
    const found = known.find((card) => card.name === name)
    const dataset_query = { type: 'native', database, native: { query: sql } }
    const card = { name, display, dataset_query, visualization_settings: {} }
    ids.push((found ?? (await call('POST', '/api/card', card))).id)
  }
  return ids
}

await signIn()
const cards = await cardIds(await databaseId())
const dashboards = await call('GET', '/api/dashboard')
if (dashboards.every(({ name }) => name !== DASHBOARD)) {
  const { id } = await call('POST', '/api/dashboard', { name: DASHBOARD })
  const dashcards = QUESTIONS.map(({ at }, index) => ({
    id: -1 - index,
    card_id: cards[index],
    ...at,
  }))
  await call('PUT', `/api/dashboard/${id}`, { dashcards })
}
console.log(`The dashboard "${DASHBOARD}" is there.`)
