# The front door. `make` alone prints the doors.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# What a caller may set, as in: make train PIPELINE=digits SET="training.epochs=5"
PIPELINE ?= digits
SET ?=
RUN ?= latest
A ?=
B ?=
ARGS ?=
WORKERS ?=
RAY ?=
# Where torch comes from. Empty: pip's own default. For a build without CUDA, or for another CUDA,
# the address of one of PyTorch's indexes; only torch itself is taken from there.
TORCH_INDEX ?=
PYTHON ?= python3
# Files of tests that run at once. More than there are cores brings nothing: three took longer.
JOBS ?= 2

# The name under which browsers reach a team's servers, who leads there, and a backup's name.
GAPWISE_HOST ?= localhost
LEAD ?=
NAME ?=

VENV := .venv
BIN := $(VENV)/bin
# Without --no-compile half of the set-up goes into compiling modules that nobody will import.
PIP := $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt
GAPWISE := $(BIN)/gapwise

# Nothing is reported to anybody.
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Some container images forbid Python to keep what it compiled: then each process that is started, and
# tests start hundreds, compiles two thousand modules anew (3.4 of the 4.3 s that `diagnose` took).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-faults check bench data train search diagnose compare dashboard mlflow \
	optuna worker reference \
	install install-dev wheel up down logs backup restore sbom

help: ## Print these doors
	@echo 'Gapwise: make DOOR'
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' \
		| while IFS=$$'\t' read -r door says; do printf '%-18s %s\n' "$$door" "$$says"; done
	@echo
	@echo 'Variables: PIPELINE=$(PIPELINE)  SET="training.epochs=5"  RUN=$(RUN)  A=RUN B=RUN  ARGS="--json"'
	@echo '           TORCH_INDEX=ADDRESS  where torch comes from (empty: the default of pip)'

demo: install ## Train on bundled digits, then follow the first advice (about a minute)
	@$(GAPWISE) train digits
	@echo
	@echo 'Now the first step that it names: gapwise train digits data.synthesize=camera'
	@$(GAPWISE) train digits data.synthesize=camera --json >/dev/null
	@$(GAPWISE) compare latest~1 latest
	@echo
	@echo 'The same with pictures, in a browser:    make dashboard'
	@echo 'To type gapwise commands yourself:       source $(BIN)/activate'

data: install ## Show what PIPELINE trains on, before anything trains
	@$(GAPWISE) data $(PIPELINE) $(SET) $(ARGS)

train: install ## Train PIPELINE, with SET="dotted.key=value …"
	@$(GAPWISE) train $(PIPELINE) $(SET) $(if $(WORKERS),--workers '$(WORKERS)') $(ARGS)

search: install ## Search PIPELINE's knobs from coarse to fine (WORKERS=2, or ray://HOST:PORT)
	@$(GAPWISE) search $(PIPELINE) $(SET) $(if $(WORKERS),--workers '$(WORKERS)') $(ARGS)

diagnose: install ## Say what is wrong with RUN and what to do next
	@$(GAPWISE) diagnose $(RUN) $(ARGS)

compare: install ## Say which of the runs A and B is better, and how sure that is
	@test -n '$(A)' -a -n '$(B)' || { echo 'make compare needs two runs: make compare A=RUN B=RUN' >&2; exit 2; }
	@$(GAPWISE) compare $(A) $(B) $(ARGS)

dashboard: install ## Open the dashboard on this machine
	@$(GAPWISE) dashboard $(ARGS)

optuna: install ## Open Optuna's dashboard on the same searches
	@$(PIP) --no-build-isolation --editable '.[optuna-dashboard]'
	@$(GAPWISE) optuna $(ARGS)

worker: install ## Join this machine to a Ray cluster: make worker RAY=HOST:6379
	@test -n '$(RAY)' || { echo 'make worker needs a cluster: make worker RAY=HOST:6379' >&2; exit 2; }
	@$(PIP) --no-build-isolation --editable '.[ray]'
	@$(GAPWISE) worker $(RAY) $(ARGS)

mlflow: install ## Open MLflow's own pages on the same store
	@$(GAPWISE) mlflow $(ARGS)

test: install-dev ## Run the tests (minutes)
	@$(BIN)/python -m pytest -m 'not faults' --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-faults: install-dev ## Run the long tests: kills, full disks, broken files
	@$(BIN)/python -m pytest -m faults --timeout 3600 $(ARGS)

