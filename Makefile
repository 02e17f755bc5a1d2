# make demo    bring up everything with a simulated fleet, and watch it
# make test    everything that CI checks: `make check`, then the tests against real servers, a pair for each half
# make check   lint, types, import contract, unit tests: seconds, no servers
# make faults  break a stack of its own on purpose: ROUNDS=3 SEED=7 KILLS=20 FAULTS='kill land,zombie' MUTANTS=1
# make reference  write what is generated from the types: JSON Schema, the table of signals
# make audit   known holes of what is pinned (pip-audit) and of our own code (bandit); asks the network
# make screenshots  pictures of the page for the README, of a stack with the demo's fleet
# make lock    resolve the pinned dependencies afresh
# make clean   remove the environment and all caches of this directory; a stack's data stays
#
# Each does its own set-up. Choose the Python with `make PYTHON=python3.12 …`.

export PIP_DISABLE_PIP_VERSION_CHECK := 1
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin

# The markers are named after what they were made from, and made last: what was interrupted is done again.
LOCKED := .venv/.locked-$(shell sha256sum requirements.lock | cut -c1-16)
INSTALLED := .venv/.installed-$(shell sha256sum pyproject.toml | cut -c1-16)

.PHONY: demo test check setup faults reference audit screenshots lock clean
demo: setup
	@$(BIN)/robovitals demo

test: check
	$(BIN)/pytest tests/integration -n 2 --dist loadfile

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/unit

setup: $(INSTALLED)

$(LOCKED):
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found: apt-get install python3, or make PYTHON=…"; exit 1; }
	@$(PYTHON) -c '$(SUPPORTED)' || { echo "PYTHON=$(PYTHON) is not Python 3.11, 3.12 or 3.13"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: apt-get install python3-venv"; exit 1; }
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --require-hashes -r requirements.lock
	touch $@

$(INSTALLED): $(LOCKED)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

faults: setup
	PYTHONPATH=tests $(BIN)/python -m faults $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(KILLS),--kills $(KILLS)) $(if $(FAULTS),--faults '$(FAULTS)') $(if $(MUTANTS),--mutants) $(OPTIONS)

reference: setup
	$(BIN)/python -m deploy.reference

# B310 and B608 are ruff's S310 and S608, which are on, with a reason at each place that is an exception.
audit:
	test -x .lockenv/bin/pip-audit -a -x .lockenv/bin/bandit || { $(PYTHON) -m venv .lockenv && \
		.lockenv/bin/pip install --quiet uv pip-audit bandit; }
	.lockenv/bin/pip-audit --requirement requirements.lock --disable-pip --strict --progress-spinner off
	.lockenv/bin/bandit --quiet --recursive --severity-level medium --skip B310,B608 schemas ingest processors serve deploy

screenshots: setup
	$(BIN)/python -m deploy.screenshots $(if $(ALL),--all '$(ALL)')

lock: setup
	test -x .lockenv/bin/uv || { $(PYTHON) -m venv .lockenv && .lockenv/bin/pip install --quiet uv; }
	.lockenv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-header --all-extras pyproject.toml -o requirements.lock
	$(BIN)/python -m deploy.local.jars > .lockenv/kafka.lock
	mv .lockenv/kafka.lock deploy/local/kafka.lock

clean:
	rm -rf .venv .lockenv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info build
	find . -name __pycache__ -prune -exec rm -rf {} +
