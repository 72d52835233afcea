# Two commands are enough: `make run` to see it, `make test` to trust it.
PYTHON ?= python3
BIN := .venv/bin
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
endif

.PHONY: help setup run test tour lock format reset clean

help:
	@echo "make setup   install everything into .venv (asked again only when something changed)"
	@echo "make run     open the workstation on a simulated clinic"
	@echo "make test    everything that guards the project"
	@echo "make tour    the main job end to end, pictures and report into out/"
	@echo "make reset   forget the simulated clinic's data"
	@echo "make lock    resolve the lock files anew (needs uv)"
	@echo "make format  let ruff format and mend what it can"

setup:
	@command -v $(PYTHON) >/dev/null || { \
	  for line in "apt-get install python3 python3-venv" "dnf install python3" "pacman -S python" "zypper install python3"; do \
	    command -v "$${line%% *}" >/dev/null && { echo "Python is missing. Install it: sudo $$line"; exit 1; }; \
	  done; \
	  echo "Python is missing. Install 3.11 to 3.14: brew install python@3.13, or https://www.python.org/downloads/"; exit 1; }
	@$(PYTHON) tools/setup.py

run: setup
	@$(BIN)/python main.py demo

test: setup
	@$(PYTHON) tools/setup.py --tests
	@$(BIN)/python tools/check.py

tour: setup
	@$(BIN)/python main.py tour --out out

reset: setup
	@$(BIN)/python main.py demo --reset

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache
