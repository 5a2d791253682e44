# What a person types. It needs Python >= 3.10, a C compiler and make; everything else goes into .venv.
#
#   make demo       build, fold a shipped trace and a perf.data, write demo-out/
#   make test       every test
#   make lint       style, types, stubs, Cython hints, banned calls
#   make format     what of the style can be put right by itself
#   make sanitize   the tests again under AddressSanitizer and UndefinedBehaviorSanitizer
#   make bench      speed against other tools        make soak   the long fuzz and property runs
#   make clean      remove what the others made
#
# Another interpreter: make PYTHON=python3.12 test (after make clean)

PYTHON ?= python3
PYTEST_ARGS ?=
BENCH_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
BUILT := build/.built
COMPILED := setup.py pyproject.toml $(shell find src -name '*.pyx' -o -name '*.pxd')
DEMO := fixtures/perf_script/node_demo.txt.gz
RECORDING := fixtures/perf_data/perf_map.data

.PHONY: build demo test lint format bench soak sanitize clean
.DELETE_ON_ERROR:

build: $(BUILT)

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "flameparse needs Python 3.10 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip 'setuptools>=77' 'cython>=3.1,<4'
	@touch $@

# Installed in place: Python files are used where they stand, extensions are compiled into src/. Installing compiles
# everything; afterwards only what changed is compiled again.
INSTALL := -m pip install --quiet --no-build-isolation --editable '.[dev]'
COMPILE := setup.py --quiet build_ext --inplace
$(BUILT): $(VENV)/.created $(COMPILED)
	@mkdir -p $(@D) && touch $@.started  # what is edited during the build is newer than this
	$(BIN)/python $(if $(filter $(VENV)/.created pyproject.toml,$?),$(INSTALL),$(COMPILE))
	$(BIN)/python -m compileall -q src/flameparse  # start-up counts, even where Python is told to write no bytecode
	@mv $@.started $@

demo: $(BUILT)
	@mkdir -p demo-out
	$(BIN)/flameparse fold $(DEMO) -o demo-out/node_demo.folded
	$(BIN)/flameparse fold $(DEMO) -o demo-out/node_demo.msgpack
	$(BIN)/flameparse render demo-out/node_demo.msgpack -o demo-out/node_demo.html
	$(BIN)/flameparse render demo-out/node_demo.msgpack -o demo-out/node_demo.svg
	$(BIN)/flameparse fold $(RECORDING) --symfs fixtures/perf_data/symbols -o demo-out/recording.folded
	@echo "Written to $(CURDIR)/demo-out:" && ls -l demo-out
	@echo "Open demo-out/node_demo.html in a browser."

test: $(BUILT)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Python and Cython style, types, stubs against the binaries, layering; the C that Cython writes must be free of hidden
# GIL calls; nothing that is shipped may build HTML from strings or hand a string to a shell.
lint: $(BUILT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint src  # it calls pycodestyle by name
	$(BIN)/python -m pytest --quiet tests/test_stubs.py tests/test_layering.py
	@mkdir -p build/lint
	CYTHON_FORCE_REGEN=1 FLAMEPARSE_BUILD=build/lint $(BIN)/python setup.py --version >build/lint/log 2>&1 || { cat build/lint/log; exit 1; }
	@if grep -A 4 -E 'performance hint|^warning' build/lint/log; then echo "lint: Cython has remarks, see above"; exit 1; fi
	@if grep -rnE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\(|new Function\b' --include='*.js' --include='*.html' src; then echo "lint: banned sink"; exit 1; fi
	@if grep -rnE 'shell *= *True|os\.(system|popen)\b' --include='*.py' --include='*.pyx' src benchmarks tests; then echo "lint: banned call"; exit 1; fi

format: $(BUILT)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BUILT)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

soak: $(BUILT)
	HYPOTHESIS_PROFILE=nightly FLAMEPARSE_FUZZ_INPUTS=1000000 $(BIN)/python -m pytest tests/property tests/fuzz $(PYTEST_ARGS)

sanitize:
	PYTHON='$(PYTHON)' bash tests/sanitize.sh $(PYTEST_ARGS)

clean:
	rm -rf .venv .venv-asan build dist demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis src/flameparse.egg-info
	find src -name '*.so' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
