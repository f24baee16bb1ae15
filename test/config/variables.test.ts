import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { problems } from './failing.js'
import { folderWith, setVariables } from './folder.js'

describe('environment variables in the configuration', () => {
  const load = (text: string) => loadConfig({ cwd: folderWith({ 'async.config.yaml': text }), env: 'test' })

  it('are put into texts, numbers, booleans, durations and sections', async () => {
    setVariables({ NAME: 'mailer', ON: 'true', COUNT: '7', WAIT: '90', HOST: 'rabbit.example', SIZE: '2mb' })

    const config = await load(
      'withAsync: ${ON}\nservice: ${NAME}-${COUNT}\nretries: ${COUNT}\nexpires: ${WAIT}\npayloadLimit: ${SIZE}\n' +
        'broker:\n  url: amqp://${HOST}/v\n  heartbeat: ${COUNT}\nworker: { concurrency: "${COUNT}" }\n',
    )

    expect(config).to.deep.include({
      withAsync: true,
      service: 'mailer-7',
      retries: 7,
      expiresMs: 90_000,
      payloadLimit: 2_097_152,
    })
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
