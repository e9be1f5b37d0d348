# Builds the gateway and puts the one binary into a small image, run by a user without rights.
# The bases can be replaced: docker build --build-arg RUNTIME_IMAGE=… --build-arg BUILD_IMAGE=… --build-arg WEB_IMAGE=… .
ARG WEB_IMAGE=node:22-bookworm-slim
ARG BUILD_IMAGE=rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${WEB_IMAGE} AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --silent --no-audit --no-fund
COPY web .
RUN npm run --silent build -- --logLevel warn

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
ENV CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_STRIP=symbols CARGO_TERM_COLOR=never
# jemalloc is built with it
RUN command -v make >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends make >/dev/null; }
COPY . .
COPY --from=web /src/web/dist web/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin trailgate \
    && mkdir -p /out/data \
    && cp target/release/trailgate /out/trailgate

FROM ${RUNTIME_IMAGE}
COPY --from=build /out/trailgate /usr/local/bin/trailgate
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV TRAILGATE_SERVER_LISTEN=0.0.0.0:8787 TRAILGATE_DATA_DIR=/data
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["/usr/local/bin/trailgate", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/trailgate"]
CMD ["serve"]
