// Reads TypeScript just well enough for the rules of this folder: where comments and texts are, and what is imported.
// TypeScript 7 has no JavaScript API to ask.

/** Views of one source file; all have the same length and lines, so that positions agree. */
export interface Scanned {
  /** Comments are blank; texts are kept. */
  readonly withTexts: string
  /** Comments, texts and regular expressions are blank. */
  readonly code: string
}

export interface Import {
  readonly from: string
  readonly isTypeOnly: boolean
}

export function scan(source: string): Scanned {
  const comments: Range[] = []
  const texts: Range[] = []
  collectRanges(source, comments, texts)
  const withTexts = blank(source, comments)
  return { withTexts, code: blank(withTexts, texts) }
}

/** Everything a file imports: statements, re-exports, `import('…')` of values and types, and `require('…')`. */
export function importsOf(source: string): Import[] {
  const { withTexts, code } = scan(source)
  const found: Import[] = []
  for (const match of withTexts.matchAll(/\b(import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?(['"])([^'"\n]+)\3/g)) {
    if (code.startsWith(match[1] ?? '', match.index)) found.push({ from: match[4] ?? '', isTypeOnly: match[2] !== undefined })
  }
  for (const match of withTexts.matchAll(/\b(import|require)\(\s*(['"])([^'"\n]+)\2/g)) {
    if (code.startsWith(match[1] ?? '', match.index)) found.push({ from: match[3] ?? '', isTypeOnly: false })
  }
  return found
}

/** Number of the line at `index`, from 1. */
export const lineAt = (source: string, index: number): number => source.slice(0, index).split('\n').length

/** Names of the members of `interface <name>` that are written in `source`; `undefined` when there is no such interface. */
export function membersOf(source: string, name: string): string[] | undefined {
  const { code } = scan(source)
  const head = new RegExp(`\\binterface ${name}\\b[^{]*\\{`).exec(code)
  if (head === null) return undefined
  const members: string[] = []
  let depth = 0
  for (const line of code.slice(head.index + head[0].length).split('\n')) {
    const member = /^\s*(?:readonly\s+)?(\w+)\??\s*[(<:]/.exec(line)?.[1]
    if (depth === 0 && member !== undefined) members.push(member)
    for (const char of line) {
      if ('{(['.includes(char)) depth++
      else if ('})]'.includes(char)) depth--
      if (depth < 0) return members
    }
  }
  return members
}

interface Range {
  readonly start: number
  readonly end: number
}

function blank(source: string, ranges: readonly Range[]): string {
  let result = ''
  let at = 0
  for (const { start, end } of ranges) {
    result += source.slice(at, start) + source.slice(start, end).replace(/[^\n]/g, ' ')
    at = end
  }
  return result + source.slice(at)
}

function collectRanges(source: string, comments: Range[], texts: Range[]): void {
  let at = 0
  while (at < source.length) {
    const end = endOfComment(source, at)
    if (end !== undefined) {
      comments.push({ start: at, end })
      at = end
      continue
    }
    const textEnd = endOfText(source, at)
    if (textEnd !== undefined) texts.push({ start: at + 1, end: textEnd - 1 })
    at = textEnd ?? at + 1
  }
}

function endOfComment(source: string, at: number): number | undefined {
  if (source.startsWith('//', at) && !opensRegExp(source, at)) return indexOrEnd(source, '\n', at)
  if (source.startsWith('/*', at)) return indexOrEnd(source, '*/', at + 2) + 2
  return undefined
}

function endOfText(source: string, at: number): number | undefined {
  const quote = source[at]
  if (quote === "'" || quote === '"') return endOfQuoted(source, at, quote)
  if (quote === '`') return endOfTemplate(source, at)
  if (quote === '/' && opensRegExp(source, at)) return endOfRegExp(source, at)
  return undefined
}

function endOfQuoted(source: string, at: number, quote: string): number {
  let index = at + 1
  while (index < source.length && source[index] !== quote && source[index] !== '\n') index += source[index] === '\\' ? 2 : 1
  return index + 1
}

/** Past the closing backtick; what stands in `${…}` is passed over with its own texts. */
function endOfTemplate(source: string, at: number): number {
  let index = at + 1
  while (index < source.length && source[index] !== '`') {
    if (source[index] === '\\') index += 2
    else if (source.startsWith('${', index)) index = endOfSubstitution(source, index + 2)
    else index++
  }
  return index + 1
}

function endOfSubstitution(source: string, at: number): number {
  let depth = 1
  let index = at
  while (index < source.length && depth > 0) {
    const past = endOfText(source, index)
    if (past === undefined && source[index] === '{') depth++
    if (past === undefined && source[index] === '}') depth--
    index = past ?? index + 1
  }
  return index
}

/** A slash begins a regular expression where a value may begin, not after one. */
function opensRegExp(source: string, at: number): boolean {
  if (source[at + 1] === '/' || source[at + 1] === '*') return false
  const before = source.slice(Math.max(0, at - 40), at).trimEnd()
  return before === '' || /(?:[(,=:[!&|?{};+<>~^%*-]|\b(?:return|typeof|case|in|of|await|void))$/.test(before)
}

function endOfRegExp(source: string, at: number): number {
  let index = at + 1
  let isInClass = false
  while (index < source.length && source[index] !== '\n' && (isInClass || source[index] !== '/')) {
    if (source[index] === '\\') index++
    else if (source[index] === '[') isInClass = true
    else if (source[index] === ']') isInClass = false
    index++
  }
  return index + 1
}

function indexOrEnd(source: string, wanted: string, from: number): number {
  const index = source.indexOf(wanted, from)
  return index === -1 ? source.length : index
}
