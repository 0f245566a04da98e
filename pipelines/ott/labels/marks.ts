import type { Category } from './lexicon.ts'

// What is told by form alone, whatever the words are.

/** The service itself, as it is heard and typed. */
export const YOUTUBE = /^(mo |xem |vao )?(you|yo|yu|iu|diu) ?t[uoh]+[bp]e*e?( tv| viet nam)?$/
/** What is said to a remote control before what is meant. */
export const ASKED = /^(mo |vao |xem |tim |cho toi xem |cho xem |bat )+(you ?t[uo]+be? )?(?=\S{2})/

/** Told by form alone. */
export const MARKS: readonly (readonly [Category, RegExp])[] = [
  [
    'TV Channel',
    /(^| )k(enh|)? ?(vtv|htv|sctv|thvl|vtc|vtvcab|btv|hanoitv|scj|antv|ott)[a-z]{0,2} ?\d{0,2}( hd)?( |$)/,
  ],
  [
    'TV Channel',
    /^(dai |xem )?(vtv|htv|sctv|thvl|vtc|vt|hvt|btv|thdt|thtg|bptv|dnrtv|hgtv|tv|stv|atv|ktv|qtv|ltv|tvb)( ?(can tho|cab|c))? ?\d{0,2}( hd)?$/,
  ],
  ['TV Channel', /^(kenh|dai (so|tv|tieng|phat|vinh|ha noi|dong|can|an|binh|thanh pho))\b/],
  ['TV Channel', /(^| )(truyen hinh|thvl)\b/],
  ['TV Channel', /(^| )(vtv|htv|sctv|thvl|vtc) ?\d{1,2}( |$)/],
  ['TV Channel', /^[a-z0-9]{1,6}tv ?\d{0,2}( hd| go| online| truc tiep)?$/],
  ['TV Channel', /^t+r+u+y*e+n+g? ?h+i+n+h+$/],
  ['TV Channel', /^[a-z0-9]+( [a-z0-9]+){0,3} tv( \d{1,2})?( hd)?$/],
  ['Sports', /\bten+i[st]/],
  ['Sports', /\bu ?(1[6-9]|2[0-3])(?![0-9])/],
  ['Sports', /\b\w{2,} (vs|voi doi|gap doi) \w{2,}/],
  ['Sports', /^(xem |truc tiep )?bong( d.?| c| da.*)?$/],
  ['Sports', /(bong ?da|da ?bong|da ?banh|truc ?tiep|the ?thao|giao ?huu|madri|chung ket c1)/],
  ['Music', /\b(karaoke|ka ?ra ?oke|remix|nhac|lien khuc|cai luong|bolero)\b/],
  ['Animation', /(hoat ?hinh|anime\b)/],
]

/** What plays against what: two of them are a match. Names as they are typed, some of them misspelt. */
const COUNTRY =
  'viet ?nam|vn|thai lan|thailand|cam ?pu ?chia|malaysia|malai|indonesia|indo|mi?yanma\\w*|phi?lip?pin\\w*|sing?gapo\\w*|brunei|timor|han quoc|nhat ban|trung quoc|australia|a ?rap|saudi|iraq|iran|oman|uae|qatar|jordan|uzbeki?stan|tajikistan|mong co|yemen|italia|tay ban nha|bo dao nh?\\w+|ha lan|croatia|thuy si|dan mach|ba lan|hungary|cong hoa sec|ukraina|brazil|bra[sz]il|a[rn]g?h?entina|peru|chile|mexico|uruguay|colombia|ecuador|ghana|cameroon|senegal|maroc|xu wales|paraguay|uc|phap|anh quoc|thai'
export const COUNTRIES = new RegExp(`\\b(${COUNTRY})\\b`, 'g')
/** Two countries and little else, written together or by the names that are also common words. */
export const MATCH = new RegExp(
  `^(truc tiep |xem )?(u ?\\d+ ?|nu |tuyen |doi tuyen )?(${COUNTRY}|anh|duc|phap|bi|lao|my|y|sec) ?(vs|gap|va|dau|da)? ?(u ?\\d+ ?|nu )?(${COUNTRY}|anh|duc|phap|bi|lao|my|sec)( .{0,6}| ngay.*| truc tiep.*)?$`,
)

/** Japanese in Latin letters: a word of at least three of its syllables, which no Vietnamese word has. */
export const ROMAJI =
  /^((ky|gy|sh|ch|ts|ny|hy|my|ry|by|py|j|k|s|t|n|h|f|m|y|r|w|g|z|d|b|p)?(aa|ii|uu|ou|oo|ei|a|i|u|e|o)n?){3,}$/
/** Syllables that Korean names in Latin letters are made of, and words of other languages are not. */
export const KOREAN =
  /\b(\w*(eon|eok|eun|yeo|yeon|yoon|yoo|hyu|kyu|gyu|seo|woo|joo|soo|hwa|gwa|kwon|hye|jae|dae|baek|byul)\w*)\b/
