/** http-proxy 1.18.1 by itself, with connections that are kept: the measure of all the others. */
import http from 'node:http'
import httpProxy from 'http-proxy'

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
const proxy = httpProxy.createProxyServer({ target: process.env.UPSTREAM, agent })
proxy.on('error', (_error, _req, res) => res.writeHead(502).end())
http.createServer((req, res) => proxy.web(req, res)).listen(process.env.PORT, '127.0.0.1')
