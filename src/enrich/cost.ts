/** What tokens cost, in US cents for a million. */
export interface TokenPrices {
  readonly inputCents: number
  readonly outputCents: number
}

/** US dollars. */
export const costUsd = (
  { inputCents, outputCents }: TokenPrices,
  { tokensIn, tokensOut }: { readonly tokensIn: number; readonly tokensOut: number },
): number => (tokensIn * inputCents + tokensOut * outputCents) / 100 / 1_000_000

/** Vietnamese takes more tokens than English: about one for two and a half bytes of UTF-8. An estimate, on the high side. */
const BYTES_PER_TOKEN = 2.5
/** `{"id":123,"label":"Reality Show"},` */
const TOKENS_PER_LABEL = 14

/** What a request will about take, for budgets and dry runs. */
export function estimatedTokens(
  { system, user }: { readonly system: string; readonly user: string },
  textCount: number,
): { readonly tokensIn: number; readonly tokensOut: number } {
  return {
    tokensIn: Math.ceil((Buffer.byteLength(system) + Buffer.byteLength(user)) / BYTES_PER_TOKEN),
    tokensOut: 20 + textCount * TOKENS_PER_LABEL,
  }
}
