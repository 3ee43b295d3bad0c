# The service, its production dependencies, and Node: nothing that builds. The version of Node is the one that package.json
# pins; a test holds the two together.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --loglevel=error
COPY nest-cli.json tsconfig.json ./
COPY apps apps
COPY libs libs
RUN node node_modules/@nestjs/cli/bin/nest.js build ledger

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --loglevel=error

FROM node:24.21.0-bookworm-slim
WORKDIR /app
# SQLite puts what does not fit into memory where it may write: with a read-only root that is the volume. Of what threads
# have freed, glibc keeps less with fewer arenas. Of a server that it names to TLS by its address Node is not to warn.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 WRIT_DATA_DIR=/data SQLITE_TMPDIR=/data MALLOC_ARENA_MAX=2 \
  NODE_OPTIONS=--disable-warning=DEP0123
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
RUN mkdir --mode=0700 /data && chown 1000:1000 /data
USER 1000:1000
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The image's own entry point is a shell script: without it, node is process 1 and gets the signals.
ENTRYPOINT []
CMD ["node", "--max-semi-space-size=8", "dist/apps/ledger/src/main.js"]
