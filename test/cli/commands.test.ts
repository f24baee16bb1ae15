import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { parseKeyRing } from '#src/core/seal/key-ring.js'
import { eachScope } from '../kit/temporary.js'
import { notesApplication } from './notes-application.js'
import { application, errand } from './run-errand.js'

describe('errand', () => {
  const scope = eachScope()

  it('lists its commands and fails when it is called without one', async () => {
    const { code, errors } = await errand(scope(), application(scope()))

    expect(code).to.equal(1)
    for (const command of ['init', 'doctor', 'status', 'worker', 'restart', 'stop', 'key', 'dead', 'replay']) expect(errors).to.contain(`\n  ${command} `)
  })

  it('tells its version', async () => {
    expect((await errand(scope(), application(scope()), '--version')).output).to.match(/^\d+\.\d+\.\d+\n$/)
  })

  it('fails on an unknown option or command, and names the nearest', async () => {
    const cwd = application(scope())

    const option = await errand(scope(), cwd, 'worker', '--concurency', '3')
    expect([option.code, option.errors]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && text.includes('Did you mean --concurrency?'),
    )
    const command = await errand(scope(), cwd, 'wroker')
    expect([command.code, command.errors]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && text.includes('Did you mean worker?'),
    )
  })

  it('refuses a number or level that is none', async () => {
    const cwd = application(scope())

    expect((await errand(scope(), cwd, 'worker', '--concurrency', 'many')).errors).to.contain(
      "errand worker --concurrency must be a whole number, got 'many'. [OPTION_INVALID]",
    )
    expect((await errand(scope(), cwd, 'worker', '--level', 'loud')).errors).to.contain('Allowed choices are debug, info')
  })

  it('shows every problem of the configuration with its line, without a stack', async () => {
    const cwd = application(scope(), 'withAsync: "false"\nretires: 5\n')

    const { code, errors } = await errand(scope(), cwd, 'status')

    expect(code).to.equal(1)
    expect(errors).to.contain('async.config.yaml:1:12').and.contain('did you mean "retries"?').and.contain('[CONFIG_INVALID]')
    expect(errors).not.to.contain('    at ')
  })
})

describe('errand status with an outbox', () => {
  const scope = eachScope()

  it('says how many calls wait in it, although the broker is away', async () => {
    const app = notesApplication(scope(), 'whenBrokerAway: spool\nbroker: { url: "amqp://shop:hunter2@127.0.0.1:1", connectTimeout: 200ms }\nkey: k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=')
    expect(await app.status()).to.match(/broker: away\. .*127\.0\.0\.1:1/).and.contain('outbox: 0 waiting for RabbitMQ')

    await app.send('one')
    await app.send('two')

    expect(await app.status()).to.contain('outbox: 2 waiting for RabbitMQ').and.not.contain('hunter2')
    const { output } = await errand(scope(), app.cwd, 'status', '--json')
    expect(JSON.parse(output)).to.deep.include({ outbox: { waiting: 2, dead: 0 }, queues: [] })
  })
})

describe('errand init', () => {
  const scope = eachScope()

  it('writes a configuration that only switches tasks on, keeps the data out of git, and says what is left to do', async () => {
    const cwd = application(scope())
    writeFileSync(join(cwd, '.gitignore'), 'dist')

    const { code, output } = await errand(scope(), cwd, 'init')

    expect(code).to.equal(0)
    expect(output).to.contain('@asyncTask()').and.contain('await start()')
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).to.equal('dist\n.errand\n')
    expect(readFileSync(join(cwd, 'async.config.yaml'), 'utf8')).to.match(
      /^# yaml-language-server: \$schema=\.\/node_modules\/errand\/schema\//,
    )
    const config = await loadConfig({ cwd, env: 'development' })
    expect(config).to.deep.equal(await loadConfig({ cwd, env: 'development', overrides: { withAsync: true } }))
    expect(config.withAsync).to.equal(true)
  })

  it('shows only defaults that are true behind its comments', async () => {
    const cwd = application(scope())
    await errand(scope(), cwd, 'init')
    const file = join(cwd, 'async.config.yaml')
    const plain = await loadConfig({ cwd, env: 'development' })

    const uncommented = readFileSync(file, 'utf8').replaceAll(/^# (?=\w+:|  )(?!services|broker:? ?$|key|sqlite:|yaml)/gm, '')
    writeFileSync(file, uncommented)

    expect(uncommented).to.contain('\nworker:\n  spawn: true')
    expect(await loadConfig({ cwd, env: 'development' })).to.deep.equal(plain)
  })

  it('overwrites nothing', async () => {
    const cwd = application(scope(), 'withAsync: false\n')

    const { code, errors } = await errand(scope(), cwd, 'init')

    expect(code).to.equal(1)
    expect(errors).to.contain('it is there already')
    expect(readFileSync(join(cwd, 'async.config.yaml'), 'utf8')).to.equal('withAsync: false\n')
    expect(existsSync(join(cwd, '.gitignore'))).to.equal(false)
  })
})

