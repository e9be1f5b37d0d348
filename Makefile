# Everything a person or CI does here. Each target is a line or two; the work is in cargo and in scripts/.

CARGO ?= cargo
CONFIG ?=

.DEFAULT_GOAL := help
.PHONY: help run demo web test faults check bench fmt clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build and serve on http://127.0.0.1:8787, SQLite under ./data (CONFIG=file.toml for your own settings)
	@scripts/need cargo cc node npm
	@scripts/web
	$(CARGO) run --release --locked -- serve $(if $(CONFIG),--config $(CONFIG))

demo: ## serve beside a scripted provider and run an agent through the gateway: real sessions without a provider key
	@scripts/need cargo cc node npm
	@scripts/web
	$(CARGO) run --release --locked -- demo

web: ## build the dashboard into web/dist; the next build of the gateway takes it in
	@scripts/web

test: ## every test, on SQLite and on a real PostgreSQL
	@scripts/test-setup
	$(CARGO) test --locked

faults: ## the long forms of the fault suite, about an hour; writes docs/FAULTS.md (one row: scripts/faults NAME)
	@scripts/test-setup
	scripts/faults

check: ## formatting, lints, documentation, tidiness, shell syntax
	@scripts/check

bench: ## how long session queries take over a million calls, on SQLite under target/bench
	$(CARGO) bench --locked

fmt: ## format the Rust sources
	$(CARGO) fmt

clean: ## remove what was built and what the tests installed
	rm -rf target tests/clients/python/.venv tests/clients/typescript/node_modules tests/ui/node_modules
	rm -rf web/node_modules web/dist/*
