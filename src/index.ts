export type { Body, Row } from './model/schema.ts'
export {
  boolean,
  date,
  decimal,
  epoch,
  float64,
  int32,
  int64,
  json,
  list,
  nested,
  optional,
  record,
  text,
  timestamp,
} from './model/schema.ts'
