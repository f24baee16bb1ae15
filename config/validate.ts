import { isDeepStrictEqual } from 'node:util'
import type { core } from 'zod'
import { nearest, show } from '../src/core/options.js'
import { keyText, SECRET_NAMES, type Problem } from './problem.js'
import type { ConfigInput } from './schema.js'
import { configSchema, knownKeys } from './schema.js'
import type { YamlText } from './yaml-text.js'
import { pathId } from './yaml-text.js'

/** What a file or the options of a call say, before it is checked. */
export interface Layer {
  readonly data: unknown
  /** The file it came from; options of a call have none. */
  readonly source: YamlText | undefined
}

export type Validated =
  { readonly kind: 'valid'; readonly input: ConfigInput } | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

type Issue = core.$ZodIssue

/** Checks one layer against the schema. Texts from environment variables are read as numbers or booleans where needed. */
export function validateLayer(layer: Layer): Validated {
  let data = withoutEmptySections(layer.data)
  let issues = check(data)
  const typed = issues === undefined ? data : withTypedVariables(data, issues, layer.source)
  if (!isDeepStrictEqual(typed, data)) {
    data = typed
    issues = check(data)
  }
  if (issues !== undefined) {
    const problems = issues.flatMap((issue) => toProblems(issue, data, layer.source))
    return { kind: 'invalid', problems: problems.toSorted(byPlace) }
  }
  // the schema just said so
  return { kind: 'valid', input: data as ConfigInput }
}

const byPlace = ({ place: a }: Problem, { place: b }: Problem): number =>
  (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0)

function check(data: unknown): Issue[] | undefined {
  return configSchema.safeParse(data).error?.issues.flatMap((issue) => innermost(issue, data))
}

/** A union reports only that nothing matched; what the user meant is the branch that takes a value of that kind. */
function innermost(issue: Issue, data: unknown): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const value = valueAt(data, issue.path)
  if (typeof value !== 'object' || value === null) return [issue]
  const meant = issue.errors.find((branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0))
  return meant?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue]
}

/** `worker:` with nothing below it, all its lines being comments, is a section without keys. */
function withoutEmptySections(data: unknown): unknown {
  if (data === null || data === undefined) return {}
  if (!isRecord(data)) return data
  return Object.fromEntries(Object.entries(data).filter(([name, value]) => !(name === 'worker' && value === null)))
}

function withTypedVariables(data: unknown, issues: readonly Issue[], source: YamlText | undefined): unknown {
  const copy = structuredClone(data)
  for (const { path } of issues) {
    if (source === undefined || !source.substituted.has(pathId(path))) continue
    const parent = valueAt(copy, path.slice(0, -1))
    const name = path.at(-1)
    const value = valueAt(copy, path)
    if (typeof parent !== 'object' || parent === null || name === undefined || typeof value !== 'string') continue
    Reflect.set(parent, name, asTyped(value))
  }
  return copy
}

function asTyped(text: string): unknown {
  const trimmed = text.trim()
  if (trimmed === 'true' || trimmed === 'false') return trimmed === 'true'
  return /^-?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : text
}

function toProblems(issue: Issue, data: unknown, source: YamlText | undefined): Problem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => unknownKey([...issue.path, name], source))
  const isSecret = issue.path.some((part) => SECRET_NAMES.has(String(part))) || source?.substituted.has(pathId(issue.path)) === true
  const value = valueAt(data, issue.path)
  const text = value === null ? 'has no value; give it one, or remove the line' : `${issue.message}${seen(value, isSecret)}`
  return [{ key: keyText(issue.path), text, place: source?.placeOf(issue.path, !isSecret) }]
}

function seen(value: unknown, isSecret: boolean): string {
  if (value === undefined || typeof value === 'object') return ''
  return isSecret && typeof value !== 'boolean' ? '' : `, got ${show(value)}`
}

function unknownKey(path: readonly PropertyKey[], source: YamlText | undefined): Problem {
  const known = knownKeys[path.slice(0, -1).filter((part) => typeof part !== 'number').join('.')] ?? []
  const near = nearest(String(path.at(-1)), known)
  const hint = near === undefined ? `it can be ${known.join(', ')}` : `did you mean "${near}"?`
  return { key: keyText(path), text: `unknown key; ${hint}`, place: source?.placeOf(path, false, true) }
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = Reflect.get(value, part)
  }
  return value
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
