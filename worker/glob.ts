import { readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'

/** A pattern cut at its slashes: names that are taken as they are, patterns of one name, and `**` for any depth. */
type Part = string | RegExp | typeof ANY_DEPTH

const ANY_DEPTH = Symbol('**')

/**
 * The files that `pattern` names, absolute and sorted. It knows `*`, `?`, `**` and `{a,b}`; these never match folders called
 * `node_modules` or names that begin with a dot. A path without any of them is that file.
 */
export async function expandGlob(pattern: string, baseDir: string): Promise<readonly string[]> {
  const found = await Promise.all(expandBraces(pattern).map((plain) => expandPlain(plain, baseDir)))
  return [...new Set(found.flat())].toSorted()
}

async function expandPlain(pattern: string, baseDir: string): Promise<readonly string[]> {
  const named = pattern.split('/').map(toPart)
  const parts = named.at(-1) === ANY_DEPTH ? [...named, /^/] : named
  const firstWild = parts.findIndex((part) => typeof part !== 'string')
  if (firstWild === -1) return keepFiles([resolve(baseDir, pattern)])
  const fixed = pattern.split('/').slice(0, firstWild).join('/')
  return walk(resolve(baseDir, fixed === '' && pattern.startsWith('/') ? '/' : fixed), parts.slice(firstWild))
}

async function walk(folder: string, [part, ...rest]: readonly Part[]): Promise<readonly string[]> {
  if (part === undefined) return keepFiles([folder])
  if (typeof part === 'string') return walk(resolve(folder, part), rest)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const visible = entries.filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules')
  const matching = part === ANY_DEPTH ? visible.filter((entry) => entry.isDirectory()) : visible.filter((entry) => part.test(entry.name))
  const deeper = matching.map((entry) => walk(resolve(folder, entry.name), part === ANY_DEPTH ? [part, ...rest] : rest))
  const here = part === ANY_DEPTH ? walk(folder, rest) : []
  return (await Promise.all([here, ...deeper])).flat()
}

async function keepFiles(paths: readonly string[]): Promise<readonly string[]> {
  const kept = await Promise.all(paths.map(async (path) => ((await stat(path).catch(() => undefined))?.isFile() === true ? [path] : [])))
  return kept.flat()
}

function toPart(name: string): Part {
  if (name === '**') return ANY_DEPTH
  if (!/[*?]/.test(name)) return name
  const source = name.replaceAll(/[.+^$|()[\]\\{}]/g, '\\$&').replaceAll(/\*+/g, '.*').replaceAll('?', '.')
  return new RegExp(`^${source}$`)
}

/** `a.{ts,js}` becomes `a.ts` and `a.js`; innermost braces first, so that they may be nested. */
function expandBraces(pattern: string): readonly string[] {
  const match = /^(.*)\{([^{}]*)\}(.*)$/s.exec(pattern)
  if (match === null) return [pattern]
  const [, before = '', choices = '', after = ''] = match
  return choices.split(',').flatMap((choice) => expandBraces(`${before}${choice}${after}`))
}
