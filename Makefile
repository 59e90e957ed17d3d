# Every task of this checkout. `make` alone lists them; targets that need the virtual environment prepare it themselves.

PYTHON ?= python3
DATA ?= ./data
LISTEN ?= localhost:50051
HTTP ?= localhost:50052
# Test processes, and of the slow tests one in this many (a different part each day).
WORKERS ?= 2
SLOW_SHARE ?= 8
# Which of the clients `make test-clients` tests: by default all.
CLIENTS ?=

SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
# What runs the server needs no tools of developers, so it has an environment of its own.
RUNTIME := .runtime
RUNTIME_PY := $(RUNTIME)/bin/python
RUNTIME_KERNELS := $(RUNTIME)/.kernels
SOURCES := $(wildcard storage/kernels/source/* server/wire/source/*) storage/kernels/build.py
KERNELS := $(VENV)/.kernels
PYTEST := $(PY) -m pytest
RUN_TESTS = $(PYTEST) -q -n $(WORKERS) --dist=worksteal --durations-file=.cache/durations.txt
PROTOS := $(sort $(wildcard protos/headwater/v1/*.proto))
SERVICES := $(shell grep -l '^service ' $(PROTOS))
STUBS := client/headwater/v1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1

heading = @printf '\n== %s\n' "$(1)"
generate = $(PY) -m grpc_tools.protoc -Iprotos --python_out=$(1) --pyi_out=$(1) $(PROTOS) \
	&& $(PY) -m grpc_tools.protoc -Iprotos --grpc_python_out=$(1) $(SERVICES)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- environment --------------------------------------------------------------------------------------------------------

.PHONY: install
install: $(KERNELS) ## Prepare .venv and build the kernels; does nothing when both are current

# Makes the environment $(1) with the requirements $(2), and names each package that it fetches.
define make-environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
@$(PYTHON) -m venv $(1)
@set -o pipefail; $(1)/bin/python -m pip install --progress-bar off -c requirements.lock $(2) \
	| sed -n 's/^Collecting \([^ ]*\).*/  \1/p;s/^Installing collected.*/  installing/p'
@touch $@
endef

# Both libraries, unless they are those of the sources.
define build-kernels
$(call heading,Building the kernels)
@$(1) -m storage.kernels
@$(1) -m server.wire
@touch $@
endef

$(STAMP): pyproject.toml client/pyproject.toml requirements.lock
	$(call heading,Installing the tools and libraries of developers into $(VENV))
	$(call make-environment,$(VENV),-e ./client -e '.[dev]')

$(KERNELS): $(STAMP) $(SOURCES)
	$(call build-kernels,$(PY))

$(RUNTIME)/.installed: pyproject.toml client/pyproject.toml requirements.lock
	$(call heading,Installing what the server needs into $(RUNTIME))
	$(call make-environment,$(RUNTIME),-e ./client -e .)

$(RUNTIME_KERNELS): $(RUNTIME)/.installed $(SOURCES)
	$(call build-kernels,$(RUNTIME_PY))

# -- the console --------------------------------------------------------------------------------------------------------

CONSOLE := server/http/console/index.html
CONSOLE_SOURCES := $(shell find console/src console/public -type f) console/index.html console/vite.config.ts console/tsconfig.json

console/node_modules/.installed: console/package.json console/package-lock.json
	$(call heading,Installing what builds the console)
	@cd console && npm ci --silent --no-audit --no-fund
	@touch $@

$(CONSOLE): console/node_modules/.installed $(CONSOLE_SOURCES)
	$(call heading,Building the console)
	@cd console && npx --no-install tsc && npx --no-install vite build --logLevel warn
	@touch $@

.PHONY: console
console: $(CONSOLE) ## Build the console, the web page that the HTTP port serves below /console/

# A machine that lacks what these tests need says so, and has not failed.
.PHONY: test-console
test-console: $(KERNELS) ## The tests of the console, in Chromium; they are skipped where Node or Chromium is missing
	$(call heading,The console)
	@if ! command -v npm > /dev/null; then echo 'skipped: there is no npm'; \
	elif ! command -v chromium > /dev/null; then echo 'skipped: there is no chromium'; \
	else $(MAKE) console && cd console && npx --no-install vitest run; fi

.PHONY: test-clients
test-clients: $(KERNELS) ## The tests of the clients in other languages, against real servers: make test-clients CLIENTS='go rust'
	$(call heading,The clients of other languages)
	@$(PY) -m tests.clients $(CLIENTS)

.PHONY: console-pictures
console-pictures: $(KERNELS) $(CONSOLE) ## Take the pictures of docs/console.md anew
	@cd console && PICTURES=$(CURDIR)/.cache/console npx --no-install vitest run test/browser
	@mkdir -p docs/console && cp $(addprefix .cache/console/,plan.png compare.png recall.png phone.png) docs/console

.PHONY: wheel
wheel: $(if $(shell command -v npm),$(CONSOLE)) ## Make the wheels of the client and of the server, in dist/
	$(call heading,Making wheels in dist)
	@rm -rf dist && $(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir dist ./client .
	@ls dist

# What builds an image: buildah, or else Podman or Docker. BASE is its base image, if not that of package/Containerfile.
IMAGE ?= headwater:0.1.0
BASE ?=
BUILDER ?= $(firstword $(foreach name,buildah podman docker,$(shell command -v $(name))))

.PHONY: image
image: $(if $(shell command -v npm),$(CONSOLE)) ## Make an image of the server for containers: make image IMAGE=headwater:0.1.0
	$(call heading,Making the image $(IMAGE))
	@test -n "$(BUILDER)" || { echo 'Install buildah, Podman or Docker, or name one: make image BUILDER=...'; exit 1; }
	@$(BUILDER) build $(if $(findstring docker,$(notdir $(BUILDER))),,--format docker) --file package/Containerfile \
		$(if $(BASE),--build-arg BASE=$(BASE)) --tag $(IMAGE) .

.PHONY: lock
lock: ## Record newest allowed versions in requirements.lock
	$(call heading,Resolving versions)
	@rm -rf .cache/lock && $(PYTHON) -m venv .cache/lock
	@.cache/lock/bin/python -m pip install --quiet -e ./client -e '.[dev]'
	@{ sed -n '/^#/p' requirements.lock; .cache/lock/bin/python -m pip freeze --exclude-editable; } > .cache/requirements.lock
	@mv .cache/requirements.lock requirements.lock && rm -rf .cache/lock

# -- wire contract ------------------------------------------------------------------------------------------------------

.PHONY: protos
protos: $(STAMP) ## Generate the stubs in client/headwater/v1 from protos/
	$(call heading,Generating stubs)
	@rm -f $(STUBS)/*_pb2*.py $(STUBS)/*_pb2*.pyi
	@$(call generate,client)
	@$(PY) -m docs.write_openapi

.PHONY: protos-check
protos-check: $(STAMP) ## Check that the stubs are fresh
	$(call heading,Stubs are fresh)
	@rm -rf .cache/stubs && mkdir -p .cache/stubs
	@$(call generate,.cache/stubs)
	@diff -r -x __pycache__ -x __init__.py .cache/stubs/headwater/v1 $(STUBS) || { echo 'Stale stubs: run `make protos`.'; exit 1; }

# -- checks and tests ---------------------------------------------------------------------------------------------------

.PHONY: lint
lint: $(STAMP) imports ## Style, formatting, import contracts and the protos' own rules
	$(call heading,Style)
	@$(PY) -m ruff check --quiet
	@$(PY) -m ruff format --check --quiet
	$(call heading,Protos)
	@$(PYTEST) -q --no-header tests/protos

.PHONY: format
format: $(STAMP) ## Format the code and fix what can be fixed
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

.PHONY: imports
imports: $(STAMP) ## Check who imports whom
	$(call heading,Import contracts)
	@PYTHONPATH=.:client $(VENV)/bin/lint-imports --no-logo --cache-dir .cache/imports

.PHONY: typecheck
typecheck: $(STAMP) ## mypy --strict over everything
	$(call heading,Types)
	@$(PY) -m mypy

.PHONY: test
test: $(KERNELS) ## All checks, and the tests with a share of the slow ones
	@$(MAKE) lint
	@$(MAKE) typecheck
	@$(MAKE) protos-check
	$(call heading,Tests)
	@$(RUN_TESTS) --slow-share=$(SLOW_SHARE)

.PHONY: test-storage test-planner test-server test-client test-e2e
test-storage: $(KERNELS) ## The tests of storage, with a share of the slow ones
	@$(RUN_TESTS) --slow-share=$(SLOW_SHARE) tests/storage
test-planner: $(KERNELS) ## The tests of the planner
	@$(RUN_TESTS) --slow-share=$(SLOW_SHARE) tests/planner
test-server: $(KERNELS) ## The tests of the server
	@$(RUN_TESTS) --slow-share=$(SLOW_SHARE) tests/server
test-client: $(KERNELS) ## The tests of the client
	@$(RUN_TESTS) --slow-share=$(SLOW_SHARE) tests/client
test-e2e: $(KERNELS) ## The tests of a real server with the real client
	@$(RUN_TESTS) --slow-share=$(SLOW_SHARE) tests/e2e

.PHONY: test-image
test-image: $(KERNELS) ## Build and start the image, where buildah and mmdebstrap are installed; takes minutes
	@$(PYTEST) -q -rs tests/project/test_container.py

.PHONY: test-all
test-all: $(KERNELS) ## Every test, and ten times as many generated examples
	$(call heading,All tests)
	@$(RUN_TESTS) --hypothesis-profile=thorough

# Settings of `make fuzz`; without SEED a new one, which it prints. ONLY: numbers of single cases.
REQUESTS ?= 1000000
SEED ?=
ONLY ?=

SANITIZED := HEADWATER_KERNELS_LIBRARY=$(CURDIR)/.cache/sanitize/kernels.so \
	HEADWATER_WIRE_LIBRARY=$(CURDIR)/.cache/sanitize/wire.so

.PHONY: sanitize
sanitize: $(STAMP) ## The tests of native code, under the address and undefined behaviour sanitizers of g++
	$(call heading,Native code under sanitizers)
	@mkdir -p .cache/sanitize
	@$(SANITIZED) $(PY) -m storage.kernels --sanitize
	@$(SANITIZED) $(PY) -m server.wire --sanitize
	@$(SANITIZED) LD_PRELOAD=$$(g++ -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 \
		$(PYTEST) -q tests/storage/kernels tests/server/wire tests/planner/text/test_text_kernel.py

.PHONY: test-neon
test-neon: $(STAMP) ## The tests of native code on an emulated Arm processor; takes some minutes
	$(call heading,Native code on an emulated Arm processor)
	@PYTHONPATH=.:client $(PY) -m tests.emulated

.PHONY: fuzz
fuzz: $(KERNELS) ## Attack a server with requests of every kind: make fuzz REQUESTS=1000000 SEED=1
	@$(PY) -m tests.attack --requests $(REQUESTS) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

# Settings of `make soak`; without SEED a new one, which it prints.
MINUTES ?= 10

.PHONY: soak
soak: $(KERNELS) ## Use a server in every way at once, with kills, against a model: make soak MINUTES=10 SEED=1
	@$(PY) -m tests.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

.PHONY: goldens
goldens: $(STAMP) ## Record the golden files anew; review the difference
	$(call heading,Recording goldens)
	@$(PYTEST) -q -m golden --update-goldens

.PHONY: docs
docs: $(STAMP) ## Draw the pictures of plans and of the rooms anew, and list the rooms
	@$(PY) -m docs.draw_plan
	@$(PY) -m docs.draw_rooms
	@$(PY) -m docs.list_rooms

SITE := .site
SITE_PAGES := .cache/site/pages

$(SITE)/.installed: docs/site/requirements.txt
	$(call heading,Installing what builds the site of the documents)
	@rm -rf $(SITE) && $(PYTHON) -m venv $(SITE)
	@$(SITE)/bin/python -m pip install --quiet -r docs/site/requirements.txt
	@touch $@

.PHONY: site
site: $(SITE)/.installed ## Build the site of the documents in .cache/site/html, and check every link in it
	$(call heading,Building the site)
	@$(SITE)/bin/python -m docs.site.pages $(SITE_PAGES)
	@NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --clean --config-file docs/site/mkdocs.yml  # with --quiet it would not be strict
	@echo "Read it with: $(PYTHON) -m http.server --bind localhost --directory .cache/site/html"

# -- running ------------------------------------------------------------------------------------------------------------

.PHONY: serve
serve: $(RUNTIME_KERNELS) ## Run a durable server: make serve DATA=./data LISTEN=localhost:50051 HTTP=localhost:50052
	@exec $(RUNTIME_PY) -m headwater_server --data $(DATA) --listen $(LISTEN) --http $(HTTP)

.PHONY: demo
demo: $(RUNTIME_KERNELS) ## Search, fuse and re-rank real data on a temporary server
	@$(RUNTIME_PY) -m examples.demo

.PHONY: check
check: $(RUNTIME_KERNELS) ## Verify a data directory while no server has it open: make check DATA=./data
	@$(RUNTIME_PY) -m headwater_server check $(DATA)

.PHONY: bench
bench: $(KERNELS) ## Measure against the raw parts, side by side
	@$(PY) -m bench

.PHONY: clean
clean: ## Remove the environment, caches and generated leftovers (never DATA)
	@rm -rf $(VENV) $(RUNTIME) $(SITE) server/http/console console/node_modules .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
