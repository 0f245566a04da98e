// A process of its own for `chdb.test.ts`, because ClickHouse reads files only below its working directory.
//   node chdb-query.ts SQL
// Prints the answer as JSON.
const { query } = await import('chdb')
process.stdout.write(query(process.argv[2]!, 'JSONCompact'))
