# Two commands matter: `make run` and `make test`. Both need only python3 (3.11 or newer) with venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Some shells forbid byte code; without it every start would compile again.
INSTALL := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--require-hashes --only-binary :all: --compile

.PHONY: run test chaos check bench examples openapi schema demo clean

run: $(VENV)/installed-run
	@exec $(BIN)/python -m vendorrisk up

demo: $(VENV)/installed-run
	@exec $(BIN)/python -m vendorrisk demo

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 $(ARGS)

# A thousand kills in ten thousand operations, for most of an hour; the suite has a short run of the same.
chaos: $(VENV)/installed-dev
	env TEST_CHAOS_OPERATIONS=$${TEST_CHAOS_OPERATIONS:-10000} TEST_CHAOS_KILLS=$${TEST_CHAOS_KILLS:-1000} \
		$(BIN)/python -m pytest -m chaos $(ARGS) tests/whole/test_chaos.py

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --processes 2 sql/migrations sql/queries
	$(BIN)/deptry vendorrisk
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/shellcheck .ci/run docker/make-secrets docker/postgres/10-roles.sh

bench: $(VENV)/installed-dev
	$(BIN)/python -m tests.bench $(ARGS)

openapi: $(VENV)/installed-run
	$(BIN)/python -m vendorrisk openapi > openapi/vendorrisk.json.new
	mv openapi/vendorrisk.json.new openapi/vendorrisk.json

# What the demo tenant was answered by every operation; `make openapi` then puts it into the document.
examples: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -n 0 tests/whole/write_examples.py

schema: $(VENV)/installed-run
	env -u DATABASE_URL $(BIN)/python -m vendorrisk schema > sql/schema.sql.new
	mv sql/schema.sql.new sql/schema.sql

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv is missing: apt-get install -y python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed-run: requirements.txt $(VENV)/bin/python
	@echo "installing into $(VENV) ..."
	@$(INSTALL) -r requirements.txt
	@$(BIN)/python .ci/link.py
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/bin/python
	@echo "installing the development tools into $(VENV) ..."
	@$(INSTALL) -r requirements-dev.txt
	@$(BIN)/python .ci/link.py
	@touch $@ $(VENV)/installed-run

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
