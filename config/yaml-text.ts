import type { Alias, Document, Node, Pair, YAMLMap, YAMLSeq } from 'yaml'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { tooDeepAt } from './nesting.js'
import type { Place, Problem } from './problem.js'
import { keyText } from './problem.js'
import { substitute } from './substitute.js'
import { inOwnWords } from './yaml-words.js'

export type Path = readonly (string | number)[]

/** A configuration file as data, with the way back to its lines. */
export interface YamlText {
  readonly data: unknown
  readonly problems: readonly Problem[]
  /** Environment variables that were put in, by path of the text they are in (see {@link pathId}). */
  readonly substituted: ReadonlyMap<string, readonly string[]>
  /** Place of the value at `path`, or of its nearest parent; of the key with `wantsKey`. */
  readonly placeOf: (path: readonly PropertyKey[], isOpen: boolean, wantsKey?: boolean) => Place
}

/** No configuration needs more, and an alias bomb is nothing but many nodes. */
const MOST_NODES = 5000
const MOST_ALIASES = 100
const DEEPEST = 20

/** A path as one text, for maps. */
export const pathId = (path: readonly PropertyKey[]): string => JSON.stringify(path.map(String))

/** Reads YAML and replaces `${NAME}` by environment variables. Whatever the text, this answers with problems, never throws. */
export function readYaml(text: string, file: string, env: NodeJS.ProcessEnv): YamlText {
  return new YamlReader(text, file, env).read()
}

class YamlReader implements YamlText {
  data: unknown
  readonly problems: Problem[] = []
  readonly substituted = new Map<string, readonly string[]>()
  readonly #lines = new LineCounter()
  readonly #keys = new Map<string, number>()
  readonly #values = new Map<string, number>()
  readonly #text: string
  readonly #file: string
  readonly #env: NodeJS.ProcessEnv
  #nodes = 0
  #aliases = 0

  constructor(text: string, file: string, env: NodeJS.ProcessEnv) {
    this.#text = text
    this.#file = file
    this.#env = env
  }

  read(): YamlText {
    const tooDeep = tooDeepAt(this.#text)
    if (tooDeep !== undefined) return this.#refuseAll('is nested too deeply; a configuration has only a few levels', tooDeep)
    try {
      const document = parse(this.#text, this.#lines)
      for (const error of [...document.errors, ...document.warnings]) this.#refuse([], inOwnWords(error.code), error.pos[0])
      const data = this.problems.length === 0 ? this.#toData(document, document.contents, []) : undefined
      // a problem of the whole means that the rest was given up
      if (!this.problems.some((problem) => problem.key === '')) this.data = data
    } catch {
      // the parser has no promise for hostile texts; its error could quote the text, so it is not kept
      return this.#refuseAll('cannot be read as YAML', 0)
    }
    return this
  }

  placeOf = (path: readonly PropertyKey[], isOpen: boolean, wantsKey = false): Place => {
    for (let length = path.length; length > 0; length--) {
      const id = pathId(path.slice(0, length))
      const offset = (wantsKey ? this.#keys : this.#values).get(id) ?? this.#keys.get(id)
      if (offset !== undefined) return this.#placeAt(offset, isOpen)
    }
    return this.#placeAt(this.#values.get(pathId([])) ?? 0, isOpen)
  }

  #toData(document: Document, node: Node | null, path: Path): unknown {
    if (node === null) return null
    const offset = node.range?.[0] ?? 0
    if (!this.#values.has(pathId(path))) this.#values.set(pathId(path), offset)
    this.#nodes++
    if (this.#nodes > MOST_NODES) return this.#refuseOnce('is too much for a configuration', offset)
    if (path.length > DEEPEST) return this.#refuseOnce('is nested too deeply', offset)
    if (isAlias(node)) return this.#aliasToData(document, node, path)
    if (isMap(node)) return this.#mapToData(document, node, path)
    if (isSeq(node)) return this.#listToData(document, node, path)
    return isScalar(node) ? this.#scalarToData(node.value, path) : null
  }

  #aliasToData(document: Document, alias: Alias, path: Path): unknown {
    this.#aliases++
    const offset = alias.range?.[0] ?? 0
    if (this.#aliases > MOST_ALIASES) return this.#refuseOnce('has too many aliases (*name)', offset)
    const target = alias.resolve(document)
    if (target === undefined) return this.#refuse(path, inOwnWords('BAD_ALIAS'), offset)
    return this.#toData(document, target, path)
  }

  #mapToData(document: Document, map: YAMLMap, path: Path): unknown {
    // without a prototype, so that a key called __proto__ is one like any other
    const data = Object.create(null) as Record<string, unknown>
    // stringKeys makes every key a scalar that holds a text
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const name = isScalar(pair.key) ? String(pair.key.value) : ''
      const at = [...path, name]
      const offset = pair.key.range?.[0] ?? 0
      if (name in data) {
        this.#refuse(at, 'stands here a second time; keep one', offset)
        continue
      }
      this.#keys.set(pathId(at), offset)
      data[name] = this.#toData(document, pair.value, at)
    }
    return data
  }

  #listToData(document: Document, list: YAMLSeq, path: Path): unknown {
    // a list that was read from a text holds nodes
    return (list.items as Node[]).map((item, index) => this.#toData(document, item, [...path, index]))
  }

  #scalarToData(value: unknown, path: Path): unknown {
    if (typeof value !== 'string' || !value.includes('${')) return value
    const { text, names, fault } = substitute(value, this.#env)
    if (fault !== undefined) this.#refuse(path, fault, this.#values.get(pathId(path)) ?? 0)
    if (names.length > 0) this.substituted.set(pathId(path), names)
    return text
  }

  /** For what would otherwise be told once per node of a hostile file. */
  #refuseOnce(text: string, offset: number): undefined {
    if (!this.problems.some((problem) => problem.text === text)) this.#refuse([], text, offset)
  }

  #refuse(path: Path, text: string, offset: number): undefined {
    this.problems.push({ key: keyText(path), text, place: this.#placeAt(offset, false) })
  }

  #refuseAll(text: string, offset: number): YamlText {
    this.problems.length = 0
    const line = this.#text.slice(0, offset).split('\n').length
    this.problems.push({ key: '', text, place: { file: this.#file, line, column: 1, source: '', isOpen: false } })
    return this
  }

  #placeAt(offset: number, isOpen: boolean): Place {
    const { line, col } = this.#lines.linePos(offset)
    const start = this.#lines.lineStarts[line - 1] ?? 0
    const end = this.#lines.lineStarts[line] ?? this.#text.length + 1
    const source = this.#text.slice(start, end).replace(/\r?\n$/, '')
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col), source, isOpen }
  }
}

function parse(text: string, lineCounter: LineCounter): Document {
  return parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    // its own check compares every key with every other: minutes for a large file
    uniqueKeys: false,
  })
}
