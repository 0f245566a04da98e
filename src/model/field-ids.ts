/**
 * The id of a column, and the ids of what is inside it, level by level: of a struct's columns in their order, of a
 * list's element, of a map's key and value. Absent `children` means that nothing inside is known by id.
 */
export interface FieldIds {
  readonly fieldId: number
  readonly children?: readonly FieldIds[]
}