check: install-dev ## Check style, types, who imports whom, docker/, and advisories
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint docker/Dockerfile; \
	else echo "docker/Dockerfile is not linted: hadolint has no wheel for this machine"; fi
	@$(BIN)/python .ci/audit.py

bench: install-dev ## Measure speed and truth, each a table
	@for one in benchmarks/*.py benchmarks/truth/*.py benchmarks/search/*.py; do \
		case "$$one" in */_*|*/tables.py|*/long_run.py) continue;; esac; \
		echo "== $$one"; $(BIN)/python -m "$$(echo "$${one%.py}" | tr / .)" $(ARGS); done

reference: install ## Write docs/pipeline-reference.md, pipeline.schema.json and messages.md anew
	@$(BIN)/python -m gapwise.workflows.reference docs
	@$(BIN)/python -m gapwise.workflows.messages docs

export GAPWISE_HOST
export GAPWISE_UID := $(shell id -u)
export GAPWISE_GID := $(shell id -g)
COMPOSE := docker compose -f docker/compose.yaml
INSIDE := $(COMPOSE) run --rm --no-deps -T dashboard
OWNER := postgresql+psycopg://ledger_owner@postgres:5432/ledger
BACKUPS := /state/backups

up: ## Start a team's servers: GAPWISE_HOST=gapwise.example.org LEAD=ann@example.org
	@$(PYTHON) docker/make_secrets.py
	@mkdir -p docker/state/gapwise docker/state/postgres docker/state/storage docker/state/proxy
	@$(COMPOSE) build --quiet dashboard
	@$(COMPOSE) up --detach --wait postgres storage
	@$(INSIDE) python -c "import s3fs; s3fs.S3FileSystem().makedirs('gapwise', exist_ok=True)"
	@$(COMPOSE) run --rm --no-deps -T -e GAPWISE_LEDGER_URL=$(OWNER) dashboard \
		gapwise team --prepare $(if $(LEAD),$(LEAD) lead)
	@$(COMPOSE) up --detach --wait

down: ## Stop the team's servers; what they hold stays
	@$(COMPOSE) down

logs: ## Follow what the team's servers say
	@$(COMPOSE) logs --follow --tail 100 $(ARGS)

backup: NAME := $(or $(NAME),$(shell date -u +%Y%m%dT%H%M%SZ))
backup: ## Save the team's databases and artifacts while people work, as NAME
	@$(INSIDE) gapwise backup $(BACKUPS)/$(NAME) --without-mlflow
	@$(COMPOSE) exec -T postgres pg_dump --format custom --username postgres mlflow \
		> docker/state/gapwise/backups/$(NAME).mlflow.dump
	@$(INSIDE) python -c "import s3fs; s3fs.S3FileSystem().get('gapwise/artifacts', \
		'$(BACKUPS)/$(NAME).artifacts', recursive=True)"
	@echo "Saved as docker/state/gapwise/backups/$(NAME)*; copy them to another machine."

restore: ## Bring the backup NAME into servers that are empty
	@$(COMPOSE) run --rm --no-deps -T -e GAPWISE_LEDGER_URL=$(OWNER) dashboard \
		gapwise restore $(BACKUPS)/$(NAME) --without-mlflow
	@$(COMPOSE) exec -T postgres pg_restore --clean --if-exists --no-owner --role mlflow \
		--username postgres --dbname mlflow < docker/state/gapwise/backups/$(NAME).mlflow.dump
	@$(INSIDE) python -c "import s3fs; s3fs.S3FileSystem().put('$(BACKUPS)/$(NAME).artifacts', \
		'gapwise/artifacts', recursive=True)"

sbom: install ## Write what is installed as a bill of materials into dist/sbom.json
	@$(BIN)/python .ci/sbom.py

wheel: install-dev ## Build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

install: $(VENV)/.base ## Make .venv with what runs need (the others do it by themselves)
install-dev: $(VENV)/.dev ## Make .venv with what tests need as well

# No build isolation, so that the build itself is pinned too.
$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Gapwise needs Python 3.11 or later; name one: make PYTHON=python3.12 …' >&2; exit 2; }
	@echo 'Making $(VENV): torch and the rest, a few minutes the first time'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(if $(TORCH_INDEX),$(PIP) --index-url '$(TORCH_INDEX)' --no-deps torch)
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@$(PIP) --no-build-isolation --editable '.[dev,onnx]'
	@touch $@