describe('errand key', () => {
  const scope = eachScope()

  it('prints a new key and nothing else', async () => {
    const cwd = application(scope())

    const [first, second] = [await errand(scope(), cwd, 'key'), await errand(scope(), cwd, 'key')]

    expect(() => parseKeyRing([first.output.trimEnd(), second.output.trimEnd()])).not.to.throw()
    expect(first.output.trimEnd()).to.match(/^[\w-]+:[\w+/]{43}=$/)
    expect(existsSync(join(cwd, '.errand'))).to.equal(false)
  })

  it('writes and rotates the key file: the new key first, the old ones behind it', async () => {
    const cwd = application(scope(), 'withAsync: true\n')
    const file = join(cwd, '.errand/key')
    const keys = (): string[] =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => /^\w/.test(line))

    await errand(scope(), cwd, 'key', '--write')
    const [old] = keys()
    const { output } = await errand(scope(), cwd, 'key', '--write')

    expect(keys()).to.have.length(2)
    expect(keys()[1]).to.equal(old)
    expect(statSync(file).mode & 0o077).to.equal(0)
    expect(output).to.contain('2 keys').and.not.contain(keys()[0])
  })

  it('refuses to write a file that the configuration would not use', async () => {
    const cwd = application(scope(), 'key: k1:abc\n')

    const { code, errors } = await errand(scope(), cwd, 'key', '--write')

    expect(code).to.equal(1)
    expect(errors).to.contain('would change nothing')
  })

  it('prints the secret of callbacks: the configured one, else that of the key which seals', async () => {
    const given = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const derived = application(scope())

    const first = await errand(scope(), derived, 'key', '--callbacks')
    const again = await errand(scope(), derived, 'key', '--callbacks')

    expect(first.output.trimEnd()).to.match(/^whsec_[\w+/]{43}=$/)
    expect(again.output).to.equal(first.output)
    writeFileSync(join(derived, 'async.config.yaml'), `callbacks:\n  secret: ${given}\n`)
    expect((await errand(scope(), derived, 'key', '--callbacks')).output.trimEnd()).to.equal(given)
  })
})

describe('errand doctor', () => {
  const scope = eachScope()
  const marks = (output: string): string[] => output.split('\n').filter((line) => /^[✓✗-]/.test(line))

  it('finds nothing wrong with an application that is in place', async () => {
    const cwd = application(scope(), 'withAsync: true\nservices: [./*.js]\n')
    writeFileSync(join(cwd, 'mail.js'), '')

    const { code, output } = await errand(scope(), cwd, 'doctor')

    expect(code).to.equal(0)
    expect(marks(output).map((line) => line.split(':')[0])).to.deep.equal([
      '✓ Node',
      '✓ configuration',
      '✓ sealing key',
      '✓ services',
      '✓ broker',
      '✓ round trip',
      '- worker',
    ])
  })

  it('says what to do where there is no configuration', async () => {
    const { code, output } = await errand(scope(), application(scope()), 'doctor')

    expect(code).to.equal(1)
    expect(output).to.contain('✗ configuration').and.contain('errand init')
  })

  it('checks nothing further where withAsync is false', async () => {
    const { code, output } = await errand(scope(), application(scope(), 'withAsync: false\n'), 'doctor')

    expect(code).to.equal(0)
    expect(marks(output)).to.have.length(2)
  })

  it('fails for a glob without files, a damaged key and a broker that is not there, and shows no secret', async () => {
    const yaml =
      'withAsync: true\nservices: [./none/*.js]\ncontainer: ./gone.js\nkey: hunter2\n' +
      'broker: { url: "amqp://app:hunter2@127.0.0.1:1", connectTimeout: 2 }\n'

    const { code, output, errors } = await errand(scope(), application(scope(), yaml), 'doctor')

    expect(code).to.equal(1)
    expect(marks(output).map((line) => line.split(':')[0])).to.include.members(['✗ sealing key', '✗ services', '✗ container', '✗ broker'])
    expect(output).to.contain('./none/*.js').and.contain('amqp://app:***@127.0.0.1:1')
    expect(output + errors).not.to.contain('hunter2')
  })
})
