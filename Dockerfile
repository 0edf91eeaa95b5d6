# syntax=docker/dockerfile:1
# Marquee in a small image that runs as nobody in particular.
#   docker build -t marquee .
#   docker run -p 8080:8080 -v marquee:/var/lib/marquee marquee
# serves the trial site at http://localhost:8080; docs/deploy.md tells the rest.

FROM rust:1.95-slim-bookworm AS build
# Debian's security updates are wanted, not the version of a day.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies alone, in a layer that lasts until one of them changes.
COPY Cargo.toml Cargo.lock ./
COPY fuzz/Cargo.toml fuzz/
RUN mkdir src tests examples benches fuzz/src \
    && echo 'fn main() {}' | tee src/main.rs tests/main.rs fuzz/src/main.rs > examples/follower.rs \
    && for bench in fanout inbox limits pages start; do cp src/main.rs "benches/$bench.rs"; done \
    && touch src/lib.rs fuzz/src/lib.rs \
    && cargo build --profile dist --locked --bin marquee
COPY src src
COPY migrations migrations
RUN touch src/lib.rs src/main.rs \
    && cargo build --profile dist --locked --bin marquee

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/marquee --create-home --shell /usr/sbin/nologin marquee
COPY --from=build /src/target/dist/marquee /usr/local/bin/marquee
# The trial's config and its feed; mount your own over /etc/marquee/marquee.toml.
COPY config /etc/marquee
# Single values of the config can come from the environment, as these do.
ENV MARQUEE_DATA_DIR=/var/lib/marquee \
    MARQUEE_SERVER__LISTEN=0.0.0.0:8080
USER 10001
WORKDIR /var/lib/marquee
VOLUME /var/lib/marquee
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=20s --retries=3 \
    CMD ["marquee", "health", "--config", "/etc/marquee/marquee.toml"]
# SIGTERM drains what is on its way and ends within 30 seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["marquee"]
CMD ["serve", "--config", "/etc/marquee/marquee.toml"]
