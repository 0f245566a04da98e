/**
 * Compare two strings as their UTF-8 bytes compare, which is by code point. JavaScript's own `<` compares
 * UTF-16 units and puts U+1F600 before U+FFFD; object stores and Delta statistics do not.
 */
export function compareUtf8(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let index = 0; index < end; index += 1) {
    const unitA = a.charCodeAt(index)
    const unitB = b.charCodeAt(index)
    if (unitA === unitB) continue
    // Surrogates stand for code points above U+FFFF, yet as units they are below U+E000 to U+FFFF.
    const surrogateA = (unitA & 0xf800) === 0xd800
    const surrogateB = (unitB & 0xf800) === 0xd800
    if (surrogateA !== surrogateB) return surrogateA ? 1 : -1
    return unitA - unitB
  }
  return a.length - b.length
}
