/** http-proxy-middleware in Express, as its documentation shows it, with connections that are kept. */
import http from 'node:http'
import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
const app = express()
app.use(createProxyMiddleware({ target: process.env.UPSTREAM, changeOrigin: true, agent }))
app.listen(process.env.PORT, '127.0.0.1')
