import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { ErrandError } from '#src/errors.js'
import { failing, problems } from './failing.js'
import { folderWith, setVariables } from './folder.js'

describe('a configuration with a mistake', () => {
  it('shows an unknown key with the line, a caret and the nearest name', async () => {
    expect(await problems('withAsync: true\nworker:\n  # how many\n  concurency: 5\n')).to.equal(
      'worker.concurency: unknown key; did you mean "concurrency"?\n  at async.config.yaml:4:3\n      concurency: 5\n      ^',
    )
  })

  it('lists what a section takes when no name is near', async () => {
    expect(await problems('broker: { tls: { fingerprint: 1 } }')).to.match(
      /^broker\.tls\.fingerprint: unknown key; it can be ca, cert, key, passphrase\n/,
    )
  })

  it('refuses an outbox for a broker that is never away, with the line of the file that asks for it', async () => {
    expect(await problems('withAsync: true\nwhenBrokerAway: spool\n')).to.match(
      /^whenBrokerAway: spool is for RabbitMQ only: .* name an amqp:\/\/ broker\n {2}at async\.config\.yaml:2:17\n {4}whenBrokerAway: spool\n/,
    )
    const cwd = folderWith({
      'async.config.yaml': 'whenBrokerAway: spool\nbroker: amqp://localhost\n',
      'async.config.test.yaml': 'broker: memory\n',
    })
    expect(await loadConfig({ cwd, env: 'production' })).to.include({ whenBrokerAway: 'spool', outboxLimit: 100_000 })
    expect(String(await loadConfig({ cwd, env: 'test' }).catch((error: unknown) => error))).to.include('whenBrokerAway: spool is for RabbitMQ only')
    const options = { overrides: { whenBrokerAway: 'spool', broker: 'sqlite' } } as const
    expect(String(await loadConfig({ cwd, env: 'production', ...options }).catch((error: unknown) => error))).to.include('whenBrokerAway: spool')
  })

  it('shows nothing of what signs callbacks', async () => {
    const cwd = folderWith({ 'async.config.yaml': 'callbacks:\n  secret: whsec_tooshort\n' })

    const error: unknown = await loadConfig({ cwd, env: 'test' }).catch((reason: unknown) => reason)

    expect(String(error)).to.match(/callbacks\.secret: must be whsec_ and base64/).and.not.contain('tooshort')
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
    [
      'broker: kafka://x',
      /^broker: must be sqlite, sqlite:<file>, memory, an amqp:\/\/ or amqps:\/\/ URL, a list of such URLs, or a section\n/,
    ],
    ['database: mysql://a/b', /^database: must be a postgres:\/\/ or postgresql:\/\/ URL\n/],
    ['broker: amqp://u:p/w@host', /^broker: is no URL: .*as %2F/],
    ['broker: amqp://u:50%off@host', /^broker: is no URL: .*% as %25/],
    ['broker: [amqp://u:50%off@host]', /^broker\[0\]: is no URL/],
    ['broker: 5', /^broker: must be sqlite/],
    ['broker: []', /^broker: /],
    ['broker: { url: amqp://a, file: b }', /^broker\.file: cannot stand together with url; keep one\n/],
    ['broker: { url: amqp://a, durability: full }', /^broker\.durability: is for the embedded queue only; remove it\n/],
    ['broker: { file: a, namespace: b }', /^broker\.namespace: is for RabbitMQ only; remove it\n/],
    ['broker: { url: amqp://a, tls: {} }', /^broker\.tls: has no effect on amqp URLs; write amqps:\/\/\n/],
    ['key: a\nkeys: [b]', /^keys: cannot stand together with key; keep one\n/],
    ['- withAsync', /^must hold keys and values, such as "withAsync: true"\n/],
    ['hello', /^must hold keys and values, such as "withAsync: true", got 'hello'\n/],
    [
      'withAsync: true\nwithAsync: false',
      /^withAsync: stands here a second time; keep one\n {2}at async\.config\.yaml:2:1\n {4}withAsync: false\n {4}\^$/,
    ],
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
    expect(await loading('bad.yaml'))
      .to.be.instanceOf(ErrandError)
      .with.property('code', 'CONFIG_INVALID')
    expect(await loading('.'))
      .to.be.instanceOf(ErrandError)
      .with.property('code', 'CONFIG_INVALID')
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
    `database: mysql://u:${SECRET}@h/d`,
    `database: ["postgres://u:${SECRET}@h/d"]`,
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
