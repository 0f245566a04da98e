import type { TableDetail } from '../api.ts'
import { bytesText, plain } from '../format.ts'
import { useAnswer } from '../use-answer.ts'
import { type Files, type Partitions, pathOf } from './answers.ts'
import { useTableWords } from './words.ts'

/** Partitions and data files with their sizes. */
export function FilesView({ table }: { readonly table: TableDetail }) {
  const words = useTableWords()
  const partitions = useAnswer<Partitions>(`${pathOf(table.name)}/partitions`, table.version)
  const files = useAnswer<Files>(`${pathOf(table.name)}/files?limit=100`, table.version)
  const parts = partitions.answer
  const most = Math.max(1, ...(parts?.partitions ?? []).map(({ bytes }) => bytes))
  const largest = Math.max(1, ...(files.answer?.files ?? []).map(({ bytes }) => bytes))
  const problem = partitions.problem ?? files.problem
  return (
    <>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      <h2>
        {words('partitions')}
        <small>
          {parts === undefined || parts.count === 0
            ? table.partition_by.join(', ')
            : `${parts.columns.join(', ')}: ${plain(parts.count)}`}
        </small>
      </h2>
      {parts === undefined ? null : parts.count === 0 ? (
        <p className="empty">{words('noPartitions')}</p>
      ) : (
        <div className="scroll tall">
          <table>
            <thead>
              <tr>
                <th>{parts.columns.join(', ')}</th>
                <th> </th>
                <th className="number">{words('size')}</th>
                <th className="number">{words('files')}</th>
                <th className="number">{words('rowCount')}</th>
              </tr>
            </thead>
            <tbody>
              {parts.partitions.map(({ values, bytes, files: count, rows }) => (
                <tr key={values.join('/')}>
                  <td>{values.map((value) => value ?? 'null').join(', ')}</td>
                  <Bar share={bytes / most} />
                  <td className="number">{bytesText(bytes)}</td>
                  <td className="number">{plain(count)}</td>
                  <td className="number">{rows === null ? '–' : plain(rows)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <h2>
        {words('files')}
        <small>
          {plain(files.answer?.count ?? 0)}, {words('largest')}
        </small>
      </h2>
      <div className="scroll tall">
        <table>
          <thead>
            <tr>
              <th>{words('file')}</th>
              <th> </th>
              <th className="number">{words('size')}</th>
              <th className="number">{words('rowCount')}</th>
            </tr>
          </thead>
          <tbody>
            {files.answer?.files.map(({ file, bytes, rows }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: files of two partitions may have one name
              <tr key={`${file} ${index}`}>
                <td className="type cell" title={file}>
                  {file}
                </td>
                <Bar share={bytes / largest} />
                <td className="number">{bytesText(bytes)}</td>
                <td className="number">{rows === null ? '–' : plain(rows)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

const Bar = ({ share }: { readonly share: number }) => (
  <td className="sized">
    <i style={{ width: `${Math.max(1, share * 100)}%` }} />
  </td>
)
