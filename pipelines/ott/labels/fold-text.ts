/** Lower case, without accents and signs, one space between words: `Đá  bóng!` is `da bong`, `K+` is `k plus`. */
export function foldText(text: string): string {
  return text
    .normalize('NFD')
    .toLowerCase()
    .replaceAll('đ', 'd')
    .replaceAll('+', ' plus ')
    .replaceAll(/\p{M}+/gu, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/**
 * How folded text without spaces sounds to a Vietnamese ear, roughly: letters that people take for each other are one, and a letter that is typed twice counts
 * once. What sounds the same is the same title.
 */
export function soundOf(joined: string): string {
  return joined
    .replaceAll('y', 'i')
    .replaceAll('ph', 'f')
    .replaceAll('tr', 'ch')
    .replaceAll('gi', 'd')
    .replaceAll(/[kq]/g, 'c')
    .replaceAll('x', 's')
    .replaceAll('z', 'd')
    .replaceAll(/(.)\1+/g, '$1')
}
