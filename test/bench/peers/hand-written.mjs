/** What one would write in an afternoon: read the stored resource, compare what may not change, forward the rest. */
import http from 'node:http'
import { Readable } from 'node:stream'
import equal from 'deep-equal'
import express from 'express'
import { Client } from 'fhir-kit-client'
import httpProxy from 'http-proxy'

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
const proxy = httpProxy.createProxyServer({ target: process.env.UPSTREAM, agent })
proxy.on('error', (_error, _req, res) => res.writeHead(502).end())
const fhir = new Client({ baseUrl: `${process.env.UPSTREAM}/STU3` })
const mayChange = new Set(['meta', 'status', 'extension', 'contained'])

const app = express()
app.put('/STU3/:type/:id', express.json({ type: 'application/fhir+json', limit: '1mb' }), async (req, res) => {
  const { type: resourceType, id } = req.params
  const ifMatch = req.get('if-match')
  if (!ifMatch) return refuse(res, 412, ['If-Match is missing.'])
  const before = await fhir.read({ resourceType, id })
  if (ifMatch !== `W/"${before.meta.versionId}"`) return refuse(res, 409, ['This is not the current version.'])
  const after = req.body
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !mayChange.has(name) && !equal(before[name], after[name], { strict: true }))
    .map((name) => `${resourceType}.${name} may not change.`)
  if (before.status !== 'active' || after.status !== 'inactive') changed.push('Only a removal is permitted.')
  if (changed.length > 0) return refuse(res, 403, changed)
  const bytes = Buffer.from(JSON.stringify(after))
  req.headers['content-length'] = String(bytes.length)
  proxy.web(req, res, { buffer: Readable.from([bytes]) })
})
app.use((req, res) => proxy.web(req, res))
app.listen(process.env.PORT, '127.0.0.1')

function refuse(res, status, sentences) {
  const issue = sentences.map((diagnostics) => ({ severity: 'error', code: 'business-rule', diagnostics }))
  res.status(status).json({ resourceType: 'OperationOutcome', issue })
}
