import { expect } from 'chai'
import { array, assert, asyncProperty, constantFrom, oneof, string } from 'fast-check'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { loadConfig } from '#config/load.js'
import { ErrandError } from '#src/errors.js'
import { folderWith, setVariables } from './folder.js'

const failing = async (text: string, name = 'async.config.yaml'): Promise<ErrandError> => {
  const error: unknown = await loadConfig({ cwd: folderWith({ [name]: text }), env: 'test' }).then(() => undefined, (reason: unknown) => reason)
  expect(error, `no failure for ${JSON.stringify(text)}`).to.be.instanceOf(ErrandError)
  const failed = error as ErrandError // the line above says so
  expect(failed.code).to.equal('CONFIG_INVALID')
  return failed
}

const problems = async (text: string, name?: string): Promise<string> => {
  const { message } = await failing(text, name)
  return message.slice(message.indexOf('\n') + 1)
}

describe('a configuration with a mistake', () => {
  it('shows an unknown key with the line, a caret and the nearest name', async () => {
    expect(await problems('withAsync: true\nworker:\n  # how many\n  concurency: 5\n')).to.equal(
      'worker.concurency: unknown key; did you mean "concurrency"?\n  at async.config.yaml:4:3\n      concurency: 5\n      ^',
    )
  })

  it('lists what a section takes when no name is near', async () => {
    expect(await problems('broker: { tls: { fingerprint: 1 } }')).to.match(/^broker\.tls\.fingerprint: unknown key; it can be ca, cert, key, passphrase\n/)
  })

  it('is told all at once, from both files', async () => {
    const cwd = folderWith({
      'async.config.yaml': 'withAsync: "false"\nretries: -1\nexpires: soon\n',
      'async.config.test.yaml': 'headers: authorization\nworker: { grace: 1y }\n',
    })

    const error: unknown = await loadConfig({ cwd, env: 'test' }).catch((reason: unknown) => reason)

    expect(String(error)).to.equal(
      [
        'ErrandError: The configuration has 5 problems:',
        "withAsync: must be true or false, without quotes, got 'false'",
        '  at async.config.yaml:1:12',
        '    withAsync: "false"',
        '               ^',
        'retries: must be a whole number from 0 to 1000, got -1',
        '  at async.config.yaml:2:10',
        '    retries: -1',
        '             ^',
        "expires: must be seconds from 0 up or a text like '500ms', '30s', '10m', '2h', '7d' (366 days at most), got 'soon'",
        '  at async.config.yaml:3:10',
        '    expires: soon',
        '             ^',
        "headers: must be a list of header names, got 'authorization'",
        '  at async.config.test.yaml:1:10',
        '    headers: authorization',
        '             ^',
        "worker.grace: must be seconds from 0 up or a text like '500ms', '30s', '10m', '2h', '7d' (366 days at most), got '1y'",
        '  at async.config.test.yaml:2:18',
        '    worker: ***',
        '                     ^',
      ].join('\n'),
    )
  })

  const rows: [string, RegExp][] = [
    ['withAsync: yes', /^withAsync: must be true or false, without quotes, got 'yes'\n/],
    ['withAsync: 1', /^withAsync: must be true or false, without quotes, got 1\n/],
    ['withAsync:', /^withAsync: has no value; give it one, or remove the line\n {2}at async\.config\.yaml:1:11\n/],
    ['service: my shop', /^service: must be a name: letters, digits/],
    ['services: 5', /^services: must be a glob or a list of globs, got 5\n/],
    ['services: [a.ts, 5]', /^services\[1\]: must be a glob, got 5\n {2}at async\.config\.yaml:1:18\n/],
    ['seal: everything', /^seal: must be one of secrets, context, message, got 'everything'\n/],
    ['headers: [a b]', /^headers\[0\]: must be the name of a header, got 'a b'\n/],
    ['payloadLimit: 1gb', /^payloadLimit: must be bytes or a text like '512kb' or '1mb' \(128mb at most\), got '1gb'\n/],
    ['payloadLimit: 999mb', /^payloadLimit: must be bytes/],
    ['expires: 400d', /^expires: must be seconds from 0 up/],
    ['worker: 5', /^worker: must be a section with keys such as concurrency, got 5\n/],
    ['worker: { concurrency: 1.5 }', /^worker\.concurrency: must be a whole number from 1 to 10000, got 1\.5\n/],
    ['worker: { queues: [] }', /^worker\.queues: must name at least one queue\n/],
    ['broker: kafka://x', /^broker: must be sqlite, sqlite:<file>, memory, an amqp:\/\/ or amqps:\/\/ URL, a list of such URLs, or a section\n/],
    ['broker: 5', /^broker: must be sqlite/],
    ['broker: []', /^broker: /],
    ['broker: { url: amqp://a, file: b }', /^broker\.file: cannot stand together with url; keep one\n/],
    ['broker: { url: amqp://a, durability: full }', /^broker\.durability: is for the embedded queue only; remove it\n/],
    ['broker: { file: a, namespace: b }', /^broker\.namespace: is for RabbitMQ only; remove it\n/],
    ['broker: { url: amqp://a, tls: {} }', /^broker\.tls: has no effect on amqp URLs; write amqps:\/\/\n/],
    ['key: a\nkeys: [b]', /^keys: cannot stand together with key; keep one\n/],
    ['- withAsync', /^must hold keys and values, such as "withAsync: true"\n/],
    ['hello', /^must hold keys and values, such as "withAsync: true", got 'hello'\n/],
    ['withAsync: true\nwithAsync: false', /^withAsync: stands here a second time; keep one\n {2}at async\.config\.yaml:2:1\n {4}withAsync: false\n {4}\^$/],
    ['worker:\n\tspawn: true', /a tab cannot indent; use spaces\n {2}at async\.config\.yaml:2:1\n/],
    ['services: [a.ts', /or a bracket is not closed\n {2}at async\.config\.yaml:1:16\n/],
    ['services: *.ts', /put quotes around a text that starts with \*\n/],
    ['service: !!js/function x', /tags \(!name\) have no use here/],
    ['withAsync: true\n---\nwithAsync: false', /remove the line with ---/],
    ['? [a, b]\n: 1', /a key must be a plain name/],
    ['__proto__: { withAsync: true }', /^__proto__: unknown key/],
    ['constructor: 1', /^constructor: unknown key/],
  ]
  for (const [text, expected] of rows) {
    it(`is told in words of its own: ${JSON.stringify(text)}`, async () => {
      expect(await problems(text)).to.match(expected)
    })
  }

  it('is not accepted for a file that is too large, not text, or a folder', async () => {
    expect((await failing(`#${'x'.repeat(1_048_576)}`)).message).to.contain('larger than 1 MB')
    const cwd = folderWith({})
    writeFileSync(join(cwd, 'bad.yaml'), Buffer.from([0x77, 0xff, 0xfe]))
    const loading = (file: string) => loadConfig({ cwd, file }).catch((reason: unknown) => reason)
    expect(await loading('bad.yaml')).to.be.instanceOf(ErrandError).with.property('code', 'CONFIG_INVALID')
    expect(await loading('.')).to.be.instanceOf(ErrandError).with.property('code', 'CONFIG_INVALID')
  })
})

