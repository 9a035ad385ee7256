import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request, Response } from 'express'
import { expect, test } from 'vitest'
import { bootAndClose } from './booted.ts'
import { jsonHeaders, removal, stored } from './records.ts'
import { resource } from './stub-upstream.ts'

test.each([
  ['request', {}, 200],
  ['checkContinue', { expect: '100-continue' }, 200],
  ['checkExpectation', { expect: 'more' }, 417],
])('at a %s Express finds its prototypes there, so that it changes none', async (event, expectation, status) => {
  const booted = await bootAndClose()
  booted.upstream.answers({ GET: resource(stored('3'), '3'), PUT: resource(stored('4'), '4') })
  const born: [object, unknown][] = []
  let met: [Request, Response] | undefined
  booted.gateway.server.prependListener(event, (req: IncomingMessage, res: ServerResponse) => {
    for (const one of [req, res]) born.push([one, Object.getPrototypeOf(one)])
    met = [req as Request, res as Response]
  })
  const body = JSON.stringify(removal)
  const headers = { ...jsonHeaders('3'), ...expectation, 'content-length': String(body.length) }
  expect((await booted.send('PUT', '/STU3/Flag/1', headers, body)).status).toBe(status)
  expect(born).toHaveLength(2)
  for (const [one, prototype] of born) expect(Object.getPrototypeOf(one)).toBe(prototype)
  const [req, res] = met!
  expect([req.get('host'), req.res, res.req]).toEqual([`127.0.0.1:${booted.port}`, res, req])
  expect(res.app).toBe(req.app)
})
