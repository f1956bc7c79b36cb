.PHONY: help demo test check measure
help: ## lists the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: ## three mailboxes move between two real Dovecots that it installs and starts itself
	@sh scripts/dovecot.sh
	cargo build --locked --package mailhaul --package mailhaul-testkit --bin mailhaul --example demo
	@"$${CARGO_TARGET_DIR:-target}/debug/examples/demo" "$${CARGO_TARGET_DIR:-target}/debug/mailhaul"

test: ## everything that must hold; installs the servers that it needs
	@sh scripts/dovecot.sh
	@if command -v cargo-nextest >/dev/null; then cargo nextest run --workspace --locked && cargo test --doc --workspace --locked; \
	else cargo test --workspace --locked; fi

check: ## format, lint, licences, tests: what CI runs
	@bash .ci/run

measure: ## memory and time on this machine, with the release build
	@sh scripts/dovecot.sh
	cargo build --release --locked --package mailhaul --package mailhaul-testkit --bin mailhaul --example measure
	@"$${CARGO_TARGET_DIR:-target}/release/examples/measure" "$${CARGO_TARGET_DIR:-target}/release/mailhaul"
