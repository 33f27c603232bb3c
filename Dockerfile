# syntax=docker/dockerfile:1
# Portcullis as an image: built in one stage, run in another that holds the binary, its libraries, the roots of trust and nothing else: no
# shell, no package manager. Build it with BuildKit (`docker build .`); its caches make the second build short.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY scripts/image-root.sh ./scripts/
COPY config ./config
COPY src ./src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release && scripts/image-root.sh target/release/portcullis /image

FROM scratch
COPY --from=build /image/ /
USER 10001:10001
# Everything that is written goes here, so the rest of the file system may be read-only.
WORKDIR /var/lib/portcullis
VOLUME /var/lib/portcullis
EXPOSE 8443 9464
STOPSIGNAL SIGTERM
LABEL org.opencontainers.image.title="Portcullis" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="Cloud-grade IAM in front of any OCI registry" \
      portcullis.sbom="/usr/share/doc/portcullis/Cargo.lock"
# Asks the health listener (`[[listener]]` with the surface `health` on port 9464) whether requests can be served.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["/usr/local/bin/portcullis", "health"]
ENTRYPOINT ["/usr/local/bin/portcullis"]
CMD ["serve", "--config", "/etc/portcullis/portcullis.toml"]
