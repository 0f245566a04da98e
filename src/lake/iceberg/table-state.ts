import { TableMissingError } from '../errors.ts'
import type { CatalogEntry } from './catalog.ts'
import type { IcebergTools } from './deps.ts'

/** A table with the newest state that this process has seen of it. */
export class TableState {
  readonly tools: IcebergTools
  readonly name: string
  #known: CatalogEntry | undefined

  constructor(tools: IcebergTools, name: string) {
    this.tools = tools
    this.name = name
  }

  /** @throws TableMissingError */
  async newest(signal?: AbortSignal): Promise<CatalogEntry> {
    const entry = await this.tools.catalog.load(this.name, signal)
    if (entry === undefined)
      throw new TableMissingError(
        `There is no Iceberg table ${this.name}: its catalog knows none, or its folder holds no metadata.`,
      )
    return this.remember(entry)
  }

  /** A state that was the newest a short while ago; good enough to write on top of, as a commit finds out. */
  async recent(signal?: AbortSignal): Promise<CatalogEntry> {
    return this.#known ?? this.newest(signal)
  }

  remember(entry: CatalogEntry): CatalogEntry {
    this.#known = entry
    return entry
  }
}
