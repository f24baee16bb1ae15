import { expect } from 'chai'
import type { TlsFiles } from '#src/broker/rabbitmq/link/options.js'
import { makeAuthority, type Authority } from '../kit/certificates.js'
import { freePort } from '../kit/free-port.js'
import { collect, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, startRabbitNode } from '../kit/rabbitmq.js'
import { eachScope, Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit(
  'RabbitMQ over TLS',
  function () {
    this.timeout(120_000)
    const scope = eachScope()
    const all = new Scope()
    let authority: Authority
    let port = 0
    let strictPort = 0
    before(async function () {
      this.timeout(120_000)
      authority = makeAuthority(all.folder(), 'authority')
      port = await startTls('verify_none', 'false')
      strictPort = await startTls('verify_peer', 'true')
    })
    after(() => all.close())

    /** A server with a certificate for the name `localhost` alone. */
    async function startTls(verify: string, isClientAsked: string): Promise<number> {
      const server = authority.sign('localhost')
      const free = await freePort()
      const advanced = (folder: string): string => {
        const paths = `{cacertfile, "${folder}/ca.pem"}, {certfile, "${folder}/cert.pem"}, {keyfile, "${folder}/key.pem"}`
        const options = `[${paths}, {verify, ${verify}}, {fail_if_no_peer_cert, ${isClientAsked}}]`
        return `[{rabbit, [{ssl_listeners, [{"127.0.0.1", ${free}}]}, {ssl_options, ${options}}]}].`
      }
      const files = { 'ca.pem': authority.cert, 'cert.pem': server.cert, 'key.pem': server.key }
      all.use(await startRabbitNode({ advanced, files }))
      return free
    }
    const given = (): RabbitCase => new RabbitCase(scope(), '')
    const at = (host: string, number: number): { urls: string[] } => ({ urls: [`amqps://guest:guest@${host}:${number}`] })
    const refusal = (host: string, number: number, tls: TlsFiles): Promise<unknown> =>
      given().open({ ...at(host, number), tls, connectTimeoutMs: 15_000 }).catch((error: unknown) => error)

    it('takes and delivers messages where the authority is the right one', async () => {
      const broker = await given().open({ ...at('localhost', port), tls: { ca: authority.cert } })

      const id = await publish(broker)

      const got = await collect(broker)
      await until('the message', () => got.some((delivery) => delivery.id === id))
    })

    it('is refused where another authority signed the certificate of the server, saying what to set', async () => {
      const other = makeAuthority(scope().folder(), 'other')

      const failure = await refusal('localhost', port, { ca: other.cert })

      expect(failure).to.include({ code: 'BROKER_REFUSED' })
      expect(String(failure)).to.match(/certificate of the server is not trusted.*tls\.ca/)
    })

    it('is refused where the certificate is for another name than the URL has', async () => {
      const failure = await refusal('127.0.0.1', port, { ca: authority.cert })

      expect(failure).to.include({ code: 'BROKER_REFUSED' })
      expect(String(failure)).to.match(/certificate of the server is not for 127\.0\.0\.1.*Use a name of the certificate/)
    })

    it('shows the certificate of the client to a server that asks for one, and is refused without', async () => {
      const { cert, key } = authority.sign('shop')

      const broker = await given().open({ ...at('localhost', strictPort), tls: { ca: authority.cert, cert, key } })
      await publish(broker)
      const failure = await refusal('localhost', strictPort, { ca: authority.cert })

      expect(failure).to.include({ code: 'BROKER_REFUSED' })
      expect(String(failure)).to.match(/asks for a certificate of the client.*tls\.cert and tls\.key/)
    })
  },
  { own: true },
)
