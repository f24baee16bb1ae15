import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import * as rules from './architecture/rules.js'
import type { Rule, Source } from './architecture/rules.js'
import { importsOf, membersOf, scan } from './architecture/scan.js'

const at = (path: string, text = ''): Source => ({ path, text })
const lines = (count: number): string => 'export {}\n'.repeat(count)

interface Planted {
  readonly rule: Rule
  readonly holds: string
  /** Each of these must be refused, and nothing but these. */
  readonly bad: readonly (readonly Source[])[]
  readonly good: readonly Source[]
}

const PLANTED: readonly Planted[] = [
  {
    rule: rules.importsPointDown,
    holds: 'imports point down',
    bad: [
      [at('src/core/clock.ts', "import { x } from '../runtime/call.js'"), at('src/runtime/call.ts')],
      [at('src/core/clock.ts', "import type { Broker } from '../broker/broker.js'")],
      [at('src/runtime/call.ts', "const x = await import('../broker/sqlite/open.js')")],
      [at('src/broker/sqlite/open.ts', "export { x } from '../rabbitmq/options.js'")],
      [at('src/broker/rabbitmq/link/connection.ts', "import type { x } from '../publish/sender.js'")],
      [at('src/broker/rabbitmq/publish/sender.ts', "import type { x } from '../consume/runs.js'")],
      [at('src/compose/broker.ts', "import { x } from '../broker/rabbitmq/link/options.js'")],
      [at('worker/loop.ts', "import { x } from '../src/frameworks/express.js'")],
      [at('worker/supervisor.ts', "import { x } from './loop.js'")],
      [at('src/carriers/otel.ts', "type X = import('../runtime/runtime.js').Runtime")],
      [at('src/somewhere/new.ts')],
    ],
    good: [
      at('src/core/clock.ts', "// import { x } from '../runtime/call.js'\nimport { y } from '../errors.js'"),
      at('src/core/codec/encode.ts', "import { y } from '../clock.js'\nimport { z } from '../../errors.js'"),
      at('worker/loop.ts', "import { x } from '../src/runtime/runtime.js'\nimport { y } from './supervisor.js'"),
      at('src/compose.ts', "await import('./broker/rabbitmq/open.js')"),
    ],
  },
  {
    rule: rules.frameworksStandAlone,
    holds: 'no framework knows another',
    bad: [[at('src/frameworks/express.ts', "import { x } from './fastify.js'"), at('src/frameworks/fastify.ts')]],
    good: [at('src/frameworks/express.ts', "import { x } from './http.js'"), at('src/frameworks/http.ts')],
  },
  {
    rule: rules.noCycles,
    holds: 'there is no cycle of imports, types included',
    bad: [
      [at('src/core/a.ts', "import { b } from './b.js'"), at('src/core/b.ts', "import type { a } from './a.js'")],
      [at('src/core/a.ts', "import { a } from './a.js'")],
    ],
    good: [
      at('src/core/a.ts', "import { b } from './b.js'"),
      at('src/core/b.ts', "import { c } from './c.js'"),
      at('src/core/c.ts'),
    ],
  },
  {
    rule: rules.packagesStayInTheirPlace,
    holds: 'each package is imported in its own place only',
    bad: [
      [at('src/broker/sqlite/open.ts', "import { connect } from 'amqplib'")],
      [at('src/runtime/call.ts', "import type { z } from 'zod'")],
      [at('src/start.ts', "import { parse } from 'yaml'")],
      [at('worker/main.ts', "import { Command } from 'commander'")],
      [at('src/core/codec/encode.ts', "const ct = require('class-transformer')")],
      [at('src/core/clock.ts', "import { readFileSync } from 'node:fs'")],
      [at('src/core/clock.ts', "import 'left-pad'")],
    ],
    good: [
      at('src/broker/rabbitmq/open.ts', "import { connect } from 'amqplib'"),
      at('worker/main.ts', "import { readFileSync } from 'node:fs'"),
    ],
  },
  {
    rule: rules.filesStaySmall,
    holds: 'no file is longer than 300 lines',
    bad: [[at('src/core/long.ts', lines(301))]],
    good: [at('src/core/long.ts', lines(300))],
  },
  {
    rule: rules.errorsHaveCodes,
    holds: 'every error of the library is an ErrandError',
    bad: [
      [at('src/core/a.ts', "throw new Error('x')")],
      [at('src/core/a.ts', "return Promise.reject(new TypeError('x'))")],
      [at('src/core/a.ts', "throw 'x'")],
      [at('src/core/a.ts', 'throw { code: 1 }')],
      [at('src/core/a.ts', 'throw new Failure()')],
    ],
    good: [
      at(
        'src/core/a.ts',
        "// throw new Error('x')\nconst text = 'throw new Error()'\nthrow new ErrandError('CALL_INVALID', 'x')",
      ),
      at('src/core/b.ts', 'try { f() } catch (error) { throw error }'),
      at('src/core/c.ts', 'class Refusal extends ErrandError {}\nthrow new Refusal()'),
      at('src/core/codec/decode.ts', 'return new RangeError(message)'),
    ],
  },
  {
    rule: rules.namesSayTheIdea,
    holds: 'no file is called utils, helpers or common',
    bad: [[at('src/core/utils.ts')], [at('src/core/string-helpers.ts')], [at('src/common/a.ts')]],
    good: [at('src/core/backoff.ts'), at('src/core/commons-of-boston.ts')],
  },
  {
    rule: rules.processIsLeftAlone,
    holds: 'only the worker and the command line own their process',
    bad: [
      [at('src/core/a.ts', "console.log('x')")],
      [at('src/runtime/a.ts', 'process.exit(1)')],
      [at('worker/loop.ts', "process.on('SIGTERM', stop)")],
    ],
    good: [
      at('worker/main.ts', "process.once('SIGTERM', stop); process.exit(0)"),
      at('src/cli/main.ts', "console.log('x')"),
      at('src/core/a.ts', "/** `console.log(x)` fits */ const text = 'console.log(1)'"),
    ],
  },
  {
    rule: rules.namedExportsOnly,
    holds: 'exports have names',
    bad: [[at('src/core/a.ts', 'export default class A {}')], [at('src/core/a.ts', 'const a = 1\nexport { a as default }')]],
    good: [at('src/core/a.ts', "export class A {}\nconst text = 'export default'")],
  },
]

