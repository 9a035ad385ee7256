/** Express and http-proxy as they are usually written. */
import http from 'node:http'
import express from 'express'
import httpProxy from 'http-proxy'

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
const proxy = httpProxy.createProxyServer({ target: process.env.UPSTREAM, agent })
proxy.on('error', (_error, _req, res) => res.writeHead(502).end())
const app = express()
app.use((req, res) => proxy.web(req, res))
app.listen(process.env.PORT, '127.0.0.1')
