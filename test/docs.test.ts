import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import { ERROR_CODES } from '#src/errors.js'
import { blocksOf, commandProblems, linkProblems, privateTraces, snippetProblems } from './docs/markdown.js'

const TRACKED = trackedFiles()
const PAGES = TRACKED.filter((path) => path === 'README.md' || /^docs\/.*\.md$/.test(path))
const read = (path: string): string => readFileSync(path, 'utf8')

describe('The documents', () => {
  it('explain every error code, and none that does not exist', () => {
    const explained = [...read('docs/errors.md').matchAll(/^### (.+)$/gm)].map((match) => match[1])
    expect(explained).to.have.members(Object.keys(ERROR_CODES))
  })

  it('say for every error code when it happens and what to do', () => {
    for (const section of read('docs/errors.md').split(/^### /m).slice(1)) {
      const code = section.split('\n', 1)[0]
      expect(section, code).to.match(/^\*When:\* .+/m)
      expect(section, code).to.match(/^\*Do:\* .+/m)
    }
  })

  it('have a README of less than 150 lines', () => {
    expect(read('README.md').trimEnd().split('\n')).to.have.lengthOf.below(150)
  })

  for (const heading of ['Try it', 'Tests']) {
    it(`give exactly one command under "${heading}" in the README`, () => {
      expect(commandProblems(read('README.md'), heading)).to.deep.equal([])
    })
  }

  it('show no program that is not in a file that runs', () => {
    const problems = PAGES.flatMap((page) => snippetProblems(read(page), readIfThere).map((problem) => `${page}: ${problem}`))
    expect(problems).to.deep.equal([])
  })

  it('link only to what is there', () => {
    const pages = TRACKED.filter((path) => path.endsWith('.md'))
    const problems = pages.flatMap((page) =>
      linkProblems(read(page), (target) => existsSync(posix.join(posix.dirname(page), target))).map(
        (problem) => `${page}: ${problem}`,
      ),
    )
    expect(problems).to.deep.equal([])
  })

  it('name no private registry and no path of somebody’s machine, in any file of the project', () => {
    const problems = TRACKED.filter(isText).flatMap((path) => privateTraces(read(path)).map((trace) => `${path}: ${trace}`))
    expect(problems).to.deep.equal([])
  })

  it('are ready for release when the changelog says so', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string } // npm refuses a package without one
    expect(read('CHANGELOG.md')).to.match(new RegExp(`^## ${version.replaceAll('.', '\\.')}$`, 'm'))
  })
})

describe('The checks of the documents', () => {
  it('find the blocks of a page with their language and source', () => {
    const page = 'a\n<!-- from x.ts -->\n```ts\nb\n```\n```sh\nc\n```\n'
    expect(blocksOf(page)).to.deep.equal([
      { language: 'ts', text: 'b', from: 'x.ts', line: 3 },
      { language: 'sh', text: 'c', from: undefined, line: 6 },
    ])
  })

  it('refuse a snippet without a source, and one that differs from it', () => {
    const files: Record<string, string> = { 'x.ts': 'if (a) {\n  b()\n\n  if (c) d()\n}\n' }
    const problemsOf = (page: string) => snippetProblems(page, (path) => files[path])
    expect(problemsOf('<!-- from x.ts -->\n```ts\nb()\n\nif (c) d()\n```\n')).to.deep.equal([])
    expect(problemsOf('```ts\nb()\n```\n')).to.have.lengthOf(1)
    expect(problemsOf('<!-- from x.ts -->\n```ts\nb(1)\n```\n')).to.have.lengthOf(1)
    expect(problemsOf('<!-- from x.ts -->\n```ts\nif (a) {\nb()\n```\n')).to.have.lengthOf(1)
    expect(problemsOf('<!-- from y.ts -->\n```ts\nb()\n```\n')).to.have.lengthOf(1)
  })

  it('refuse a heading without a command, with two blocks, or with two lines', () => {
    const block = '```sh\nnpm test\n```\n'
    expect(commandProblems(`## Tests\n${block}## Next\n${block}`, 'Tests')).to.deep.equal([])
    for (const page of ['', '## Tests\n', `## Tests\n${block}${block}`, '## Tests\n```sh\na\nb\n```\n']) {
      expect(commandProblems(page, 'Tests'), page).to.have.lengthOf(1)
    }
  })

  it('refuse a link to a file that is gone, and leave the web alone', () => {
    const page = '[a](b.md) [c](gone.md#x) [d](https://example.org) [e](#here)\n```ts\nf[0](gone)\n```\n'
    expect(linkProblems(page, (target) => target === 'b.md')).to.deep.equal(['gone.md does not exist'])
  })

  it('see a home folder, a temporary checkout and a private registry', () => {
    // in pieces, so that this file is clean
    const traces = [
      '/ho~me/ada/x',
      '/Us~ers/ada/x',
      'C:\\Us~ers\\ada',
      ' /ro~ot/x',
      '"reso~lved": "https://npm.example.org/x.tgz"',
      'regi~stry=https://x',
    ]
    for (const trace of traces) expect(privateTraces(trace.replace('~', '')), trace).to.have.lengthOf(1)
    expect(privateTraces('from https://registry.npmjs.org/ into test/worker/home')).to.deep.equal([])
  })
})

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? read(path) : undefined
}

/** What git knows and has not been deleted since; outside a git checkout every file that is neither installed nor compiled. */
function trackedFiles(): string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    return listed.split('\0').filter((path) => path !== '' && existsSync(path))
  } catch {
    const made = new Set(['.git', ...readFileSync('.gitignore', 'utf8').split('\n')])
    return filesIn('.', (name) => !made.has(name))
  }
}

function filesIn(folder: string, isWanted: (name: string) => boolean): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => isWanted(name))
    .flatMap((entry) =>
      entry.isDirectory() ? filesIn(posix.join(folder, entry.name), isWanted) : [posix.join(folder, entry.name)],
    )
}

function isText(path: string): boolean {
  return !/\.(?:png|jpg|gif|ico|woff2?)$/.test(path) && path !== 'node_modules'
}
