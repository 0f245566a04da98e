import { merge, notNull, pipeline, processingTime, union, unique } from 'mekong'
import { collector } from './collector.ts'
import { catalogDashboard } from './dashboard.ts'
import { catalogGraph, graphSources } from './graph.ts'
import { movies, people, tvSeries } from './loader.ts'
import { entityReads } from './reads/entities.ts'
import { graphReads } from './reads/graph.ts'
import { peopleReads } from './reads/people.ts'
import { searchReads } from './reads/search.ts'
import { BronzeRecord, CatalogRecord, toBronze } from './schema.ts'
import { Movie, Person, TvSeries } from './silver-schema.ts'
import { simulator } from './simulator.ts'
import { olap, olapSources } from './tables.ts'
import { titleVectors, vectorSources } from './vectors.ts'

/** Movies, series and people of TMDB: from raw records to tables, a graph and a search. */
export default pipeline('catalog', (p) => {
  const topic = <
    const Name extends string,
    const Key extends 'movie_id' | 'tv_series_id' | 'person_id',
  >(
    name: Name,
    key: Key,
  ) => p.topic(name, { value: CatalogRecord, key, id: 'record_id', partitions: 3 })
  const movieRecords = topic('tmdb-movies', 'movie_id')
  const seriesRecords = topic('tmdb-tv-series', 'tv_series_id')
  const personRecords = topic('tmdb-people', 'person_id')
  p.ingest('/catalog/movies', movieRecords)
  p.ingest('/catalog/tv-series', seriesRecords)
  p.ingest('/catalog/people', personRecords)

  p.table('bronze.catalog_records', {
    from: union(movieRecords, seriesRecords, personRecords)
      .map(BronzeRecord, toBronze)
      .select((r) => ({ ...r, process_timestamp: processingTime() })),
  })

  // A table that reads itself keeps what it was made of: a changed SQL applies from the next record on.
  const current = (key: string) =>
    ({
      materialize: merge({ key: [key] }),
      incoming: 'bronze.catalog_records',
      properties: { 'delta.enableChangeDataFeed': 'true' },
      tests: [notNull(key), unique(key)],
      onChange: 'keep',
    }) as const
  const sql = (name: string) => new URL(`./silver/${name}.sql`, import.meta.url)
  p.model('silver.movies', sql('movies'), { ...current('movie_id'), columns: Movie })
  p.model('silver.tv_series', sql('tv_series'), { ...current('tv_series_id'), columns: TvSeries })
  p.model('silver.people', sql('people'), { ...current('person_id'), columns: Person })

  // Each store by itself, from its own cursor.
  p.sync('clickhouse', { target: olap, from: olapSources })
  p.sync('graph', { target: catalogGraph, from: graphSources })
  p.sync('vectors', { target: titleVectors, from: vectorSources })
  p.schedule('half-hourly', {
    cron: '*/30 * * * *',
    zone: 'UTC',
    run: ['kind:model', 'kind:sync'],
    catchUp: 'none',
    retries: 3,
    retryDelayMs: 5 * 60_000,
  })

  searchReads(p)
  entityReads(p)
  graphReads(p)
  peopleReads(p)

  p.dashboard(catalogDashboard)
  p.collect(collector)
  p.simulate(simulator)
  p.load(movies)
  p.load(tvSeries)
  p.load(people)
})
