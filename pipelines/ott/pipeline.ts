import { pipeline } from 'mekong'
import { ContentLog, SearchLog } from './schema.ts'

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
})
