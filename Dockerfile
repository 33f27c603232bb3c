# syntax=docker/dockerfile:1
# Portcullis as an image: built in one stage, run in another that holds the binary, the roots of trust and nothing else
# of ours. Build it with BuildKit (`docker build .`); its caches make the second build short.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY config ./config
COPY src ./src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release && install -m 0755 target/release/portcullis /portcullis

FROM debian:bookworm-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /portcullis /usr/local/bin/portcullis
RUN groupadd --gid 10001 portcullis \
 && useradd --uid 10001 --gid portcullis --home-dir /var/lib/portcullis --shell /usr/sbin/nologin portcullis \
 && install -d -o portcullis -g portcullis -m 0750 /var/lib/portcullis
USER 10001:10001
# Everything that is written goes here, so the rest of the file system may be read-only.
WORKDIR /var/lib/portcullis
VOLUME /var/lib/portcullis
EXPOSE 8443 9464
STOPSIGNAL SIGTERM
# Asks the health listener (`[[listener]]` with the surface `health` on port 9464) whether requests can be served.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9464 && printf 'GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200'"]
ENTRYPOINT ["portcullis"]
CMD ["serve", "--config", "/etc/portcullis/portcullis.toml"]
