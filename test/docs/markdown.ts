/** A fenced block of a Markdown page. */
export interface Block {
  readonly language: string
  readonly text: string
  /** The file named by `<!-- from path -->` on the line above. */
  readonly from: string | undefined
  /** Line of the opening fence, from 1. */
  readonly line: number
}

export function blocksOf(page: string): Block[] {
  const lines = page.split('\n')
  const blocks: Block[] = []
  for (let index = 0; index < lines.length; index++) {
    const opening = /^\s*(```+)\s*(\w*)/.exec(lines[index] ?? '')
    if (opening === null) continue
    const start = index
    const body: string[] = []
    while (++index < lines.length && lines[index]?.trim() !== opening[1]) body.push(lines[index] ?? '')
    const from = /<!-- from (\S+) -->/.exec(lines[start - 1] ?? '')?.[1]
    blocks.push({ language: opening[2] ?? '', text: body.join('\n'), from, line: start + 1 })
  }
  return blocks
}

/** TypeScript that is not, indentation aside, part of the file it names. */
export function snippetProblems(page: string, read: (path: string) => string | undefined): string[] {
  return blocksOf(page).flatMap(({ language, text, from, line }) => {
    if (!['ts', 'typescript', 'tsx'].includes(language)) return []
    if (from === undefined) return [`line ${line}: a snippet without <!-- from path --> above it`]
    const source = read(from)
    if (source === undefined) return [`line ${line}: ${from} does not exist`]
    return contains(source, text) ? [] : [`line ${line}: differs from ${from}`]
  })
}

/** Whether `text` stands in `source`, all of it indented by one amount. */
function contains(source: string, text: string): boolean {
  const wanted = text.split('\n')
  const lines = source.split('\n')
  return lines.some((_, start) => {
    const indents = new Set<number>()
    const isSame = wanted.every((line, offset) => {
      const found = lines[start + offset]
      if (found === undefined || found.trim() !== line.trim()) return false
      if (line.trim() !== '') indents.add(indentOf(found) - indentOf(line))
      return true
    })
    return isSame && indents.size <= 1
  })
}

const indentOf = (line: string): number => line.length - line.trimStart().length

/** Whether `## heading` has exactly one `sh` block with exactly one command. */
export function commandProblems(page: string, heading: string): string[] {
  const section = page.split(/^## /m).find((part) => part.split('\n', 1)[0]?.trim() === heading)
  if (section === undefined) return [`there is no heading "## ${heading}"`]
  const blocks = blocksOf(section).filter(({ language }) => language === 'sh')
  if (blocks.length !== 1) return [`"## ${heading}" has ${blocks.length} sh blocks instead of one`]
  const commands = blocks[0]?.text.split('\n').filter((line) => line.trim() !== '') ?? []
  return commands.length === 1 ? [] : [`the command of "## ${heading}" has ${commands.length} lines instead of one`]
}

/** Relative links whose target is not there. */
export function linkProblems(page: string, exists: (target: string) => boolean): string[] {
  const prose = page.replace(/^\s*```[\s\S]*?^\s*```/gm, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => (match[1] ?? '').replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target) && !exists(target))
    .map((target) => `${target} does not exist`)
}

/** Signs of one person's machine: home folders, and where packages were fetched from. The pieces keep this file clean. */
export function privateTraces(text: string): string[] {
  const patterns = [
    ['/ho', 'me/[a-z][\\w-]*/'],
    ['/Us', 'ers/[A-Za-z]'],
    ['C:\\\\Us', 'ers\\\\'],
    ['(?<![\\w.])/ro', 'ot/'],
    ['/tmp/', 'wt-'],
    ['"reso', 'lved": "https?:'],
    ['^(?:@[\\w-]+:)?regi', 'stry\\s*='],
    ['https?://(?!regi', 'stry\\.npmjs\\.org)[\\w.-]*(?:regi', 'stry|npm-proxy|artifactory|nexus|verdaccio)[\\w.-]*[:/]'],
  ]
  return patterns.flatMap((parts) => {
    const found = new RegExp(parts.join(''), 'm').exec(text)
    return found === null ? [] : [`"${found[0]}"`]
  })
}
