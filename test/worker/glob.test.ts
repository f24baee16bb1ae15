import { expect } from 'chai'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { expandGlob } from '#worker/glob.js'
import { eachScope } from '../kit/temporary.js'

const FILES = [
  'a.ts',
  'services/mail.ts',
  'services/mail.js',
  'services/sms.ts',
  'services/.hidden.ts',
  'services/deep/er/fax.ts',
  'services/node_modules/x/index.ts',
  'services/(a)+[b].ts',
  'other/mail.ts',
]

describe('A pattern of "services"', () => {
  const scope = eachScope()

  const CASES: readonly (readonly [pattern: string, files: readonly string[]])[] = [
    ['a.ts', ['a.ts']],
    ['./services/mail.ts', ['services/mail.ts']],
    ['./services/s*.ts', ['services/sms.ts']],
    ['services/???.ts', ['services/sms.ts']],
    ['services/m*l.{ts,js}', ['services/mail.js', 'services/mail.ts']],
    ['{services,other}/mail.{ts,{js,mjs}}', ['other/mail.ts', 'services/mail.js', 'services/mail.ts']],
    ['*/mail.ts', ['other/mail.ts', 'services/mail.ts']],
    ['**/*.ts', ['a.ts', 'other/mail.ts', 'services/(a)+[b].ts', 'services/deep/er/fax.ts', 'services/mail.ts', 'services/sms.ts']],
    ['services/**/fax.ts', ['services/deep/er/fax.ts']],
    ['services/**', ['services/(a)+[b].ts', 'services/deep/er/fax.ts', 'services/mail.js', 'services/mail.ts', 'services/sms.ts']],
    ['services/(a)+[b].*', ['services/(a)+[b].ts']],
    ['services/../a.t?', ['a.ts']],
    ['services', []],
    ['nothing/*.ts', []],
  ]
  for (const [pattern, files] of CASES) {
    it(`"${pattern}" names ${files.length === 0 ? 'nothing' : files.join(', ')}`, async () => {
      for (const file of FILES) {
        mkdirSync(dirname(scope().file(file)), { recursive: true })
        writeFileSync(scope().file(file), '')
      }

      const found = await expandGlob(pattern, scope().folder())
      const absolute = await expandGlob(`${scope().folder()}/${pattern}`, '/elsewhere')

      expect(found.map((file) => relative(scope().folder(), file))).to.deep.equal(files)
      expect(absolute).to.deep.equal(found)
    })
  }
})
