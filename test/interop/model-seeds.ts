import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { simulator as catalog } from '../../pipelines/catalog/simulator.ts'

const EVENTS = path.resolve(import.meta.dirname, '../../../shared/data/github-events')

/** Rows of the tables that no model of a pipeline makes, in two halves. */
export const SEEDS: Readonly<Record<string, (half: 0 | 1) => string>> = {
  'bronze.github_events': (half) => `
    SELECT id::VARCHAR AS id, type, actor.id::BIGINT AS actor_id, actor.login AS actor_login, actor.url AS actor_url,
      actor.avatar_url AS actor_avatar_url, repo.id::BIGINT AS repo_id, repo.name AS repo_name, repo.url AS repo_url,
      payload::VARCHAR AS payload, public, created_at, TIMESTAMPTZ '2026-01-01' AS ingestion_timestamp,
      DATE '2026-01-01' AS ingestion_date, 0 AS kafka_partition, row_number() OVER (ORDER BY id) AS kafka_offset
    FROM read_json('${EVENTS}/*.json.gz', format = 'newline_delimited', columns = {id: 'VARCHAR', type: 'VARCHAR',
      actor: 'STRUCT(id BIGINT, login VARCHAR, url VARCHAR, avatar_url VARCHAR)', repo: 'STRUCT(id BIGINT, name VARCHAR, url VARCHAR)',
      payload: 'JSON', public: 'BOOLEAN', created_at: 'VARCHAR'})
    WHERE hash(id) % 8 = ${half}`,
  // Films, series and people of the simulator, some of them with details of other types than they should have.
  'bronze.catalog_records': (half) => `
    SELECT data_type, data_label, "timestamp", id_of_data_type, 'catalog' AS _topic, 0 AS _partition, _offset,
      TIMESTAMPTZ '2026-03-02' + to_seconds(_offset) AS _arrived_at, _raw
    FROM read_json('${catalogRecords()}', format = 'newline_delimited', columns = {data_type: 'VARCHAR', data_label: 'VARCHAR',
      "timestamp": 'TIMESTAMPTZ', id_of_data_type: 'BIGINT', _offset: 'BIGINT', _raw: 'VARCHAR'})
    WHERE _offset % 2 = ${half}`,
  'silver.orders': (half) => `
    SELECT DATE '2026-01-01' + (n % 40)::INTEGER AS event_date,
      [{'product_id': 'p' || (hash(n) % 6), 'quantity': (1 + hash(n * 3) % 9 + CASE WHEN n % 37 = 0 THEN 400 ELSE 0 END)::INTEGER},
       {'product_id': 'p' || (hash(n * 7) % 6), 'quantity': 1}] AS order_list
    FROM (SELECT range * 2 + ${half} AS n FROM range(150))`,
  'bronze.content_log': (half) => `
    SELECT 'c' || (hash(n) % 40) AS contract, DATE '2022-04-01' + (n % 9)::INTEGER AS event_date, (hash(n * 3) % 9000)::BIGINT AS duration_s,
      ['CHANNEL', 'VOD', 'RELAX', 'CHILD', 'SPORT', 'OTHER'][1 + (hash(n * 5) % 6)::INTEGER] AS app_name
    FROM (SELECT range * 2 + ${half} AS n FROM range(400))`,
  'bronze.search_log': (half) => `
    SELECT 'u' || (hash(n) % 60) AS user_id, DATE '2022-06-01' + (n % 60)::INTEGER AS event_date,
      [' Thần điêu ', 'thần điêu', NULL, '', 'Ngôi sao', 'Ngo' || chr(770) || 'i sao', 'VTV3', 'null', 'bong da'][1 + (hash(n * 7) % 9)::INTEGER] AS keyword
    FROM (SELECT range * 2 + ${half} AS n FROM range(300))`,
  'silver.search_labels': (half) =>
    half === 0
      ? "SELECT 'thần điêu' AS keyword, 'C Drama' AS label"
      : "SELECT 'ngôi sao' AS keyword, 'Music' AS label",
}

/** A file with records as the catalog's table has them. */
function catalogRecords(): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'mekong-seeds-')), 'records.ndjson')
  const records = [
    ...catalog.requests!({ seed: 7, eventCount: 400, nowMs: Date.UTC(2026, 2, 1) }),
  ].flatMap(({ events }) => events)
  const lines = records.flatMap((record, _offset) => {
    if (typeof record === 'string') return []
    const { data_type, data_label, timestamp, ...rest } = oddly(record as CatalogRow, _offset)
    const id_of_data_type = (rest as Record<string, unknown>)[`${data_type}_id`]
    if (typeof id_of_data_type !== 'number') return []
    const _raw = JSON.stringify({ data_type, data_label, timestamp, ...rest })
    return [JSON.stringify({ data_type, data_label, timestamp, id_of_data_type, _offset, _raw })]
  })
  writeFileSync(file, lines.join('\n'))
  return file
}

/** Details as TMDB never promised that they are not: other types, nothing there, credits without ids and credits twice. */
function oddly(record: CatalogRow, place: number): CatalogRow {
  const { casts_info: casts, crews_info: crews } = record
  switch (place % 9) {
    case 0:
      return { ...record, casts_info: [...(casts ?? []), ...(casts ?? []).slice(0, 2)] }
    case 1:
      return { ...record, crews_info: crews?.map(({ credit_id: _, ...credit }) => credit) }
    case 2:
      return {
        ...record,
        movie_detail: { ...record.movie_detail, genres: null, popularity: 'high', tagline: '' },
      }
    case 3:
      return {
        ...record,
        casts_info: casts?.map((credit, index) => ({
          ...credit,
          person_id: index === 0 ? null : credit.person_id,
          character: 'Ông "Tư"\t/\\',
        })),
      }
    case 4:
      return { ...record, casts_info: undefined, crews_info: undefined }
    case 5:
      return {
        ...record,
        movie_detail: {
          ...record.movie_detail,
          belongs_to_collection: { id: 5, name: 'Bộ' },
          release_date: 'soon',
        },
      }
    default:
      return record
  }
}

type Credit = Readonly<Record<string, unknown>>
interface CatalogRow {
  readonly data_type: string
  readonly data_label: string
  readonly timestamp: string
  readonly movie_detail?: object
  readonly casts_info?: readonly Credit[] | undefined
  readonly crews_info?: readonly Credit[] | undefined
}
