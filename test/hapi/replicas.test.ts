import { expect, inject, onTestFinished, test } from 'vitest'
import { balance, talk } from '../gateway/replicas.ts'
import { ask } from './ask.ts'
import { startGatewayInFront } from './gateway-in-front.ts'
import { flag, removed } from './records.ts'

const hapi = inject('hapi').DSTU3

test('two replicas in front of one HAPI give the same answers as one', async () => {
  const gateways = await Promise.all([1, 2, 3].map(() => startGatewayInFront(hapi)))
  onTestFinished(async () => void (await Promise.all(gateways.map((gateway) => gateway.close()))))
  const [alone, ...both] = gateways.map(({ url }) => url)
  const stored = async (id: string) => {
    expect((await ask(`${hapi}/Flag/${id}`, 'PUT', flag(id))).status).toBe(201)
    const { json } = await ask(`${hapi}/Flag/${id}`)
    return [{ ...json, id }, removed(json)] as const
  }
  const one = await talk(alone!, ...(await stored(`replica-${process.pid}-1`)))
  const two = await talk(await balance(both), ...(await stored(`replica-${process.pid}-2`)))
  expect(two).toEqual(one)
  expect(one.map(({ status }) => status).join(' ')).toBe('200 304 412 403 403 409 200 409 409 200 200 200 403 403 405')
})
