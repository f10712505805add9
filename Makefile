# Pixelwise. `make help` lists what there is; every command sets up .venv by itself.

# Each of these may be given on the command line (make PORT=9000 serve); what the shell happens to export does not count.
PYTHON := python3
VENV := .venv
CHAPTERS :=
BUDGET :=
DATASET :=
STACK := oldest
TORCH :=
DEVICE := cpu
MINUTES := 8
PORT := 8000
URL :=

# Nor do a reader's settings of Python reach ours.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONOPTIMIZE PYTHONINSPECT PYTHONPLATLIBDIR PYTHONUSERBASE PYTHONWARNINGS

# The environment's Python; `ready` has seen that it is there, and that its library is this tree's.
RUN := "$(VENV)/bin/python"

# Tests run on every core, so each of them computes on one; and on no GPU, so that they compute the same everywhere.
TEST_ENVIRONMENT := CUDA_VISIBLE_DEVICES= PIXELWISE_BUDGET=smoke OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

# The JavaScript that we write: the interactive figures, and what the site's pages have.
SCRIPTS := 'code/**/*.mjs' 'book/**/*.js'

.DEFAULT_GOAL := help
.PHONY: help ready book epub pdf test test-fast coverage rehearse gpu-check audit links serve lab record check fold bench lint faults stale bootstrap release \
	set-repository lock clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

ready:
	@$(RUN) -I tools/environment.py --check --torch="$(TORCH)" "$(VENV)" >/dev/null 2>&1 || \
		$(PYTHON) -I tools/environment.py --torch="$(TORCH)" "$(VENV)"

book: ready ## build the site into _build/html, warnings are errors
	@$(RUN) -m book.build

epub: ready ## build the book as one file for e-readers, _build/epub/Pixelwise.epub
	@$(RUN) -m book.build --epub

pdf: ready ## print the book into one file, _build/pdf/Pixelwise.pdf, by the system's Chromium
	@$(RUN) -m book.pdf

test: ready lint ## run every test, every chapter (briefly) and the site in a browser
	$(TEST_ENVIRONMENT) $(RUN) -m pytest tests chapters -n logical --maxprocesses 8 \
		--dist loadscope --no-loadscope-reorder --nbval-lax --nbval-current-env --nbval-cell-timeout 300 --durations 10

test-fast: ready lint ## the tests for daily work: no chapter is executed, no browser opened
	$(TEST_ENVIRONMENT) $(RUN) -m pytest tests -m "not slow" -n logical --maxprocesses 8 --dist loadscope

coverage: ready ## how many lines of the library the unit tests alone reach; under 90 % is an error
	$(TEST_ENVIRONMENT) $(RUN) -m pytest tests -m "not browser" -n logical --maxprocesses 8 --dist loadscope \
		--cov=pixelwise --cov-report=term:skip-covered --cov-fail-under=90

rehearse: ## run every chapter as in Colab: other versions, no library, an empty folder (STACK=newest DEVICE=gpu)
	$(PYTHON) tools/rehearse.py --stack $(STACK) --device $(DEVICE)

gpu-check: ready ## try on your GPU everything that runs on one (MINUTES=8)
	@$(RUN) -m tools.gpu_check --minutes $(MINUTES)

audit: ready ## plant faults in the book and see the tests catch them; then: is it fit for a release?
	@$(RUN) -m tools.audit

links: ready ## ask every address that the book names whether it still answers
	@$(RUN) -m tools.links

serve: book ## build the site and serve it on http://localhost:8000 (PORT=…)
	@echo "The book is on http://localhost:$(PORT); Ctrl-C ends it."
	@$(RUN) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: ready ## open the chapters in JupyterLab
	$(RUN) -m jupyterlab chapters

record: ready ## execute chapters and keep their outputs (CHAPTERS="a b" BUDGET=cpu DATASET=camvid)
	$(RUN) -m tools.record --chapters "$(CHAPTERS)" --budget "$(BUDGET)" --dataset "$(DATASET)"

check: ready ## is every chapter fit to be stored, and how long is it to read?
	@$(RUN) -m tools.check

fold: ready ## fold the cells that are tagged so, in JupyterLab and in Colab (CHAPTERS="a b")
	@$(RUN) -m tools.folds $(CHAPTERS)

bench: ready ## compare with other libraries, side by side
	@for file in benchmarks/*.py; do \
		test -e "$$file" || { echo "there are no benchmarks yet"; break; }; \
		echo "== $$file"; $(RUN) "$$file" || exit 1; done

lint: ready ## check style and format, of notebooks and JavaScript too, types, and which part of the library imports which
	@$(RUN) -m ruff check --quiet . && $(RUN) -m ruff format --check --quiet . || { \
		echo "Style differs; '$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .' mends most of it." >&2; exit 1; }
	@report=$$("$(VENV)/bin/oxlint" --format unix code book) || { echo "$$report" >&2; exit 1; }
	@"$(VENV)/bin/oxfmt" --list-different $(SCRIPTS) >&2 || { \
		echo "Style of JavaScript differs; $(VENV)/bin/oxfmt $(SCRIPTS) mends it." >&2; exit 1; }
	@report=$$("$(VENV)/bin/lint-imports" --no-cache --no-logo 2>&1) || { echo "$$report" >&2; exit 1; }
	@$(RUN) -m pyrefly check --python-interpreter-path "$(VENV)/bin/python" --summary=none

faults: ready ## write the table of faults in docs/robustness.md from the tests' marks
	@$(RUN) -m tools.faults

stale: ready ## list the chapters that an earlier library recorded
	@$(RUN) -m tools.stale

bootstrap: ready ## put the cell that prepares Colab into every chapter (after another version or a new chapter)
	@$(RUN) -m tools.bootstrap

release: ready ## let that cell fetch this version's tag and nothing else (see CONTRIBUTING.md, Releasing)
	@$(RUN) -m tools.bootstrap --release

set-repository: ready ## change the repository's address everywhere (URL=https://github.com/…)
	@$(RUN) -m tools.repository "$(URL)"

lock: ready ## write requirements.txt: what requirements.in names, what that brings, and a hash of every file
	@$(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--custom-compile-command "make lock" --output-file requirements.txt requirements.in
	@$(RUN) -m tools.pytorch

clean: ## remove what was built; data and .venv stay
	rm -rf _build .pytest_cache .ruff_cache .hypothesis .coverage
