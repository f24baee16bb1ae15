/** A configuration is three levels deep; a hundred is a mistake or an attack. */
const DEEPEST = 100
const TOO_WIDE = new RegExp(`^[ \\t]{${DEEPEST}}`, 'm')

/**
 * The offset where a YAML text is nested too deeply to be parsed, counted roughly and from above; `undefined` when it is not. The
 * parser calls itself once a level, and where the stack ends while the engine compiles a pattern, the whole process ends.
 */
export function tooDeepAt(text: string): number | undefined {
  const places = [text.search(TOO_WIDE), crowdedLine(text), deepBracket(text)].filter((offset) => offset >= 0)
  return places.length === 0 ? undefined : Math.min(...places)
}

/** `- - - x` and `? ? ? x` nest on one line. */
function crowdedLine(text: string): number {
  let count = 0
  for (const { 0: found, index } of text.matchAll(/\n|[-?:][ \t]/g)) {
    count = found === '\n' ? 0 : count + 1
    if (count > DEEPEST) return index
  }
  return -1
}

function deepBracket(text: string): number {
  let depth = 0
  for (const { 0: bracket, index } of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1)
    if (depth > DEEPEST) return index
  }
  return -1
}
