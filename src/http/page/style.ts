/** The look of the built-in pages. Colours have a contrast of 4.5 to 1 at least on their grounds, edges of controls one of 3 to 1. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f2; --card: #ffffff; --ink: #1d2622; --quiet: #55625b; --line: #dfe4df; --edge: #7d8a83;
  --accent: #0f6b50; --accent-ink: #ffffff; --track: #dbe6df; --trouble: #a8321f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121614; --card: #1a201d; --ink: #e8eeea; --quiet: #a3b0a9; --line: #2a332e; --edge: #75837b;
    --accent: #6fd3ac; --accent-ink: #0d1f18; --track: #2c3832; --trouble: #ff9d86;
  }
}
*, *::before, *::after { box-sizing: border-box }
html { font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; -webkit-text-size-adjust: 100% }
body { margin: 0; min-height: 100vh; min-height: 100svh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink) }
main { width: 100%; max-width: 32rem; padding: clamp(1.5rem, 6vw, 2.75rem); background: var(--card); border: 1px solid var(--line); border-radius: 1.125rem; overflow-wrap: anywhere }
h1 { margin: 0 0 .625rem; font-size: clamp(1.5rem, 5vw, 1.875rem); line-height: 1.2; font-weight: 650; letter-spacing: -.015em; text-wrap: balance }
h1:focus { outline: none }
p { margin: 0; text-wrap: pretty }
.lead { color: var(--quiet) }
.mark { display: block; width: 2.75rem; height: 2.75rem; margin: 0 0 1.125rem; margin-inline-start: -.25rem; color: var(--accent) }
.mark.trouble { color: var(--trouble) }
.mark.quiet { color: var(--quiet) }
.indicator { margin: 1.75rem 0 0 }
.indicator progress { display: block; width: 100%; height: .625rem; border: 0; border-radius: 1rem; overflow: hidden; appearance: none; -webkit-appearance: none; background: var(--track); color: var(--accent) }
progress::-webkit-progress-bar { background: var(--track); border-radius: 1rem }
progress::-webkit-progress-value { background: var(--accent); border-radius: 1rem; transition: inline-size .6s ease-out }
progress::-moz-progress-bar { background: var(--accent); border-radius: 1rem }
progress:indeterminate { background: linear-gradient(90deg, var(--track) 0 35%, var(--accent) 50%, var(--track) 65% 100%) 100% 0 / 300% 100%; animation: wait 2.4s ease-in-out infinite }
progress:indeterminate::-webkit-progress-bar { background: transparent }
progress:indeterminate::-moz-progress-bar { background: transparent }
@keyframes wait { from { background-position: 100% 0 } to { background-position: 0 0 } }
.figures { display: flex; align-items: baseline; justify-content: space-between; gap: 1.25rem; margin-top: .75rem }
.figures .message { flex: 1; min-width: 0 }
.figures .percent { font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap }
.note { margin-top: .5rem; font-size: .9375rem; color: var(--quiet) }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.75rem }
.actions form { margin: 0 }
.button { display: inline-block; min-height: 2.75rem; padding: .5625rem 1.25rem; border: 1px solid var(--accent); border-radius: .625rem; background: var(--accent); color: var(--accent-ink); font: inherit; font-weight: 600; line-height: 1.5; text-decoration: none; cursor: pointer }
.button:hover { filter: brightness(1.08) }
.button.calm { background: transparent; border-color: var(--edge); color: var(--ink); font-weight: 500 }
.button.calm:hover { border-color: var(--ink); filter: none }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px }
.hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
[hidden] { display: none }
@media (prefers-reduced-motion: reduce) {
  progress:indeterminate { animation: none; background: repeating-linear-gradient(115deg, color-mix(in srgb, var(--accent) 45%, var(--track)) 0 .75rem, var(--track) .75rem 1.5rem) }
  progress::-webkit-progress-value { transition: none }
}
@media (forced-colors: active) {
  main { border-color: CanvasText }
  .indicator progress { appearance: auto; -webkit-appearance: auto }
}
@media (max-width: 30rem) {
  body { place-items: start stretch; padding: .75rem }
  main { border-radius: .875rem }
  .actions .button { width: 100%; text-align: center }
  .actions, .actions form { flex: 1 1 100% }
}
`.trim()
