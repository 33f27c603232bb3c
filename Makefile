# One command each. `make demo` is where to begin; CONTRIBUTING.md says which one to run before a commit.

CARGO = cargo
LOCKED = --locked

.PHONY: help demo build test lint fmt deny advisories bench deps

help:           ## what there is
	@grep -E '^[a-z]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

demo:           ## build, start, and watch a real client being let in and refused
	@scripts/deps.sh demo
	@scripts/demo.sh

build:          ## the release binary, in target/release/portcullis
	$(CARGO) build $(LOCKED) --release

test: deps lint ## everything that must hold: style, lints, docs, licences, all tests
	$(CARGO) test $(LOCKED) --doc
	$(CARGO) test $(LOCKED) --no-fail-fast --lib --bins --tests

lint: deps      ## format, clippy, documentation and licences, each with warnings as errors
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(LOCKED) --no-deps --document-private-items
	@$(MAKE) --no-print-directory deny

deny:           ## licences, banned crates and sources; needs cargo-deny
	@# Crates for other systems are looked at too, which nothing has needed so far.
	@$(CARGO) fetch $(LOCKED) --quiet 2>/dev/null || true
	@if cargo deny --version >/dev/null 2>&1; \
	then cargo deny $(LOCKED) --offline check licenses bans sources; \
	else echo 'cargo-deny is not installed: licences, bans and sources were NOT checked'; fi

advisories:     ## known vulnerabilities; fetches the advisory database
	cargo deny $(LOCKED) check advisories

bench: deps     ## ratios against nginx, HAProxy and docker-registry, in benches/RESULTS.md
	$(CARGO) bench $(LOCKED) --bench '*'

deps:           ## install what building and testing need and this machine lacks
	@scripts/deps.sh test

fmt:            ## format the code
	$(CARGO) fmt
