import { pipeline, processingTime, union } from 'mekong'
import { movies, people, tvSeries } from './loader.ts'
import { BronzeRecord, CatalogRecord, toBronze } from './schema.ts'

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

  p.load(movies)
  p.load(tvSeries)
  p.load(people)
})
