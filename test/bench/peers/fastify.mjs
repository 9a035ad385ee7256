/** Fastify's own proxy, which sends by undici. */
import fastify from 'fastify'
import proxy from '@fastify/http-proxy'

const server = fastify()
server.register(proxy, { upstream: process.env.UPSTREAM })
server.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
