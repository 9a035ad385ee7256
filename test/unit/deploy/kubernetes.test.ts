import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { loadConfig } from '../../../src/config/load.ts'

const folder = 'deploy/kubernetes'

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly [field: string]: any
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'))

const manifestsOf = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]!
    return document.toJS() as Manifest
  })

const manifests = files
  .filter((file) => !/(?:gateway|policy)\.yaml$/.test(file) || file.endsWith('network-policy.yaml'))
  .flatMap((file) => manifestsOf(file).map((manifest) => ({ file, kind: manifest.kind, manifest })))

const isKustomize = ({ manifest }: { readonly manifest: Manifest }) =>
  manifest.apiVersion.startsWith('kustomize.config')

/** The published schema of a kind, as the models of it check it. */
async function validate({ apiVersion, kind, ...fields }: Manifest): Promise<void> {
  const from = apiVersion.startsWith('monitoring.coreos.com')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models'
  const models = (await import(`${from}/${apiVersion}`)) as Record<string, unknown>
  const Model = models[kind] as new (fields: object) => { validate(): void }
  // What is added to a Deployment of somebody else has its selector.
  const isPatch = fields['metadata']?.name === 'any'
  const labels = { 'fhir-policy-gateway': 'sidecar' }
  const whole = isPatch ? { ...fields, spec: { selector: { matchLabels: labels }, ...fields['spec'] } } : fields
  new Model(whole).validate()
}

describe('the manifests for Kubernetes', () => {
  it.each(manifests.filter((one) => !isKustomize(one)))(
    '$kind in $file has the shape of its kind',
    async ({ manifest }) => {
      await expect(validate(manifest)).resolves.toBeUndefined()
    },
  )

  it('are seen through by that check', async () => {
    const { manifest } = manifests.find(({ kind }) => kind === 'Deployment')!
    await expect(validate({ ...manifest, spec: { ...manifest['spec'], replicas: 'two' } })).rejects.toThrow(/replicas/)
  })

  it.each(manifests.filter(isKustomize))('$file names files that are there', ({ file, manifest }) => {
    const { resources = [], patches = [], configMapGenerator = [] } = manifest
    const named = [
      ...resources,
      ...patches.map(({ path }: { path: string }) => path),
      ...configMapGenerator.flatMap(({ files }: { files: string[] }) => files),
    ]
    expect(named.length).toBeGreaterThan(0)
    for (const name of named) expect([name, existsSync(join(folder, file, '..', name))]).toEqual([name, true])
  })

  it('hold a config that compiles, with a policy as it is shipped', () => {
    expect(loadConfig(join(folder, 'base'))).toMatchObject({ ok: true })
    const shipped = readFileSync('config/policies/baseline-r4.yaml', 'utf8').replace(/^# yaml-language-server.*\n/, '')
    expect(readFileSync(join(folder, 'base/policy.yaml'), 'utf8')).toBe(shipped)
  })
})

const pods = manifests
  .filter(({ kind }) => kind === 'Deployment')
  .map(({ file, manifest }) => ({ file, pod: manifest['spec'].template.spec }))

describe.each(pods)('the pod of $file', ({ pod }) => {
  const [gateway] = pod.containers

  it('runs without root, without rights and without a file system to write to', () => {
    expect({ ...pod.securityContext, ...gateway.securityContext }).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })

  it('is asked on the admin port whether it lives, and whether it is ready', () => {
    const asked = ({ httpGet }: Manifest) => `${httpGet.port} ${httpGet.path}`
    expect([gateway.livenessProbe, gateway.readinessProbe].map(asked)).toEqual([
      'admin /health/live',
      'admin /health/ready',
    ])
    expect(gateway.ports.map(({ name }: { name: string }) => name)).toContain('admin')
  })

  it('is given longer to end than the gateway takes to drain', () => {
    const read = loadConfig(join(folder, 'base'))
    if (!read.ok) throw new Error('The config does not compile.')
    const { drainDelayMs, drainMs } = read.loaded.timeouts
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(drainDelayMs + drainMs)
    const { periodSeconds, failureThreshold } = gateway.readinessProbe
    expect(drainDelayMs).toBeGreaterThan(periodSeconds * failureThreshold * 1000)
  })

  it('has what it needs and no more memory than it may', () => {
    expect(gateway.resources).toMatchObject({ requests: { cpu: expect.anything(), memory: expect.anything() } })
    expect(gateway.resources.limits).toHaveProperty('memory')
  })
})

it('the selectors of Services, the disruption budget and the policies select the pods of the Deployment', () => {
  const labels = manifests.find(({ file, kind }) => file.startsWith('stand-alone') && kind === 'Deployment')!.manifest[
    'spec'
  ].template.metadata.labels
  const alone = manifests.filter(({ file }) => file.startsWith('stand-alone'))
  const selectors = alone.flatMap(({ kind, manifest }) =>
    kind === 'Service'
      ? [manifest['spec'].selector]
      : kind === 'PodDisruptionBudget'
        ? [manifest['spec'].selector.matchLabels]
        : [],
  )
  expect(selectors).toHaveLength(3)
  for (const selector of selectors) expect(labels).toMatchObject(selector)
})
