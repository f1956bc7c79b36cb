.PHONY: help demo demo-cluster test test-long test-cluster test-servers fuzz check bench bench-pieces bench-cluster bench-report bench-compare
help: ## lists the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: ## three mailboxes move between two real Dovecots that it installs and starts itself; KEEP=1 then shows the web console
	@sh scripts/dovecot.sh
	@sh scripts/console.sh
	cargo build --locked --package mailhaul --package mailhaul-testkit --bin mailhaul --example demo
	@"$${CARGO_TARGET_DIR:-target}/debug/examples/demo" "$${CARGO_TARGET_DIR:-target}/debug/mailhaul"

demo-cluster: ## three nodes on one PostgreSQL move fifty mailboxes; one is killed in the middle
	@sh scripts/dovecot.sh
	@sh scripts/postgres.sh
	cargo build --locked --package mailhaul --package mailhaul-testkit --bin mailhaul --example demo_cluster
	@"$${CARGO_TARGET_DIR:-target}/debug/examples/demo_cluster" "$${CARGO_TARGET_DIR:-target}/debug/mailhaul"

# Many tests wait for servers that are slow or silent on purpose: two for each processor keep it busy.
THREADS = $$(($$(nproc) * 2))

test: ## everything that must hold; installs the servers that it needs
	@sh scripts/servers.sh
	@if command -v cargo-nextest >/dev/null; then cargo nextest run --workspace --locked --test-threads $(THREADS) && \
		cargo test --doc --workspace --locked; \
	else RUST_TEST_THREADS=$(THREADS) cargo test --workspace --locked; fi

# How much `make test-long` does: a factor of what `make test` does of it.
EXTENT ?= 60

test-long: ## cuts, kills and hostile servers in great numbers, about an hour; EXTENT=10 is shorter, MAILHAUL_SEED=7 begins elsewhere
	@sh scripts/servers.sh
	MAILHAUL_EXTENT=$(EXTENT) cargo test --locked --package mailhaul --test long -- --nocapture --skip cluster::
	MAILHAUL_EXTENT=$(EXTENT) cargo test --locked --package mailhaul --test console thousands_of_rows

# Rounds of `make test-cluster`.
ROUNDS ?= 1

test-cluster: ## trials of several nodes on one database, with times; ROUNDS=50 for the long proof, on a machine that does nothing else
	@sh scripts/servers.sh
	MAILHAUL_EXTENT=$(ROUNDS) cargo test --locked --package mailhaul --test long cluster:: -- --nocapture --test-threads 1

# Seconds for each target. A night (TIME=1800) makes more than 100 million executions.
TIME ?= 60

fuzz: ## mutated input for everything that reads foreign bytes: make fuzz TIME=60, TARGETS="csv shell" for some
	@TIME=$(TIME) sh scripts/fuzz.sh

test-servers: ## only the tests against every kind of real server
	@sh scripts/servers.sh
	@if command -v cargo-nextest >/dev/null; then cargo nextest run --workspace --locked --test servers; \
	else cargo test --workspace --locked --test servers; fi

check: ## format, types of the console, lint, licences, tests: what CI runs
	@bash .ci/run

# What `make bench` measures (all, or some of: small many big eight fleet long) and how often; where the results go.
PROFILE ?=
ROUNDS ?= 3
BENCH_OUT ?= $${CARGO_TARGET_DIR:-target}/benchmarks.json
BENCH = "$${CARGO_TARGET_DIR:-target}/release/mailhaul-bench"

bench: ## mailhaul beside mbsync and the servers' limit; PROFILE=small ROUNDS=1 for a quick look
	@sh scripts/dovecot.sh
	@sh scripts/isync.sh
	cargo build --release --locked --package mailhaul --package mailhaul-bench --bin mailhaul --bin mailhaul-bench
	@$(BENCH) run --mailhaul "$${CARGO_TARGET_DIR:-target}/release/mailhaul" --rounds $(ROUNDS) --out "$(BENCH_OUT)" \
		$(foreach it,$(PROFILE),--profile $(it))

bench-pieces: ## framer, decoder, planner, ledger and the scheduler's turn alone
	cargo bench --locked --package mailhaul-bench

bench-cluster: ## ledger, the scheduler's turn, claims and lists of users: the file beside PostgreSQL
	@sh scripts/postgres.sh
	cargo bench --locked --package mailhaul-bench --bench ledger --bench users

bench-report: ## docs/benchmarks.md and .json out of the last `make bench`
	cargo build --release --locked --package mailhaul-bench
	@cp "$(BENCH_OUT)" docs/benchmarks.json
	@$(BENCH) report docs/benchmarks.json docs/benchmarks.md

bench-compare: ## what changed between two results: make bench-compare OLD.json NEW.json
	@cargo build --quiet --release --locked --package mailhaul-bench
	@$(BENCH) compare $(filter %.json,$(MAKECMDGOALS))

# The results that bench-compare is given are not to be made.
%.json:
	@:
