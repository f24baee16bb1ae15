import { orderKinds, type OrderKind } from '../../orders/handlers.js'

type Json = Readonly<Record<string, unknown>>

const METHODS = { create: 'post', update: 'put', destroy: 'delete' } as const

/** Describes all orders that can be placed here (OpenAPI 3.1). `server` is the address of the mount. */
export function openApiDocument(server: string): Json {
  return {
    openapi: '3.1.0',
    info: { title: 'Orders', version: '1', description: 'Work that is placed, followed and cancelled by addresses.' },
    servers: [{ url: server }],
    paths: { ...placements(), '/orders': LIST, '/orders/{uuid}': ONE },
    components: { schemas: { Order: ORDER, Problem: PROBLEM }, responses: { Problem: PROBLEM_ANSWER } },
  }
}

function placements(): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const kind of orderKinds()) {
    const path = (paths[`/${kind.name}/order`] ??= {})
    path[METHODS[kind.action]] = placement(kind)
  }
  return paths
}

function placement({ name, action, contextSchema }: OrderKind): Json {
  const body = { type: 'object', properties: { context: contextSchema ?? { type: 'object' }, callback: CALLBACK } }
  return {
    operationId: `${action}:${name}`,
    summary: `Places an order "${name}" with the action ${action}.`,
    parameters: [PREFER, header('Idempotency-Key', 'Placements of one caller with one key are one order.')],
    requestBody: { required: false, content: { 'application/json': { schema: body } } },
    responses: {
      200: shown('With Prefer: wait, the order, which has ended in time.'),
      202: shown('With Prefer: respond-async or wait, the order, which has not ended.'),
      302: { description: 'The order was placed.', headers: { Location: { description: 'Where it is followed.', schema: { type: 'string' } } } },
      ...problems(400, 403, 404, 405, 413, 415, 422, 503),
    },
  }
}

const shown = (description: string): Json => ({ description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } } })

const problems = (...statuses: readonly number[]): Json => Object.fromEntries(statuses.map((status) => [status, { $ref: '#/components/responses/Problem' }]))

const header = (name: string, description: string): Json => ({ name, in: 'header', required: false, description, schema: { type: 'string' } })
const query = (name: string, description: string, schema: Json): Json => ({ name, in: 'query', required: false, description, schema })

const CALLBACK: Json = { type: 'string', format: 'uri', description: 'Gets the order by a signed POST (Standard Webhooks) when it has ended, where the service allows its host.' }

const PREFER = header('Prefer', 'respond-async, wait=<seconds>, redirect (RFC 7240).')
const TOKEN = query('token', 'The signature in the address of an order that was placed by nobody.', { type: 'string' })
const UUID = { name: 'uuid', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }

const TEXT = { type: 'string' }
const TIME = { type: 'string', format: 'date-time' }

const ORDER: Json = {
  type: 'object',
  required: ['uuid', 'status', 'message', 'resource_url', 'context', 'progress', 'name', 'action', 'created', 'updated'],
  properties: {
    uuid: { type: 'string', format: 'uuid' },
    status: { type: 'string', enum: ['queued', 'running', 'completed', 'failed', 'cancelled'] },
    message: { ...TEXT, description: 'What the work says for people.' },
    resource_url: { ...TEXT, description: 'Where what was made is to be found; empty before.' },
    context: { type: 'object' },
    progress: { type: 'number', minimum: 0, maximum: 100 },
    name: TEXT,
    action: { type: 'string', enum: ['create', 'update', 'destroy'] },
    created: TIME,
    updated: TIME,
    ended: TIME,
    result: { description: 'The value of the work, where it has one.' },
  },
}

const PROBLEM: Json = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'detail'],
  properties: { type: TEXT, title: TEXT, status: { type: 'integer' }, detail: TEXT, context: { type: 'array', items: TEXT } },
}

const PROBLEM_ANSWER: Json = { description: 'Why not.', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }

const LIST: Json = {
  get: {
    operationId: 'orders',
    summary: 'Lists the orders of the caller, the last placed first.',
    parameters: [
      query('limit', 'Orders on a page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
      query('after', 'Where the page before ended.', TEXT),
      query('owner', 'Whose orders, for administrators.', TEXT),
    ],
    responses: {
      200: {
        description: 'A page of orders.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['orders', 'next'],
              properties: { orders: { type: 'array', items: { $ref: '#/components/schemas/Order' } }, next: { type: ['string', 'null'] } },
            },
          },
        },
      },
      ...problems(400, 404, 503),
    },
  },
}

const ONE: Json = {
  parameters: [UUID, TOKEN],
  get: {
    operationId: 'order',
    summary: 'Tells how an order stands.',
    parameters: [PREFER, header('If-None-Match', 'Tags of what the client has already.')],
    responses: {
      200: shown('It has ended, and created nothing.'),
      201: shown('It has completed, and created something.'),
      202: shown('It has not ended; Retry-After says when to ask again.'),
      303: { description: 'With Prefer: redirect, where what was made is to be found.' },
      304: { description: 'It stands as the client knows.' },
      ...problems(404, 503),
    },
  },
  delete: {
    operationId: 'cancelOrder',
    summary: 'Cancels an order that has not ended.',
    parameters: [query('cancel', 'Needed for orders that were placed by DELETE.', TEXT)],
    responses: { 200: shown('The order as it stands after that.'), ...problems(403, 404, 409, 503) },
  },
}
