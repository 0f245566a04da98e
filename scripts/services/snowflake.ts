import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { hasVenv, makeVenv, pythonOf, pythonUnavailable } from './python-venv.ts'
import type { Server, ServicePlace } from './service.ts'

// A server that takes Snowflake's driver and SQL: fakesnow, which is DuckDB behind Snowflake's words. Answers in Arrow, which the driver for
// Node does not read, are turned into JSON here; files come to a local folder instead of a cloud's. What it does not prove is said in
// docs/operating.md.

const PACKAGES = ['fakesnow[server]==0.12.1', 'snowflake-connector-python==4.8.1']

const venvOf = ({ folder }: ServicePlace) => path.join(folder, 'venv')

export const snowflake: Server = Object.freeze<Server>({
  name: 'snowflake',
  portDefault: 17044,
  unavailable: pythonUnavailable,
  async prepare(place) {
    if (!hasVenv(venvOf(place))) place.say('snowflake: fetching fakesnow (about 150 MB, once)')
    await makeVenv(venvOf(place), PACKAGES)
    writeFileSync(path.join(place.folder, 'served.py'), SERVED)
  },
  command: (place) => ({
    file: pythonOf(venvOf(place)),
    args: [
      ...['-m', 'uvicorn', 'served:app', '--host', '127.0.0.1', '--port', String(place.port)],
      ...['--log-level', 'warning'],
    ],
    cwd: place.folder,
  }),
  async ready(place) {
    // Any answer will do; the path is nobody's.
    return fetch(`http://127.0.0.1:${place.port}/`).then(
      () => true,
      () => false,
    )
  },
  environment: (place) => ({
    SNOWFLAKE_ACCOUNT: 'fakesnow',
    SNOWFLAKE_USER: 'mekong',
    SNOWFLAKE_PASSWORD: 'unused',
    SNOWFLAKE_DATABASE: 'mekong_tests',
    SNOWFLAKE_URL: `http://127.0.0.1:${place.port}`,
  }),
})

const SERVED = `import base64, json
import fakesnow.server as server

def rows_as_json(table):
    cell = lambda v: None if v is None else ('1' if v else '0') if isinstance(v, bool) else str(v)
    return json.dumps([[cell(v) for v in row] for row in zip(*[c.to_pylist() for c in table.columns])]).encode()

server.to_sf = lambda table, rowtype: table
server.to_ipc = rows_as_json
server.gcs_stage_info = lambda request, expr, data: data['stageInfo']

class JsonRows(server.JSONResponse):
    # What DuckDB refuses is a failed statement, and not a server to ask again.
    def __init__(self, content, status_code=200, **rest):
        if status_code == 500:
            status_code = 200
            content = {**content, 'code': '100183', 'data': {'errorCode': '100183', 'sqlState': 'P0000'}}
        super().__init__(content, status_code=status_code, **rest)

    def render(self, content):
        data = content.get('data') if isinstance(content, dict) else None
        if isinstance(data, dict) and data.get('queryResultFormat') == 'arrow':
            rows = data.pop('rowsetBase64')
            data['queryResultFormat'] = 'json'
            data['rowset'] = json.loads(base64.b64decode(rows)) if rows else []
        if isinstance(data, dict) and 'rowset' in data:
            data['returned'] = len(data['rowset'])
        return super().render(content)

server.JSONResponse = JsonRows
app = server.app
`
