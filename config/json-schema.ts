import { z } from 'zod'
import { configSchema } from './schema.js'

type Json = { [key: string]: unknown }

/** A text with an environment variable in it is right for every key: what it becomes is known when the file is read. */
const VARIABLE = { type: 'string', pattern: '\\$\\{[A-Za-z_]\\w*(:-[^}]*)?\\}' }

/** The JSON Schema (2020-12) of `async.config.yaml`, for editors; `schema/async.config.schema.json` holds it. */
export function configJsonSchema(): Json {
  const schema = z.toJSONSchema(configSchema, { io: 'input' })
  return { ...asJson(admitVariables(schema)), title: 'async.config.yaml of Errand' }
}

function admitVariables(schema: unknown): unknown {
  if (!isJson(schema)) return schema
  const { description, ...rest } = schema
  const open = isLeaf(rest) ? { anyOf: [...alternatives(rest), VARIABLE] } : inner(rest)
  return description === undefined ? open : { description, ...open }
}

/** Objects and lists stay what they are, with their parts opened. */
function inner(schema: Json): Json {
  const parts: Json = { ...schema }
  if (isJson(schema['properties'])) {
    parts['properties'] = Object.fromEntries(
      Object.entries(schema['properties']).map(([name, part]) => [name, admitVariables(part)]),
    )
  }
  if (isJson(schema['items'])) parts['items'] = admitVariables(schema['items'])
  if (Array.isArray(schema['anyOf'])) parts['anyOf'] = schema['anyOf'].map(admitVariables)
  return parts
}

const alternatives = (schema: Json): unknown[] => (Array.isArray(schema['anyOf']) ? schema['anyOf'] : [schema])

/** Whether a text with a variable could not stand here without help. */
function isLeaf(schema: Json): boolean {
  if (Array.isArray(schema['anyOf'])) return schema['anyOf'].every((part) => isJson(part) && isLeaf(part))
  if (schema['type'] === 'object' || schema['type'] === 'array') return false
  return schema['type'] !== 'string' || 'pattern' in schema || 'enum' in schema
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const asJson = (value: unknown): Json => (isJson(value) ? value : {})
