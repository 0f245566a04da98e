/** The style of the page at `/docs`: a file of its own, because its policy allows none within the page. */
export const DOCS_STYLE = `
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5c6878;--line:#dfe4ea;--page:#f7f8fa;--card:#fff;--accent:#0b7285}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#93a0b0;--line:#2a323c;--page:#12161b;--card:#191f26;--accent:#4dc4d8}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
header,main{max-width:54rem;margin:0 auto;padding:0 1.25rem}header{padding-top:3rem}
h1{font-size:1.6rem;margin:0;letter-spacing:-.01em}h2{font-size:1.15rem;margin:0 0 .5rem}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
nav{display:flex;flex-wrap:wrap;gap:.5rem 1rem;margin:1rem 0 2rem}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.25rem 1.4rem;margin:0 0 1.25rem}
.paths{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:0 0 .5rem}
.paths span{font-weight:600;font-size:.8rem;color:var(--accent)}
code,pre{font:.875em/1.5 ui-monospace,monospace}.paths code{background:var(--page);padding:.1rem .45rem;border-radius:5px}
pre{background:var(--page);border-radius:8px;padding:.9rem 1rem;overflow:auto;margin:1rem 0 0}
table{border-collapse:collapse;width:100%}th{text-align:left;font-size:.8rem;font-weight:500;color:var(--soft)}
th,td{padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}tr:last-child td{border-bottom:0}
small{color:var(--soft)}`
