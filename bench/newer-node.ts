import { execFileSync } from 'node:child_process'
import type { System } from './system.js'

/** The Node of this process, and the newer one that scripts/bench.mjs has fetched for it, if it has. */
export interface Nodes {
  readonly own: { readonly program: string; readonly version: string }
  readonly newer?: string | undefined
}

const HERE: Nodes = { own: { program: process.execPath, version: process.versions.node }, newer: process.env['ERRAND_BENCH_NEWER_NODE'] }

type Needs = Pick<System, 'oldestNode'>

/** The program that runs the processes of a system: this Node where it is new enough, else the newer one. */
export function nodeFor(system: Needs, { own, newer }: Nodes = HERE): string {
  return isEnough(system, own.version) ? own.program : (newer ?? own.program)
}

/** Why there is no Node for the processes of a system; `undefined` where there is one. */
export function nodeRefusal(system: Needs, { own, newer }: Nodes = HERE): string | undefined {
  if (newer !== undefined || isEnough(system, own.version)) return undefined
  return `it needs Node ${system.oldestNode} or later, this is ${own.version}, and no newer one was fetched; use --peers`
}

/** What the report has to say of the Node of a system: nothing where it is that of the others. */
export function otherNodeOf(system: Needs & Pick<System, 'name'>, nodes: Nodes = HERE): readonly string[] {
  const program = nodeFor(system, nodes)
  return program === nodes.own.program ? [] : [`Node ${execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()} for ${system.name}`]
}

function isEnough({ oldestNode }: Needs, version: string): boolean {
  if (oldestNode === undefined) return true
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = oldestNode.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}
