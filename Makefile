# Box Office, from the command line. `make` alone lists what there is.
#
# Everything is installed into the checkout: .venv (Python packages, by hash) and node_modules (the CDK's command line).
# A stamp beside each says what it was made from, so that a second run installs nothing.

PORT ?= 8080
STATE ?= .state
SETTINGS ?=
PYTHON ?=
SEED ?= 1
EXAMPLES ?= 20
AT_REST ?= 60
ORDERS ?= 500
STAGE ?= dev
ONLY ?=

MAKEFLAGS += --no-print-directory
# Where it is set, Python would compile every library anew at each start: three times as slow.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv/bin/python
CDK := CDK_DISABLE_CLI_TELEMETRY=1 node node_modules/aws-cdk/bin/cdk
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate --no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help install run test every-test check check-code crash-matrix bench sellout storm mutants checkov runtime dead-letters audit fuzz properties format openapi snapshot lock synth costs costs-page precommit clean

help: ## list these commands
	@echo "make run                 start Box Office on this machine; PORT=8080 STATE=.state SETTINGS=\"hold_seconds=60\""
	@awk -F ':.*## ' '/^[a-z-]+:.*## / && $$1 != "help" && $$1 != "run" { printf "make %-19s %s\n", $$1, $$2 }' Makefile

run: install ## start Box Office on this machine
	@exec $(VENV) -m local run --port "$(PORT)" --state "$(STATE)" --settings "$(SETTINGS)" --stop-with-parent

test: install ## every check and every test
	@$(MAKE) --jobs=2 check-code every-test

every-test:
	@$(VENV) -m pytest -q -n 2 --dist loadscope --cov --cov-report=

check: install ## formatting, lint, types, imports and unit tests; says nothing when all is well
	@$(MAKE) check-code
	@tools/quietly $(VENV) -m pytest -q -n 2 tests/unit

check-code:
	@tools/quietly $(VENV) -m ruff format --check .
	@tools/quietly $(VENV) -m ruff check .
	@tools/quietly $(VENV) -m mypy
	@PYTHONPATH=layers/shared/python tools/quietly .venv/bin/lint-imports

fuzz: install ## hold the system that runs at PORT against its OpenAPI document; SEED=1 EXAMPLES=20
	@$(VENV) -m tools.fuzz "http://127.0.0.1:$(PORT)" --seed "$(SEED)" --examples "$(EXAMPLES)"

properties: install ## money and stock under EXAMPLES=20 random sequences of operations each, from SEED=1
	@echo "SEED=$(SEED) EXAMPLES=$(EXAMPLES)"
	@PROPERTY_EXAMPLES="$(EXAMPLES)" $(VENV) -m pytest -q --capture=sys --hypothesis-seed="$(SEED)" tests/properties

format: install ## format the code and mend what the linter can mend
	@$(VENV) -m ruff check --fix --quiet . || true
	@$(VENV) -m ruff format --quiet .

costs: install ## what a stage costs in an idle month, and 1,000 orders: STAGE=dev
	@$(CDK) synth --quiet --no-notices --context dependencies=skip --context "stage=$(STAGE)" --output "build/costs/$(STAGE)"
	@$(VENV) -m tools.costs "build/costs/$(STAGE)"

costs-page: install ## write docs/costs.md from the templates
	@for stage in dev prod; do $(CDK) synth --quiet --no-notices --context dependencies=skip --context "stage=$$stage" --output "build/costs/$$stage" || exit 1; done
	@$(VENV) -m tools.costs --page dev=build/costs/dev prod=build/costs/prod

synth: install ## write the CloudFormation templates to cdk.out
	@$(CDK) synth --quiet --no-notices

crash-matrix: install ## break every function at every point, and audit; takes many minutes
	@CRASH_MATRIX=full $(VENV) -m pytest -q -s --show-capture=no tests/faults/test_crash_matrix.py

bench: install ## measure the CPU time of one purchase
	@POWERTOOLS_LOG_LEVEL=CRITICAL PYTHONPATH=layers/shared/python $(VENV) -m bench.purchase_cpu

sellout: install ## sell 500 tickets to 50 buyers through the system that runs at PORT
	@$(VENV) -m bench.sellout "http://127.0.0.1:$(PORT)"

storm: install ## sell while everything breaks, then judge the books; SEED=1 ORDERS=500, a laptop cloud of its own
	@$(VENV) -m tests.faults.storm --seed "$(SEED)" --orders "$(ORDERS)"

mutants: install ## take each guard of tools/guards.toml away, in a copy, and see that a test fails; ONLY=outbox
	@$(VENV) -m tools.mutants --only "$(ONLY)"

checkov: install ## what checkov finds in the templates of all stages, and reasons for nothing; installs it into build/
	@$(VENV) -m tests.infrastructure.checkov dev staging prod

runtime: install ## import every function under its layers by Lambda's Python for arm64, fetched from Debian, run by QEMU
	@$(VENV) -m tests.infrastructure.runtime

dead-letters: install ## messages that failed for good on this machine: DO="show mail", DO="redrive mail", DO="discard mail"
	@$(VENV) -m tools.dead_letters --laptop "$(STATE)" $(or $(DO),list)

audit: install ## check that money, tickets and stock are right at PORT; on AWS: python -m tools.audit --stage dev
	@$(VENV) -m tools.audit --laptop "http://127.0.0.1:$(PORT)" --at-rest "$(AT_REST)"

openapi: install ## write the OpenAPI document from what the routes declare
	@PYTHONPATH=layers/shared/python $(VENV) -m tools.openapi

snapshot: install ## accept the API as it is now: docs/api-surface.txt and docs/api-promises.txt
	@$(VENV) -m tools.api_promises
	@PYTHONPATH=layers/shared/python $(VENV) -m tests.infrastructure.surface

lock: .venv/.installed ## lock the newest versions that the .in files admit, with hashes
	@$(VENV) -m uv pip compile $(LOCK) layers/shared/requirements.in -o layers/shared/requirements.txt
	@$(VENV) -m uv pip compile $(LOCK) -c layers/shared/requirements.txt requirements-dev.in -o requirements-dev.txt
	@$(VENV) -m uv pip compile $(LOCK) requirements-emulator.in -o requirements-emulator.txt
	@npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --silent

precommit: install ## run `make check` before each commit from now on
	@$(VENV) -m pre_commit install

install: .venv/.installed node_modules/.installed ## install what the other commands need, into this folder
	@:

.venv/.installed: requirements-dev.txt requirements-emulator.txt tools/install-python
	@tools/install-python "$(PYTHON)"

node_modules/.installed: package.json package-lock.json tools/install-node
	@tools/install-node

clean: ## remove what was installed and built (the state of `make run` stays)
	@rm -rf .venv node_modules cdk.out build .schemathesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
