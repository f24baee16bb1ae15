import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { array, assert, asyncProperty, constantFrom, oneof, string } from 'fast-check'
import { loadConfig } from '#config/load.js'
import { ErrandError } from '#src/errors.js'
import { failing } from './failing.js'
import { folderWith } from './folder.js'

describe('a hostile configuration', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]`),
  ]
  const rows: Record<string, string> = {
    'an alias bomb': bomb.join('\n'),
    'a circle of aliases': 'a: &a [*a]',
    'many aliases': `a: &a 1\nb: [${Array(500).fill('*a').join()}]`,
    'a thousand levels of brackets': '['.repeat(1000),
    'deep indentation': Array.from({ length: 1500 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
    'deep lists': '- '.repeat(3000),
    'deep lists over several lines': Array.from({ length: 90 }, (_, level) => `${' '.repeat(level)}- - -`).join('\n'),
    'keys within keys on a line': 'a: '.repeat(3000),
    'a thousand anchors': '&a '.repeat(1000),
    'one long key': 'k'.repeat(500_000),
    'brackets in brackets on many lines': '[\n'.repeat(5000),
    'deep question marks': '? '.repeat(3000),
    'many keys': Array.from({ length: 30_000 }, (_, index) => `k${index}: 1`).join('\n'),
  }
  for (const [name, text] of Object.entries(rows)) {
    it(`is refused: ${name}`, async () => {
      expect((await failing(text)).message.length).to.be.lessThan(5000)
    })
  }

  it('of any text is read or refused, and nothing else happens', async function () {
    this.timeout(120_000)
    const cwd = folderWith({})
    const file = join(cwd, 'async.config.yaml')
    const piece = constantFrom(
      'withAsync',
      'worker',
      'broker',
      'keys',
      ': ',
      ':',
      '\n',
      '\n  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '"',
      "'",
      '&a ',
      '*a',
      '!!x ',
      '| ',
      '> ',
      '#',
      '? ',
      '%',
      '---\n',
      '\t',
      '${',
      '}',
      '${HOME}',
      'true',
      '5',
      '30s',
      'amqp://h',
      '__proto__',
      '<<',
      '\u0000',
      '\u2028',
    )
    const texts = oneof(
      string({ unit: 'binary' }),
      array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    )
    await assert(
      asyncProperty(texts, async (text) => {
        writeFileSync(file, text)
        try {
          const config = await loadConfig({ cwd, env: 'test' })
          expect(config.worker.processes).to.be.greaterThan(0)
        } catch (error) {
          expect(error).to.be.instanceOf(ErrandError)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('leaves the prototype of objects alone', async () => {
    await failing('__proto__: { withAsync: true }\nworker: { __proto__: { spawn: false } }')

    expect(Reflect.get({}, 'withAsync')).to.equal(undefined)
  })
})
