# Pixelwise. `make help` lists what there is; every command sets up .venv by itself.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHAPTERS ?=
BUDGET ?=
DATASET ?=
STACK ?= oldest
PORT ?= 8000

# Tests run on every core, so each of them computes on one.
TEST_ENVIRONMENT := PIXELWISE_BUDGET=smoke OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help book epub test test-fast coverage rehearse audit links serve lab record bench lint stale bootstrap set-repository clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "Pixelwise needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | tail -1)." \
		"Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
	@echo "Setting up $(VENV) from requirements.txt: the first time about 6 GB and some minutes."
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-build-isolation --no-deps --editable .
	@touch $@

book: $(READY) ## build the site into _build/html, warnings are errors
	@$(BIN)/python -m book.build

epub: $(READY) ## build the book as one file for e-readers, _build/epub/Pixelwise.epub
	@$(BIN)/python -m book.build --epub

test: $(READY) lint ## run every test, every chapter (briefly) and the site in a browser
	$(TEST_ENVIRONMENT) $(BIN)/python -m pytest tests chapters -n logical --maxprocesses 8 --dist loadscope \
		--nbval-lax --nbval-current-env --nbval-cell-timeout 300 --durations 10

test-fast: $(READY) lint ## the tests for daily work: no chapter is executed, no browser opened
	$(TEST_ENVIRONMENT) $(BIN)/python -m pytest tests -m "not slow" -n logical --maxprocesses 8 --dist loadscope

coverage: $(READY) ## how many lines of the library the unit tests alone reach; under 90 % is an error
	$(TEST_ENVIRONMENT) $(BIN)/python -m pytest tests -m "not browser" -n logical --maxprocesses 8 --dist loadscope \
		--cov=pixelwise --cov-report=term:skip-covered --cov-fail-under=90

rehearse: ## run every chapter as in Colab: other versions, no library, an empty folder (STACK=oldest or newest)
	$(PYTHON) book/rehearse.py --stack $(STACK)

audit: $(READY) ## plant faults in the book and see the tests catch them; then: is it fit for a release?
	@$(BIN)/python -m book.audit

links: $(READY) ## ask every address that the book names whether it still answers
	@$(BIN)/python -m book.links

serve: book ## build the site and serve it on http://localhost:8000 (PORT=…)
	@echo "The book is on http://localhost:$(PORT); Ctrl-C ends it."
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: $(READY) ## open the chapters in JupyterLab
	$(BIN)/python -m jupyterlab chapters

record: $(READY) ## execute chapters and keep their outputs (CHAPTERS="a b" BUDGET=cpu DATASET=camvid)
	$(BIN)/python -m book.record --chapters "$(CHAPTERS)" --budget "$(BUDGET)" --dataset "$(DATASET)"

bench: $(READY) ## compare with other libraries, side by side
	@for file in benchmarks/*.py; do \
		test -e "$$file" || { echo "there are no benchmarks yet"; break; }; \
		echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

lint: $(READY) ## check style and format, notebooks included
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . || { \
		echo "Style differs; '$(BIN)/ruff check --fix . && $(BIN)/ruff format .' mends most of it." >&2; exit 1; }

stale: $(READY) ## list the chapters that an earlier library recorded
	@$(BIN)/python -m book.stale

bootstrap: $(READY) ## put the cell that prepares Colab into every chapter (after another version or a new chapter)
	@$(BIN)/python -m book.bootstrap

set-repository: $(READY) ## change the repository's address everywhere (URL=https://github.com/…)
	@$(BIN)/python -m book.repository "$(URL)"

clean: ## remove what was built; data and .venv stay
	rm -rf _build .pytest_cache .ruff_cache .hypothesis .coverage
