// The tests in several processes side by side: most of them wait, for servers to start, to stop and to be missed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** Tests that a shard of their own runs, by patterns below build/test; the longest first. */
const APART = {
  'RabbitMQ alone, a to e': ['broker/rabbitmq-[a-e]*'],
  'RabbitMQ alone, f to z': ['broker/rabbitmq-[f-z]*'],
  'real workers': ['worker/**/*'],
  states: ['states/*', 'cancel/*', 'outbox/*', 'transactions/*', 'dead-letters/*', 'store/*'],
  'composition, frameworks and examples': ['composition/*', 'frameworks/*', 'examples*'],
  'orders and pages': ['http/*', 'orders/*', 'browser/*'],
  'acceptance and commands': ['acceptance/*', 'cli/*'],
}

/** So many run at a time; more would be in each other's way on two processors. */
export const AT_ONCE = 4

/** Arguments for mocha, by the name of the shard; together they run every test once. `without` are patterns to leave out. */
export function shards(without = []) {
  const { spec, reporter, timeout, 'node-option': nodeOptions } = JSON.parse(readFileSync(join(root, '.mocharc.json'), 'utf8'))
  const common = ['--no-config', '--reporter', reporter, '--timeout', String(timeout), '--forbid-only']
  for (const option of nodeOptions) common.push('--node-option', option)
  const ignore = (patterns) => patterns.flatMap((pattern) => ['--ignore', pattern])
  const files = (names) => names.map((name) => `build/test/${name}.test.js`)
  const left = new Set(without)
  const apart = Object.entries(APART)
    .map(([name, names]) => [name, files(names).filter((pattern) => !left.has(pattern))])
    .filter(([, patterns]) => patterns.length > 0)
  const rest = [...spec, ...ignore([...Object.values(APART).flatMap(files), ...without])]
  return [['the others', [...common, ...rest]], ...apart.map(([name, patterns]) => [name, [...common, ...patterns, ...ignore(without)]])]
}
