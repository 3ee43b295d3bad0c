import { trusted } from './html.ts';

/** The style of the page: for the screen, and for paper. */
export const PAGE_STYLE = trusted(`
:root { --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --force: #1f4e79; --lifted: #9db7cf; --refused: #9a3412; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 64rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.35rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 2px solid var(--ink); }
.sub { color: var(--soft); margin: .25rem 0 1rem; }
.about { color: var(--soft); margin: .4rem 0; max-width: 52rem; }
.figures { display: grid; grid-template-columns: repeat(3, 1fr); gap: .75rem; margin: 1.5rem 0 0; }
.figures div { border: 1px solid var(--line); border-radius: 6px; padding: .6rem .9rem; display: flex;
  flex-direction: column-reverse; justify-content: flex-end; }
.figures dt { color: var(--soft); font-size: .9rem; }
.figures dd { margin: 0; font-size: 1.9rem; font-weight: 650; line-height: 1.2; }
figure { margin: 1.2rem 0; }
figcaption { color: var(--soft); font-size: .85rem; }
svg { width: 100%; height: auto; display: block; font-family: inherit; }
svg text { font-size: 12.5px; fill: var(--ink); }
svg .label { font-weight: 600; }
svg .told, svg .days text { fill: var(--soft); }
svg .grid line { stroke: var(--line); stroke-width: 1; }
svg .in-force { fill: var(--force); }
svg .lifted { fill: var(--lifted); }
svg .end { stroke: var(--force); stroke-width: 2; }
svg .mark { stroke: var(--refused); stroke-width: 3; fill: none; }
table { width: 100%; border-collapse: collapse; margin: 1.2rem 0; font-size: .88rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; font-size: .95rem; }
th, td { text-align: left; vertical-align: top; padding: .28rem .6rem .28rem 0; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--ink); }
.day th { background: #f3f5f8; padding: .5rem .6rem; font-weight: 500; }
.day time { font-weight: 700; margin-right: .6rem; white-space: nowrap; }
.number { color: var(--soft); text-align: right; padding-left: .4rem; }
.answer { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: .82rem; }
.refused .answer { color: var(--refused); font-weight: 600; }
.recorded { color: var(--soft); font-size: .8rem; }
td { overflow-wrap: break-word; }
footer { margin-top: 3rem; color: var(--soft); font-size: .9rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  .figures { grid-template-columns: repeat(2, 1fr); }
  figure, table { display: block; overflow-x: auto; }
  svg { min-width: 46rem; }
}
@media print {
  @page { margin: 14mm; }
  html { font-size: 8.5pt; }
  body { padding: 0; max-width: none; font-size: 1rem; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  section { break-before: page; }
  thead { display: table-header-group; }
  tr, figure, .figures div { break-inside: avoid; }
}
`);
