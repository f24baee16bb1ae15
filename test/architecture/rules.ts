import { posix } from 'node:path'
import { layerOf, NODE_MODULES_OF_CORE, PACKAGES, PORTS } from './layers.js'
import { importsOf, lineAt, membersOf, scan } from './scan.js'

/** A source file: its path from the root of the project, with slashes, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** A rule answers a sentence for every place that breaks it. */
export type Rule = (sources: readonly Source[]) => string[]

const MAX_LINES = 300
const MAX_PORT_MEMBERS = 7

/** Rebuilding an error that came in a message is the one reason to make an error of another class. */
const MAKES_ERRORS_OF_USERS = /^src\/core\/codec\//
const OWNS_ITS_PROCESS = /^worker\/(?:main|isolation\/lane-main)\.ts$|^src\/cli\//

export const importsPointDown: Rule = (sources) =>
  sources.flatMap(({ path, text }) => {
    const layer = layerOf(path)
    if (layer === undefined) return [`${path}: belongs to no part of the library; add it to test/architecture/layers.ts`]
    return ownImports(path, text).flatMap((target) => {
      const other = layerOf(target)
      if (other === undefined) return [`${path}: imports ${target}, which is no part of the library`]
      const isAllowed = other === layer || layer.mayImport.includes(other.name)
      return isAllowed ? [] : [`${path}: ${layer.name} must not import ${other.name} (${target})`]
    })
  })

export const frameworksStandAlone: Rule = (sources) =>
  sources.flatMap(({ path, text }) => {
    const own = sources
      .map((source) => source.path)
      .filter((other) => /^src\/frameworks\/(?:express|fastify|koa|hono|nest)\.ts$/.test(other))
    if (!own.includes(path)) return []
    return ownImports(path, text)
      .filter((target) => own.includes(target))
      .map((target) => `${path}: a framework must not import another one (${target})`)
  })

export const noCycles: Rule = (sources) => {
  const graph = new Map(sources.map(({ path, text }) => [path, ownImports(path, text)]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(path)
    if (seen !== -1) found.push(`cycle: ${[...trail.slice(seen), path].join(' -> ')}`)
    if (seen !== -1 || done.has(path)) return
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

export const packagesStayInTheirPlace: Rule = (sources) =>
  sources.flatMap(({ path, text }) =>
    importsOf(text).flatMap(({ from }) => {
      if (from.startsWith('.')) return []
      if (from.startsWith('node:')) {
        const isRefused = path.startsWith('src/core/') && !NODE_MODULES_OF_CORE.includes(from)
        return isRefused ? [`${path}: core must not import ${from}`] : []
      }
      const name = /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from
      return PACKAGES[name]?.test(path) === true ? [] : [`${path}: must not import ${from}`]
    }),
  )

export const filesStaySmall: Rule = (sources) =>
  sources.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    return lines > MAX_LINES ? [`${path}: ${lines} lines, ${MAX_LINES} at most`] : []
  })

export const portsStaySmall: Rule = (sources) =>
  Object.entries(PORTS).flatMap(([path, names]) => {
    const text = sources.find((source) => source.path === path)?.text ?? ''
    return names.flatMap((name) => {
      const members = membersOf(text, name)
      if (members === undefined) return [`${path}: has no interface ${name}; correct test/architecture/layers.ts`]
      return members.length > MAX_PORT_MEMBERS
        ? [`${path}: ${name} has ${members.length} members, ${MAX_PORT_MEMBERS} at most`]
        : []
    })
  })

export const errorsHaveCodes: Rule = (sources) => {
  const ours = new Set(['ErrandError', ...sources.flatMap(({ text }) => subclassesOf(text))])
  return sources.flatMap(({ path, text }) => {
    const made = MAKES_ERRORS_OF_USERS.test(path) ? [] : places(path, text, /\bnew (?:\w*Error|DOMException)\b/g)
    const thrown = places(path, text, /\bthrow\s+(?:new\s+\w+|['"`{[\d])/g)
    return [...made, ...thrown].filter((place) => !ours.has(/new (\w+)$/.exec(place)?.[1] ?? ''))
  })
}

export const namesSayTheIdea: Rule = (sources) =>
  sources.flatMap(({ path }) =>
    /(?:^|[/-])(?:utils?|helpers?|common|misc)(?:[/.-])/.test(path) ? [`${path}: name the idea, not a drawer for many`] : [],
  )

/** Library code leaves the console, the exit code and signals to the application. */
export const processIsLeftAlone: Rule = (sources) =>
  sources.flatMap(({ path, text }) => {
    if (OWNS_ITS_PROCESS.test(path)) return []
    const calls = places(
      path,
      text,
      /\bconsole\s*\.\s*\w+\s*\(|\bprocess\s*\.\s*(?:exit|abort)\s*\(|\bprocess\s*\.\s*exitCode\s*=(?!=)/g,
    )
    const { withTexts } = scan(text)
    return [...calls, ...placesIn(path, withTexts, /\bprocess\s*\.\s*(?:on|once|addListener)\(\s*['"]SIG\w+/g)]
  })

export const namedExportsOnly: Rule = (sources) =>
  sources.flatMap(({ path, text }) => places(path, text, /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g))

/** Paths of the project's own files that `path` imports. */
function ownImports(path: string, text: string): string[] {
  return importsOf(text)
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from }) => posix.join(posix.dirname(path), from).replace(/\.js$/, '.ts'))
}

const subclassesOf = (text: string): string[] =>
  [...scan(text).code.matchAll(/\bclass (\w+) extends ErrandError\b/g)].map((match) => match[1] ?? '')

const places = (path: string, text: string, pattern: RegExp): string[] => placesIn(path, scan(text).code, pattern)

const placesIn = (path: string, code: string, pattern: RegExp): string[] =>
  [...code.matchAll(pattern)].map((match) => `${path}:${lineAt(code, match.index)}: ${match[0].replace(/\s+/g, ' ').trim()}`)
