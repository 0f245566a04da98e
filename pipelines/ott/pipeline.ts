import { accepted, mysql, notNull, pipeline, unique, window } from 'mekong'
import { ottDashboard } from './dashboard.ts'
import { classifyKeyword } from './labels/classify-keyword.ts'
import { CATEGORIES } from './labels/lexicon.ts'
import { ContentLog, SearchLog } from './schema.ts'
import { simulator } from './simulator.ts'

/** What customers of an OTT operator watch and search: day files in, one profile a customer out. */
export default pipeline('ott', (p) => {
  p.files('content', {
    description: 'Content logs: YYYYMMDD.json, NDJSON, plain or gzip, one file a day',
    matches: /(?<day>\d{8})\.(nd)?json(\.gz|\.zst)?$/,
    format: 'ndjson',
    reads: [
      '_id',
      '_source.Contract',
      '_source.Mac',
      '_source.AppName',
      '_source.TotalDuration',
      ...['Contract', 'Mac', 'AppName', 'TotalDuration'],
    ],
    table: 'bronze.content_log',
    columns: ContentLog,
    sql: new URL('./models/content_log.sql', import.meta.url),
    id: 'log_id',
    counted: ['unmapped_app', 'invalid_contract', 'impossible_duration'],
  })

  p.files('search', {
    description: 'Search logs: folders YYYYMMDD of Parquet files, one folder a day',
    matches: /(?<day>\d{8})\/[^/]+\.parquet$/,
    format: 'parquet',
    reads: [
      'eventID',
      'datetime',
      'user_id',
      'keyword',
      'category',
      'platform',
      'networkType',
      'action',
    ],
    table: 'bronze.search_log',
    columns: SearchLog,
    sql: new URL('./models/search_log.sql', import.meta.url),
    id: 'event_id',
    counted: ['invalid_user', 'invalid_keyword'],
  })

  p.model('silver.content_days', new URL('./models/content_days.sql', import.meta.url), {
    materialize: 'view',
  })
  p.model(
    'gold.customer_content_stats',
    new URL('./models/customer_content_stats.sql', import.meta.url),
    {
      incoming: 'bronze.content_log',
      materialize: window({
        key: ['Contract'],
        day: 'event_date',
        days: 30,
        daysCount: 'Active',
        rows: new URL('./models/content_views.sql', import.meta.url),
      }),
      // Names with spaces need names of their own in the files.
      properties: { 'delta.columnMapping.mode': 'name' },
      tests: [notNull('Contract'), unique('Contract'), notNull('Active')],
    },
  )

  p.label('silver.search_labels', {
    sql: new URL('./models/search_keywords.sql', import.meta.url),
    reads: ['bronze.search_log'],
    labels: CATEGORIES,
    prompt: new URL('./labels/prompt.md', import.meta.url),
    promptVersion: '1',
    rules: classifyKeyword,
    rulesVersion: '3',
  })
  p.model(
    'gold.customer_search_stats',
    new URL('./models/customer_search_stats.sql', import.meta.url),
    {
      // The months to compare; by default the newest two there are.
      parameters: { first_month: null, second_month: null },
      tests: [
        ...[notNull('user_id'), unique('user_id')],
        accepted('taste', ['Unchanged', 'Changed', 'New', 'Churned']),
      ],
    },
  )

  p.publish(
    'gold.customer_content_stats',
    mysql('customer_content_stats', { key: ['Contract'], indexes: [['MostWatch'], ['Active']] }),
  )
  p.publish(
    'gold.customer_search_stats',
    mysql('customer_search_stats', { key: ['user_id'], indexes: [['taste'], ['category_m7']] }),
  )

  p.dashboard(ottDashboard)
  p.simulate(simulator)
})
