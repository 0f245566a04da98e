/** Names between commas, in lower case and without accents; a line that begins with # says what the lines below it are. */
export function names(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