describe('secrets in a configuration with a mistake', () => {
  const SECRET = 'hunter2Hunter2'
  const texts = [
    `key: [${SECRET}]`,
    `key: {a: ${SECRET}}`,
    `keys: ${SECRET}`,
    `keys:\n  - a: ${SECRET}\n`,
    `kye: ${SECRET}`,
    `broker: http://u:${SECRET}@h`,
    `broker: "amqp://u:${SECRET}@h:x"`,
    `broker: { url: "http://u:${SECRET}@h" }`,
    `broker: { urls: [amqp://a, "u:${SECRET}@h"] }`,
    `broker:\n  amqp://u:${SECRET}@h:\n`,
    `broker:\n  tls:\n    passphrase: [${SECRET}]\n`,
    `key: "${SECRET}`,
    `key: a: ${SECRET}`,
    `{key: ${SECRET}, withAsync: 1}`,
    `worker: {key: ${SECRET}}`,
    `worker: ${SECRET.repeat(3)}: x\nkey: ${SECRET} : y`,
    `retries: x # was ${SECRET}`,
    `key: |\n  ${SECRET}\n bad`,
    `key: ${SECRET}\nkey: ${SECRET}`,
    `keys:\n  - ${SECRET}\n - b`,
    `key: *${SECRET}`,
    `key: !${SECRET} x`,
    `retries: \${MISSING_ONE:-${SECRET}}`,
    'retries: ${LEAK}',
    'seal: ${LEAK}',
    'worker: { grace: "${LEAK}" }',
    'services: [a.ts, "${LEAK} ${MISSING_ONE}"]',
    'broker: { url: "${LEAK}" }',
  ]
  for (const text of texts) {
    it(`are not in the message: ${JSON.stringify(text.replaceAll(SECRET, 'SECRET'))}`, async () => {
      setVariables({ LEAK: SECRET, MISSING_ONE: undefined })

      const error = await failing(text)

      expect(`${error.message}\n${String(error.stack)}\n${String(error.cause)}`).not.to.contain(SECRET)
    })
  }
})

