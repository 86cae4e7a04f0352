# Tidegate: build, run, test. "make help" lists the targets.

PREFIX    ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR   ?=
VERSION   ?=
FUZZTIME  ?= 60s
SCENARIO  ?=
SYSTEMD    = configs/systemd

# Debian keeps servers where an ordinary user's PATH does not look.
export PATH := $(PATH):/usr/sbin:/sbin

# In CI a test that lacks something fails; elsewhere it skips and says why.
ifeq ($(CI),true)
export TIDEGATE_REQUIRE ?= all
export REQUIRE_BPF ?= 1
endif

ifneq ($(VERSION),)
LDFLAGS = -ldflags "-X main.release=$(VERSION)"
endif

.DEFAULT_GOAL := help
.PHONY: help build run demo-gate test lint vulncheck generate fmt fuzz soak bench install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Without C code the daemon can drop capabilities from all its threads.
build: ## build bin/tidegate
	CGO_ENABLED=0 go build $(LDFLAGS) -o bin/tidegate ./cmd/tidegate

run: build ## serve the quick start on 127.0.0.1:8080 until Ctrl-C
	@.ci/setup run
	CGO_ENABLED=0 go build -o bin/example-backend ./configs/examples/quickstart/backend
	@configs/examples/quickstart/run.sh

demo-gate: build ## show the kernel gate shut a client out, in network namespaces; as root
	@.ci/setup demo
	@configs/examples/gate/demo.sh

test: build ## vet and test everything, also with the race detector
	@.ci/setup test
	@.ci/test

lint: ## format, vet, staticcheck, import table, shell scripts
	@.ci/setup lint
	@.ci/lint

vulncheck: ## look up the dependencies' known vulnerabilities; takes the network
	@.ci/vulncheck

generate: ## write generated files anew
	go generate ./...

fmt: ## format the Go files
	gofmt -w .

fuzz: ## run every fuzz target for FUZZTIME (60s)
	@.ci/fuzz $(FUZZTIME)

soak: build ## the reliability table in its full form, for up to an hour: what must hold, what was measured; as root
	@.ci/setup test
	@go run ./internal/soak $(ROWS)

bench: build ## compare with nginx, HAProxy and Caddy; SCENARIO=name runs one
	@.ci/setup bench
	@cd benchmarks && go run ./cmd/bench $(if $(SCENARIO),-scenario $(SCENARIO))

install: build ## install to DESTDIR, PREFIX and SYSCONFDIR; keeps an existing host file
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	install -m 0755 bin/tidegate $(DESTDIR)$(PREFIX)/bin/tidegate
	sed 's|/usr/local/bin|$(PREFIX)/bin|; s|/etc/tidegate|$(SYSCONFDIR)/tidegate|g' $(SYSTEMD)/tidegate.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/tidegate.service
	install -m 0644 $(SYSTEMD)/tidegate.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/tidegate.socket
	install -m 0644 $(SYSTEMD)/tidegate.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/tidegate.conf
	sed 's|/etc/tidegate|$(SYSCONFDIR)/tidegate|g' $(SYSTEMD)/tidegate.tmpfiles \
		>$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tidegate.conf
	chmod 0644 $(DESTDIR)$(PREFIX)/lib/systemd/system/tidegate.service $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tidegate.conf
	install -d -m 0750 $(DESTDIR)$(SYSCONFDIR)/tidegate
	@if [ -e $(DESTDIR)$(SYSCONFDIR)/tidegate/tidegate.yaml ]; then \
		echo "kept $(DESTDIR)$(SYSCONFDIR)/tidegate/tidegate.yaml"; \
	else \
		install -m 0640 $(SYSTEMD)/tidegate.yaml $(DESTDIR)$(SYSCONFDIR)/tidegate/tidegate.yaml; \
	fi
	@if [ -z "$(DESTDIR)" ]; then echo "next: systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload && systemctl enable --now tidegate"; fi

clean: ## remove what was built
	rm -rf bin
