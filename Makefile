# Needs make and Python 3.11 to 3.13; all else goes into .venv and var.
.DEFAULT_GOAL := help
.PHONY: help demo run migrate servers-up servers-down replay chaos check
.PHONY: env readable up down logs backup restore upgrade-postgres test-compose
.PHONY: search-quality test test-pipeline test-rest test-psycopg test-quick fmt lock clean

BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/demo ## start everything, buy something before your eyes, stay open (EXIT=1: end then)
	@python -m deploy.demo $(if $(EXIT),--exit)

run: .venv/demo ## start the Procfile's processes for development, until Ctrl-C
	@python -m deploy.embedded up
	@python manage.py migrate --verbosity 0
	@DJANGO_SETTINGS_MODULE=shop.settings.dev \
		FLOWER_BASIC_AUTH="$${FLOWER_BASIC_AUTH:-$$(python -m deploy.demo.passwords)}" \
		honcho start --port 8000

migrate: .venv/demo ## bring the development database up to date
	@python -m deploy.embedded up
	@python manage.py migrate

servers-up: .venv/demo ## start PostgreSQL, its standby and Redis for development
	@python -m deploy.embedded up

# Wherever servers may have been started.
DIRECTORIES := var/replay var/search-quality var/test-pipeline var/test var

# python3: to stop them, any will do when .venv is gone.
servers-down: ## stop all servers, also those that tests leave up for the next run
	@for directory in $(DIRECTORIES); do \
		test ! -f $$directory/lock || { \
			echo "$$directory:"; \
			python3 -m deploy.embedded down --dir $$directory || exit 1; \
		}; \
	done

replay: .venv/demo ## ORDERS=path: push recorded orders through the pipeline (BROKER=rabbitmq, ARGS=...)
	@test -n "$(ORDERS)" || { echo "make replay ORDERS=path [BROKER=rabbitmq] [ARGS='--limit 9']"; exit 2; }
	@python -m deploy.replay $(if $(filter rabbitmq,$(BROKER)),--rabbitmq) "$(ORDERS)" $(ARGS)

search-quality: .venv/demo ## DATA=folder: how good and how fast the search is, by judged queries (ENGINE=opensearch)
	@test -n "$(DATA)" || { echo "make search-quality DATA=folder (products.jsonl.gz and judgements*.csv)"; exit 2; }
	@python -m bench.search_quality "$(DATA)" $(if $(ENGINE),--engine $(ENGINE))

