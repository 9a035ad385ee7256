import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readEnvironment } from '../../../src/config/environment.ts'

interface Service {
  readonly image: string
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly string[]
}

const { services } = parse(readFileSync('compose.yaml', 'utf8')) as { services: Readonly<Record<string, Service>> }
const { gateway, hapi } = services

describe('compose.yaml', () => {
  it('puts the gateway in front of the published HAPI image', () => {
    expect(Object.keys(services)).toEqual(['gateway', 'hapi'])
    expect(hapi!.image).toMatch(/^hapiproject\/hapi:/)
    expect(gateway!.environment.UPSTREAM_URL).toBe('http://hapi:8080/fhir')
  })

  it('sets HAPI to the FHIR version of the policy, and to references to other servers', () => {
    expect(hapi!.environment).toEqual({
      'hapi.fhir.fhir_version': 'DSTU3',
      'hapi.fhir.allow_external_references': 'true',
    })
  })

  it('gives the gateway an environment that it can read', () => {
    const env = Object.fromEntries(
      Object.entries(gateway!.environment).map(([k, v]) => [k, v.replace(/^\$\{.*\}$/, '')]),
    )
    expect(readEnvironment(env)).toMatchObject({ ok: true })
  })

  it('publishes nothing but the gateway beyond this machine', () => {
    const ports = Object.values(services).flatMap((service) => service.ports)
    expect(ports).toContain('8080:8080')
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual(['8080:8080'])
  })

  it('writes every environment value as a text, as the compose specification has it', () => {
    const values = Object.values(services).flatMap((service) => Object.values(service.environment))
    expect(values.filter((value) => typeof value !== 'string')).toEqual([])
  })
})