describe('environment variables in the configuration', () => {
  const load = (text: string) => loadConfig({ cwd: folderWith({ 'async.config.yaml': text }), env: 'test' })

  it('are put into texts, numbers, booleans, durations and sections', async () => {
    setVariables({ NAME: 'mailer', ON: 'true', COUNT: '7', WAIT: '90', HOST: 'rabbit.example', SIZE: '2mb' })

    const config = await load(
      'withAsync: ${ON}\nservice: ${NAME}-${COUNT}\nretries: ${COUNT}\nexpires: ${WAIT}\npayloadLimit: ${SIZE}\n' +
        'broker:\n  url: amqp://${HOST}/v\n  heartbeat: ${COUNT}\nworker: { concurrency: "${COUNT}" }\n',
    )

    expect(config).to.deep.include({ withAsync: true, service: 'mailer-7', retries: 7, expiresMs: 90_000, payloadLimit: 2_097_152 })
    expect(config.broker).to.deep.include({ urls: ['amqp://rabbit.example/v'], heartbeatSeconds: 7 })
    expect(config.worker.concurrency).to.equal(7)
  })

  it('have defaults, which also stand in for an empty one', async () => {
    setVariables({ UNSET: undefined, EMPTY: '' })

    const config = await load('service: ${UNSET:-shop}\nretries: ${EMPTY:-4}\nreverify: ${UNSET:-true}\ncontainer: ./${UNSET:-}x')

    expect(config).to.include({ service: 'shop', retries: 4, reverify: true, container: './x' })
  })

  it('stay texts where a text is wanted, although they look like a number', async () => {
    setVariables({ NAME: '42' })

    expect((await load('service: ${NAME}')).service).to.equal('42')
  })

  it('cannot add keys or further variables by their value', async () => {
    setVariables({ NAME: 'x\nretries: 9', TWICE: '${HOME}' })

    const config = await load('container: ${NAME}\nerrorReporter: ${TWICE}\ncarriers: ["$${HOME}"]')

    expect(config).to.include({ container: 'x\nretries: 9', retries: 0, errorReporter: '${HOME}' })
    expect(config.carriers).to.deep.equal(['${HOME}'])
  })

  it('that are not set are named with their key and line', async () => {
    setVariables({ ERRAND_KEY: undefined })

    expect(await problems('withAsync: true\nkey: ${ERRAND_KEY}\n')).to.equal(
      'key: needs the environment variable ERRAND_KEY, which is not set; set it, or write ${ERRAND_KEY:-default}\n' +
        '  at async.config.yaml:2:6\n    key: ***\n         ^',
    )
  })

  it('that are written wrongly are refused', async () => {
    for (const text of ['service: ${A', 'service: "${}"', 'service: ${A-B}', 'service: ${1A}']) {
      expect(await problems(text)).to.match(/^service: has a \$\{ that is not/)
    }
  })

  it('of the wrong kind are told without their value', async () => {
    setVariables({ COUNT: 'many' })

    expect(await problems('retries: ${COUNT}')).to.equal(
      'retries: must be a whole number from 0 to 1000\n  at async.config.yaml:1:10\n    retries: ***\n             ^',
    )
  })
})

describe('a hostile configuration', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]`)]
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
    this.timeout(20_000)
    const cwd = folderWith({})
    const file = join(cwd, 'async.config.yaml')
    const piece = constantFrom('withAsync', 'worker', 'broker', 'keys', ': ', ':', '\n', '\n  ', '- ', '[', ']', '{', '}', ', ', '"', "'", '&a ', '*a', '!!x ', '| ', '> ', '#', '? ', '%', '---\n', '\t', '${', '}', '${HOME}', 'true', '5', '30s', 'amqp://h', '__proto__', '<<', '\u0000', '\u2028')
    const texts = oneof(string({ unit: 'binary' }), array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')))
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