describe('The shape of the library', function () {
  this.timeout(120_000) // the linter is another process
  const sources = ['src', 'worker', 'config'].flatMap(readSources)

  for (const { rule, holds, bad, good } of PLANTED) {
    it(holds, () => expect(rule(sources)).to.deep.equal([]))

    it(`a planted case is caught: ${holds}`, () => {
      for (const planted of bad) expect(rule(planted), JSON.stringify(planted)).to.have.lengthOf.at.least(1)
      expect(rule(good)).to.deep.equal([])
    })
  }

  it('a port has seven members at most', () => expect(rules.portsStaySmall(sources)).to.deep.equal([]))

  it('a planted case is caught: a port with eight members, or one that was renamed', () => {
    const members = Array.from(
      { length: 8 },
      (_, index) => `  /** comment: { */ m${index}(a: { b: string },\n    c: number): void`,
    )
    const grown = sources.map((source) =>
      source.path === 'src/core/clock.ts' ? { ...source, text: `export interface Clock {\n${members.join('\n')}\n}` } : source,
    )
    expect(rules.portsStaySmall(grown)).to.deep.equal(['src/core/clock.ts: Clock has 8 members, 7 at most'])
    expect(rules.portsStaySmall(sources.filter(({ path }) => path !== 'src/core/clock.ts'))).to.have.lengthOf(1)
  })

  it('no function is longer than 50 lines', () => {
    const findings = lint(['src', 'worker', 'config']).filter((finding) => finding.includes('max-lines-per-function'))
    expect(findings).to.deep.equal([])
  })

  it('the linter refuses long functions, floating and misused promises, any, and loose comparisons', () => {
    const planted = [
      `export function long(): void {\n${'  short()\n'.repeat(50)}}`,
      'export function short(): void {}',
      'export async function work(): Promise<void> {}',
      'export function go(a: any): void {\n  work()\n  if (a == 1) [1].forEach(async () => work())\n}\n',
    ]
    const findings = lintText(planted.join('\n')).join('\n')
    const refused = ['max-lines-per-function', 'no-floating-promises', 'no-misused-promises', 'no-explicit-any', 'eqeqeq']
    for (const rule of refused) expect(findings).to.include(rule)
  })
})

describe('The scanner of the architecture rules', () => {
  it('keeps code, and blanks comments, texts, templates and regular expressions', () => {
    const source = 'a("//x") /* y */ + `t${b("}")}u` // z\nc(/[/"]/.test(d)) / 2\n'
    expect(scan(source).code.replace(/ +/g, ' ')).to.equal('a(" ") + ` ` \nc(/ /.test(d)) / 2\n')
  })

  it('finds every form of import', () => {
    const source = [
      "import { a,\n  b } from 'one'",
      "import type { c } from 'two'",
      "import 'three'",
      "export * as x from 'four'",
      "export type { y } from 'five'",
      "const z = await import('six')",
      "type T = import('seven').T",
      "require('eight')",
      "// import 'nine'",
      'const text = "import \'ten\'"',
    ].join('\n')
    expect(importsOf(source).map(({ from }) => from)).to.deep.equal([
      'one',
      'two',
      'three',
      'four',
      'five',
      'six',
      'seven',
      'eight',
    ])
  })

  it('counts the members of an interface, not those inside them', () => {
    const source =
      'interface Box extends Lid {\n  readonly a: { b: number\n    c: number }\n  /** d: text */\n  e?(f: string): void\n}\nconst g = { h: 1 }'
    expect(membersOf(source, 'Box')).to.deep.equal(['a', 'e'])
    expect(membersOf(source, 'Bag')).to.equal(undefined)
  })
})

function readSources(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = join(folder, name)
      return { path: path.split(sep).join('/'), text: readFileSync(path, 'utf8') }
    })
}

/** What the linter says of `paths` under this project's configuration, a line for each finding. */
function lint(paths: readonly string[], flags: readonly string[] = []): string[] {
  const linter = join('node_modules', 'oxlint', 'bin', 'oxlint')
  const args = [linter, '--config', '.oxlintrc.json', '--format', 'unix', ...flags, ...paths]
  const { stdout, error } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  expect(stdout, 'the linter ran').to.match(/\d+ problems?|^$/)
  return stdout.split('\n')
}

function lintText(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'errand-lint-'))
  try {
    writeFileSync(join(folder, 'planted.ts'), text)
    return lint([folder], ['--no-ignore', '--type-aware'])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
