// How the report page looks: in light and dark, on phones, on paper.

import { colors, darkColors } from "./look.ts";

const { paper, border, ink, muted } = colors;
const dark = (color: string) => darkColors.get(color)!;

/** The chart's colours are attributes, which any rule of a style sheet beats: each gets its dark counterpart. */
const darkChart = [...darkColors]
  .map(([from, to]) => `svg [fill="${from}"]{fill:${to}}svg [stroke="${from}"]{stroke:${to}}`)
  .join("\n    ");

/** The style sheet of the report page. */
export const pageStyle = `
  :root {
    color-scheme: light dark;
    --page: #f6f7f9; --paper: ${paper}; --border: ${border}; --ink: ${ink}; --muted: ${muted};
    --accent: #00744f; --mark: #fff3d6; --markink: #7a4d00;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --page: #0d1117; --paper: ${dark(paper)}; --border: ${dark(border)}; --ink: ${dark(ink)};
      --muted: ${dark(muted)}; --accent: #3ed6a2; --mark: #3a2e12; --markink: #f0c674;
    }
  }
  @media screen and (prefers-color-scheme: dark) {
    svg, svg[fill="${ink}"] { fill: ${dark(ink)}; color: ${dark(ink)}; }
    ${darkChart}
  }
  * { box-sizing: border-box; }
  body {
    margin: 0; padding: 2.5rem 1rem 4rem; background: var(--page); color: var(--ink);
    font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
    -webkit-text-size-adjust: 100%;
  }
  main { max-width: 960px; margin: 0 auto; }
  h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.5rem; letter-spacing: -0.01em; text-wrap: balance; }
  h2 { font-size: 1.1rem; margin: 2.6rem 0 0.8rem; }
  p { margin: 0 0 0.4rem; }
  .name { color: var(--muted); font-weight: 600; overflow-wrap: anywhere; }
  .pixels { width: 40px; height: 40px; object-fit: contain; image-rendering: pixelated; vertical-align: middle; }
  .chart + details, details + details { margin-top: 0.8rem; }
  .lead { font-size: 1.1rem; }
  .muted { color: var(--muted); }
  .card { background: var(--paper); border: 1px solid var(--border); border-radius: 10px; }
  .wide { overflow-x: auto; }
  .chart { margin-top: 2rem; }
  .chart svg { display: block; width: 100%; }
  .chart .tall { display: none; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { padding: 0.45rem 1rem; text-align: left; vertical-align: top; border-top: 1px solid var(--border); }
  thead th { border-top: 0; color: var(--muted); font-weight: 600; font-size: 0.93em; white-space: nowrap; }
  tbody th { font-weight: 400; }
  .number { text-align: right; white-space: nowrap; }
  .best td, .best th { color: var(--accent); font-weight: 650; }
  .lost td, .lost th { color: var(--muted); }
  .settings th, .settings td { padding-block: 0.3rem; }
  .settings thead th { white-space: normal; }
  .tag {
    display: inline-block; padding: 0 0.5em; border-radius: 1em; background: var(--mark); color: var(--markink);
    font-size: 0.87em; font-weight: 600;
  }
  .tag.good { background: color-mix(in srgb, var(--accent) 14%, transparent); color: var(--accent); }
  ol.decisions { list-style: none; margin: 0; padding: 0; }
  .decisions li { padding: 0.75rem 1rem; border-top: 1px solid var(--border); overflow-wrap: anywhere; }
  .decisions li:first-child { border-top: 0; }
  .decisions strong { font-weight: 650; margin-right: 0.5em; }
  .decisions li { display: grid; grid-template-columns: auto 1fr auto; align-items: baseline; }
  .decisions .at { grid-column: 3; color: var(--muted); font-variant-numeric: tabular-nums; }
  .decisions .tag { justify-self: start; white-space: nowrap; }
  .decisions div { grid-column: 1 / -1; }
  summary { padding: 0.7rem 1rem; cursor: pointer; font-weight: 600; }
  details .wide { border-top: 1px solid var(--border); font-size: 0.87rem; }
  details th, details td { padding: 0.25rem 0.8rem; }
  footer { margin-top: 3rem; color: var(--muted); font-size: 0.87rem; }
  @media (max-width: 700px) {
    body { padding: 1.5rem 0.75rem 3rem; }
    h1 { font-size: 1.5rem; }
    th, td { padding: 0.4rem 0.5rem; }
    table { font-size: 0.82rem; }
    .decisions .at { grid-column: 1 / -1; font-size: 0.87rem; }
    .chart .broad { display: none; }
    .chart .tall { display: block; max-width: 460px; margin: 0 auto; }
  }
  @media print {
    :root {
      --page: #fff; --paper: ${paper}; --border: ${border}; --ink: ${ink}; --muted: ${muted};
      --accent: #00744f; --mark: #fff3d6; --markink: #7a4d00;
    }
    body { padding: 0; font-size: 11px; }
    .chart .broad { display: block; }
    .chart .tall { display: none; }
    .chart, tr, li { break-inside: avoid; }
    h2 { break-after: avoid; margin-top: 1.6rem; }
    .wide { overflow: visible; }
    .chart svg { max-height: 150mm; }
    section:has(details:not([open])) { display: none; }
  }
`;
