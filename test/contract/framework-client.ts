import { expect } from 'chai'
import { once } from 'node:events'
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'

type Headers = Readonly<Record<string, string>>
type Json = Readonly<Record<string, unknown>>
interface Sending {
  readonly write?: (outgoing: ClientRequest) => unknown
  readonly agent?: Agent | false
}

/** A client of one application; every method is one request or more over sockets of its own. */
export class Client {
  readonly port: number

  constructor(port: number) {
    this.port = port
  }

  async get(path: string, headers: Headers = {}): Promise<Json> {
    const { status, body } = await this.#send('GET', path, headers)
    expect(status, JSON.stringify(body)).to.equal(200)
    // what it is, the test says next
    return body as Json
  }

  async list(path: string, headers: Headers = {}): Promise<readonly unknown[]> {
    const body: unknown = await this.get(path, headers)
    expect(body).to.be.an('array')
    return body as readonly unknown[]
  }

  async failure(path: string): Promise<unknown> {
    const { status, body } = await this.#send('GET', path, {})
    expect(status).to.equal(500)
    return body
  }

  async post(path: string, body: object): Promise<Json> {
    const answer = await this.#send('POST', path, { 'content-type': 'application/json' }, {
      write: (outgoing) => outgoing.end(JSON.stringify(body)),
    })
    return answer.body as Json
  }

  /** Sends the body only after `started`, so that it comes in events of its own. */
  async upload(path: string, headers: Headers, started: Promise<void>): Promise<unknown> {
    const write = async (outgoing: ClientRequest): Promise<void> => {
      outgoing.flushHeaders()
      await started
      outgoing.end('bytes')
    }
    const answer = await this.#send('POST', path, { ...headers, 'content-type': 'application/octet-stream' }, { write })
    return answer.body
  }

  async twoOnOneConnection(path: string, first: Headers, second: Headers): Promise<readonly unknown[]> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const answers = [await this.#send('GET', path, first, { agent }), await this.#send('GET', path, second, { agent })]
    agent.destroy()
    expect(new Set(answers.map((answer) => answer.localPort)).size, 'one connection').to.equal(1)
    return answers.map((answer) => answer.body)
  }

  /** Hangs up after `started`. */
  async leave(path: string, started: Promise<void>, headers: Headers = {}): Promise<void> {
    const outgoing = httpRequest({ port: this.port, host: '127.0.0.1', path, headers, agent: false })
    outgoing.on('error', () => {}) // the hang-up of this side
    outgoing.end()
    await started
    outgoing.destroy()
  }

  async #send(method: string, path: string, headers: Headers, sending: Sending = {}) {
    const { write = (outgoing) => outgoing.end(), agent = false } = sending
    const outgoing = httpRequest({ port: this.port, host: '127.0.0.1', method, path, headers, agent })
    const [[response]] = await Promise.all([once(outgoing, 'response') as Promise<[IncomingMessage]>, write(outgoing)])
    const localPort = response.socket.localPort
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    return { status: response.statusCode, body: (text === '' ? undefined : JSON.parse(text)) as unknown, localPort }
  }
}