chaos: .venv/test ## break everything while the shop sells (ROW=7 ORDERS=1000 SEED=42 RECORD=1)
	@python -m chaos $(if $(ROW),--row $(ROW)) $(if $(ORDERS),--orders $(ORDERS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(RECORD),--record)

# Docker Compose 2, as a plugin of docker or by its own name.
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

env: readable ## make .env, with passwords, for docker-compose.yml (DOMAIN=shop.example: for that host, by HTTPS)
	@DOMAIN=$(DOMAIN) sh deploy/make_env.sh

up: readable ## the whole shop in containers, until it sells (SCALE=3: three order workers)
	@COMPOSE="$(COMPOSE)" sh deploy/up.sh $(if $(SCALE),--scale worker-order=$(SCALE))

# The servers' settings are mounted as they are, and in a clone made under umask 077 nobody else
# may read them.
readable:
	@find deploy/nginx deploy/postgres deploy/rabbitmq ! -perm -004 -exec chmod go+rX {} +

down: ## stop the containers; the volumes stay
	@$(COMPOSE) down

logs: ## what the containers say, as it comes (S=backend: only that one)
	@$(COMPOSE) logs --follow --tail 100 $(S)

backup: ## the containers' database, into backups
	@COMPOSE="$(COMPOSE)" sh deploy/database.sh backup

restore: ## FILE=backups/...: read a backup in, in place of the containers' database
	@COMPOSE="$(COMPOSE)" sh deploy/database.sh restore "$(FILE)"

upgrade-postgres: ## FROM=16 TO=17: take the containers' database to another PostgreSQL
	@test -n "$(FROM)" -a -n "$(TO)" || { echo "make upgrade-postgres FROM=16 TO=17"; exit 2; }
	@COMPOSE="$(COMPOSE)" sh deploy/database.sh upgrade $(FROM) $(TO)

check: .venv/test ## format, lint, types, import contracts, migrations, quick tests
	ruff format --check .
	ruff check .
	mypy .
	lint-imports
	@$(MAKE) --no-print-directory test-quick

# The quick tests are over by then; they are not run twice.
ifeq ($(RABBITMQ)$(T),)
test: check
endif
test: .venv/test ## check, all other tests, and every fault with 20 orders (T=path: only these; RABBITMQ=4: those that need it, on 4.0)
ifneq ($(RABBITMQ)$(T),)
	$(if $(RABBITMQ),RABBITMQ_SERIES=$(RABBITMQ)) python -m pytest $(if $(RABBITMQ),-m rabbitmq) $(T)
else
	@$(HALVES) MARKS="-m '$(LONG)'"
	@$(MAKE) --no-print-directory test-psycopg
	python -m chaos --orders 20
endif

# One half alone would leave a core idle, so both run at once, on servers of their own. What the first
# says is shown when it is over.
GIVEN_SERVERS = $(DATABASE_URL)$(DATABASE_REPLICA_URL)$(REDIS_URL)$(CELERY_BROKER_URL)$(RABBITMQ_URL)
HALVES = $(MAKE) --no-print-directory --keep-going --jobs=$(if $(GIVEN_SERVERS),1,2) test-pipeline test-rest
# tests/deploy has nothing of it; with it, both halves take about the same time.
OF_THE_PIPELINE = apps/accounts apps/cart apps/orders tests/deploy
# The search engines are started for one half only.
OF_THE_REST = shop/tests/routing tasks/tests/test_search.py

test-pipeline: .venv/test
	@mkdir -p var
	@PLUGPROOF_TEST_SERVERS=$(CURDIR)/var/test-pipeline \
		python -m pytest $(MARKS) tasks shop $(OF_THE_PIPELINE) $(addprefix --ignore ,$(OF_THE_REST)) >var/test-pipeline.out 2>&1; \
		status=$$?; cat var/test-pipeline.out; exit $$status

test-rest: .venv/test
	python -m pytest $(MARKS) apps tests $(OF_THE_REST) $(addprefix --ignore ,$(OF_THE_PIPELINE))

# Docker's own files are not for var, which `make clean` deletes.
COMPOSE_TEST = /var/cache/plugproof/compose
test-compose: .venv/test ## docker-compose.yml for real, root on Linux: 17 minutes (COMPOSE_TEST=directory, PART=kills)
	python -m tests.compose $(COMPOSE_TEST) $(if $(PART),--only "$(PART)")

# What a driver's own ways show in: errors, dead connections, notifications.
PSYCOPG3_TESTS = shop/tests/test_outbox.py shop/tests/routing/test_absences.py tasks/tests/test_relay.py
test-psycopg: .venv/test .venv-psycopg3/installed ## a few tests with psycopg 3 in psycopg2's place (T=path: these)
	@PATH="$(CURDIR)/.venv-psycopg3/bin:$$PATH" python -m pytest $(or $(T),-m 'not slow' $(PSYCOPG3_TESTS))

LONG = rabbitmq or search or pipeline or slow
QUICK = -m 'not ($(LONG))'
test-quick: .venv/test ## all but those that take long, or need RabbitMQ, a search engine or workers
ifneq ($(T),)
	python -m pytest $(QUICK) $(T)
else
	@$(HALVES) MARKS="$(QUICK)"
endif

fmt: .venv/test ## format, and mend what ruff can mend
	ruff format .
	ruff check --fix .

COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header
lock: .venv/bin/uv ## write requirements/*.txt anew (UPGRADE=1: with newer versions)
	echo uv | $(COMPILE) $(if $(UPGRADE),--upgrade) - -o requirements/uv.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements/base.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra embedded -o requirements/demo.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra embedded --extra test -o requirements/test.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra embedded --extra test --extra psycopg3 \
		-o requirements/psycopg3.txt

clean: servers-down ## stop the servers; delete .venv and .venv-psycopg3, and the data and logs under var
	@for directory in $(DIRECTORIES); do \
		test ! -f $$directory/data-directory || rm -rf "$$(cat $$directory/data-directory)"; \
	done
	rm -rf .venv .venv-psycopg3 var

.venv/bin/uv: requirements/uv.txt deploy/make_venv.sh
	@sh deploy/make_venv.sh

# Compiled at once: a dozen processes are going to import the same modules.
.venv/%: requirements/%.txt .venv/bin/uv
	@uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r $<
	@touch $@

.venv-psycopg3/installed: requirements/psycopg3.txt .venv/bin/uv
	@uv venv --quiet --clear --python $(BIN)/python .venv-psycopg3
	@uv pip install --quiet --python .venv-psycopg3/bin/python --require-hashes -r $<
	@touch $@
