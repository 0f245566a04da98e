/** For `compileScan` and `compileChanges`: plans of Delta tables never need a look into the files first. */
export const nothingToLookInto = async (): Promise<never> => {
  throw new Error('a plan of a Delta table wanted to look into its files')
}
