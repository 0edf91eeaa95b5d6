# syntax=docker/dockerfile:1
# Builds a small image that runs Marquee as an unprivileged user.
#   docker build -t marquee .
#   docker run -p 8080:8080 -v marquee:/var/lib/marquee marquee
# This serves the trial site at http://localhost:8080. For production, see docs/deploy.md.

FROM rust:1.95-slim-bookworm AS build
# No versions are pinned, so that security updates are installed.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The builder caches crates and the target folder between builds, so that only changed code is compiled again.
# Two options make the binary smaller: packed relocations, which need glibc 2.36, save 1.6 MB, and AES-GCM without its
# AVX-512 variant, which only matters for large transfers, saves 0.7 MB.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    RUSTFLAGS='-C link-arg=-Wl,-z,pack-relative-relocs' AWS_LC_SYS_CFLAGS=-DMY_ASSEMBLER_IS_TOO_OLD_FOR_512AVX \
    cargo build --profile dist --locked --bin marquee \
    && install -D target/dist/marquee /out/marquee

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/marquee --create-home --shell /usr/sbin/nologin marquee
COPY --from=build /out/marquee /usr/local/bin/marquee
# The config and feed of the trial site. Mount your own config over /etc/marquee/marquee.toml.
COPY config /etc/marquee
# Environment variables override config keys.
ENV MARQUEE_DATA_DIR=/var/lib/marquee \
    MARQUEE_SERVER__LISTEN=0.0.0.0:8080
USER 10001
WORKDIR /var/lib/marquee
VOLUME /var/lib/marquee
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=20s --retries=3 \
    CMD ["marquee", "health", "--config", "/etc/marquee/marquee.toml"]
# On SIGTERM, Marquee finishes in-flight work and exits within 30 seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["marquee"]
CMD ["serve", "--config", "/etc/marquee/marquee.toml"]
