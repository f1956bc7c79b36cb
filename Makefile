.PHONY: help test check
help: ## lists the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

test: ## everything that must hold
	@if command -v cargo-nextest >/dev/null; then cargo nextest run --workspace --locked; \
	else cargo test --workspace --locked; fi

check: ## format, lint, licences, tests: what CI runs
	@bash .ci/run
