# Two commands do everything: `make demo` and `make test`. Each installs what it needs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# A pinned set for developing and testing; `make lock` renews it.
LOCK   := requirements.lock

.PHONY: demo run test check bench drill lock pictures fonts clean

demo: $(VENV)/run.stamp  ## The whole line on one machine: plan, clear, publish, measure, report
	@$(BIN)/python -m outreach.demo

run: $(VENV)/run.stamp  ## Run this office: clock, public pages
	$(BIN)/outreach run

test: $(VENV)/dev.stamp  ## All tests
	$(BIN)/python -m pytest $(PYTEST)

check: $(VENV)/dev.stamp  ## Style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_documentation.py

bench: $(VENV)/dev.stamp  ## What must be fast, as ratios against the floor
	@over=0; for file in benchmarks/bench_*.py; do $(BIN)/python $$file || over=1; done; exit $$over

drill: $(VENV)/dev.stamp  ## Break it on purpose and count what went out; about an hour
	$(BIN)/python -m tests.drill $(DRILL)

pictures: $(VENV)/dev.stamp  ## Make the pictures of the documentation anew, from the real program
	$(BIN)/python docs/pictures/make.py

fonts:  ## Chinese, Japanese and Korean for PDFs and charts, where the system has none: npm, 170 MB
	@mkdir -p .cache/fonts outreach/report/fonts/more
	@for one in sc jp kr; do ( \
	    cd .cache/fonts && tar xzf "$$(npm pack --silent @expo-google-fonts/noto-sans-$$one)" && \
	    cp package/LICENSE_FONT package/400Regular/*.ttf ../../outreach/report/fonts/more && \
	    rm -r package *.tgz ) || exit 1; done

lock: $(VENV)/dev.stamp  ## Renew the pinned set
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate \
	    --no-emit-index-url --group dev pyproject.toml -o $(LOCK)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Only what running needs: the demo is quick to set up.
$(VENV)/run.stamp: pyproject.toml $(LOCK) | $(BIN)/python
	@echo "Setting up in $(VENV) (once; about a minute) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --constraint $(LOCK) -e .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml $(LOCK) | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r $(LOCK) -e .
	@touch $@ $(VENV)/run.stamp

clean:  ## Remove what was set up
	rm -rf $(VENV) .demo .cache build dist *.egg-info
