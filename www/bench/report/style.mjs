// How charts look, in the report's page and in the built app's.
import { width } from './bars.mjs';

export const chartStyle = `
:root { color-scheme: light dark; --text: #1d2430; --quiet: #667085; --subject: #0f8a6a; --peer: #c2643c; --other: #3f6fc4; --floor: #9aa4b2; --line: #1d2430; --grid: #e4e7ec; --ground: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ef; --quiet: #98a2b3; --subject: #34c79b; --peer: #e08a5f; --other: #7fa5ef; --floor: #667085; --line: #e6e9ef; --grid: #2a3140; --ground: #14181f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); max-width: ${width}px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem; }
p { margin: .2rem 0; color: var(--quiet); font-size: .85rem; }
svg { width: 100%; height: auto; margin-top: 1.25rem; overflow: visible; }
svg text { font-size: 12px; fill: var(--text); }
svg .row { font-size: 14px; font-weight: 600; }
svg .note { text-anchor: end; fill: var(--quiet); }
svg .label { text-anchor: end; fill: var(--quiet); }
svg .tick { text-anchor: middle; fill: var(--quiet); font-size: 11px; }
svg .failed { fill: var(--peer); }
.subject { fill: var(--subject); } .peer { fill: var(--peer); } .other { fill: var(--other); } .floor { fill: var(--floor); }
.spread { stroke: var(--line); stroke-width: 1.5; opacity: .55; }
.grid { stroke: var(--grid); stroke-width: 1; } .own { stroke: var(--subject); stroke-width: 1.5; }
`;
