# The commands for developers. build, demo and test need only Go and make.
GO      ?= go
BIN     := handbill
EXAMPLE := examples/spring-catalog
FUZZ    ?= 10s
LONG    ?= 1h
N       ?= 100
SOAK    ?= ./...

.PHONY: build dist package-test demo demo-conversation demo-templates demo-lifecycle test race soak golden fuzz faults faults-long bench check report clean

build: ## the binary
	$(GO) build -trimpath -o $(BIN) .

dist: ## archives, packages, image, bills of materials and checksums of the commit, in dist/
	@rm -rf dist && cd release && $(GO) run . -out=../dist && ls -l ../dist

package-test: ## builds a release twice and compares; installs its packages into empty roots and plans there. As root
	cd release && $(GO) test -count=1 -timeout 15m ./...

demo: build ## init, plan, apply, plan, status of the example against the embedded sandbox
	@rm -rf .handbill/demo && mkdir -p .handbill && cp -R $(EXAMPLE) .handbill/demo
	@set -e; for step in init plan "apply -auto-approve" plan status; do \
	  printf '\n\033[1m$$ handbill -chdir=.handbill/demo %s\033[0m\n' "$$step"; \
	  ./$(BIN) -chdir=.handbill/demo $$step; done

demo-conversation: build ## sandbox, serve and a CRM; a person writes, taps and orders
	@rm -rf .handbill/conversation && mkdir -p .handbill && $(GO) build -o .handbill/crm ./examples/list-to-order/crm
	@$(GO) run ./examples/list-to-order/demo -handbill=./$(BIN) -crm=.handbill/crm -dir=.handbill/conversation

demo-templates: build ## a template is declared, approved and sent, then paused by hand; in a separate sandbox
	@rm -rf .handbill/templates && mkdir -p .handbill && cp -R examples/reopen-template .handbill/templates
	@./$(BIN) sandbox -listen=127.0.0.1:4017 -script=.handbill/templates/sandbox.json >.handbill/templates.log 2>&1 & sandbox=$$!; trap 'kill $$sandbox' EXIT; \
	SANDBOX=http://127.0.0.1:4017; export SANDBOX; \
	step() { printf '\n\033[1m$$ handbill -chdir=.handbill/templates %s\033[0m\n' "$$*"; ./$(BIN) -chdir=.handbill/templates "$$@"; }; \
	for try in $$(seq 100); do ./$(BIN) -chdir=.handbill/templates plan >/dev/null 2>&1 && break; sleep 0.1; done; \
	step plan && step apply -auto-approve && step plan && \
	printf '\n\033[1m# Meta pauses it, as a button of http://127.0.0.1:4017 does; one more person is waiting.\033[0m\n' && \
	curl -sS -H 'Content-Type: application/json' -d '{"name":"spring_reopen","language":"en_US","status":"PAUSED"}' http://127.0.0.1:4017/_sandbox/templates && \
	cp examples/reopen-template/more.csv .handbill/templates/contacts.csv && step plan

demo-lifecycle: build ## two markets and three languages, from the first send through reminders to the decided experiment, in half a minute
	@rm -rf .handbill/lifecycle && mkdir -p .handbill
	@$(GO) run ./examples/lifecycle/demo -handbill=./$(BIN) -dir=.handbill/lifecycle

test: ## every test
	$(GO) test ./...

race: ## every test under the race detector
	$(GO) test -race ./...

soak: ## the tests of SOAK (all) N (100) times on a busy machine, until one fails
	@mkdir -p .handbill; load=; end() { kill $$load 2>/dev/null || true; }; trap end EXIT; trap 'exit 130' INT TERM; \
	for i in $$(seq $$((2 * $$(getconf _NPROCESSORS_ONLN)))); do nice sh -c 'while :; do :; done' & load="$$load $$!"; done; \
	for n in $$(seq $(N)); do \
	  if ! $(GO) test -count=1 $(SOAK) >.handbill/soak.log 2>&1; then \
	    grep -v -e '^ok ' -e '^?' .handbill/soak.log; echo "failed in run $$n of $(N), see .handbill/soak.log"; exit 1; fi; \
	  echo "$$n of $(N) passed"; done

golden: ## rewrite golden files; review the difference before you commit it
	$(GO) test $$(grep -rl --include='*_test.go' internal/golden . | xargs -n1 dirname | sort -u) -run 'Golden|Case|Example' -update

# The rules are checked 15,000 times in memory, but only 300 times in SQLite,
# which takes about 30 ms for each history.
faults: ## properties, simulation, kills, races, failing disks and mutants, at the size of docs/promises.md
	$(GO) test ./delivery ./state/memstate -count=1 -run 'Test[^C]|TestContract/(MessagesAre|AnyOrder)' -rapid.checks=15000 & others=$$!; \
	$(GO) test ./state/sqlite -count=1 -timeout 15m -run 'TestPacked|TestContract/TheStoreIs' -rapid.checks=300 && wait $$others
	HANDBILL_FAULTS=ci $(GO) test ./faults -count=1 -timeout 20m -v

faults-long: ## simulation and kills for LONG (1h) each, with new seeds
	HANDBILL_SEED=$$(date +%s) HANDBILL_FAULTS=$(LONG) $(GO) test ./faults -count=1 -timeout 0 -v -run 'TestSimulation|TestKills'

fuzz: ## every fuzz target for FUZZ (10s) each
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test $$pkg -list '^Fuzz' | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; $(GO) test $$pkg -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ); done; done

bench: ## the table of docs/benchmarks.md, with a bare loop in the same run to compare each row with
	$(GO) test ./bench -run '^TestTable$$' -count=1 -v -timeout 30m -table

check: ## formatting, vet, import rules, the pinned libc, links in the docs
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt"; exit 1; }
	$(GO) vet ./...
	GOARCH=386 $(GO) build -o /dev/null .
	$(GO) test -run 'TestImports|TestRoot|TestPins|TestLinks' ./internal/repo
	$(GO) mod verify >/dev/null

report: ## lengths of functions and files; TestLengths enforces the limits
	@$(GO) test -run 'TestReport' -v ./internal/repo | grep -v -e '^=== ' -e '^---' -e '^PASS' -e '^ok'

clean:
	rm -rf $(BIN) .handbill dist
