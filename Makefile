# make demo   installs what is missing, builds, and plays a capture of real mail traffic as if live
# make test   installs what is missing and runs every test with the race detector
# make build  ./mailtap
# make lint   gofmt, vet, staticcheck
# make vuln   known vulnerabilities (govulncheck); VULNDB=file://DIR for a copy of the database
# make sec    what gosec finds of the kinds that docs/security.md does not answer; builds gosec, some minutes
# make fuzz   every fuzz target for FUZZTIME each
# make bench  what a packet costs: Go benchmarks a stage, whole processes beside tcpdump where there is a generator
# make bench-live  live capture over a pair of virtual interfaces: packets lost, CPU time a packet; as root
# make growth the cost of a packet over connections and over time, with its plot
# make soak   everything at once for SOAK_MINUTES (30): mail, attacks, full disks, receivers that are away; as root
# make logql  every query to Loki, asked of Loki's own engine over the demo's records; builds Loki, some minutes
# make release  all that is released, into dist/: programs, .deb, .rpm, lists of what they hold, SHA256SUMS
# make package-test  makes that twice, and installs, runs, removes the package in a fresh Debian; as root
# make platforms  compiles for what this machine is not
# make corpus records of a corpus of captures with known truth beside the checkout, where there is one

SHELL := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GO_BUILD := go build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)'
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GOSEC := github.com/securego/gosec/v2/cmd/gosec@v2.30.0
VULNDB ?= https://vuln.go.dev
FUZZTIME ?= 10s
# what one goroutine computes for long: the race detector would find nothing in it; the first two are shorter under it
LONG := ^(TestNoSecretAnywhere|TestEvidenceIsTheSession|TestReadWrapped|TestManyReloadsUnderTraffic|TestHostileClientsOfThePage|TestMillionSources|TestOrdinaryWeeksRaiseNothing|TestEvaluation|TestMemoryBudget|TestFlood)$$
# rules of gosec whose findings docs/security.md answers
ANSWERED := G103,G104,G115,G204,G301,G302,G304,G306,G401,G404,G405,G501,G502,G503,G505,G703
CORPUS ?= ../shared/corpus
DEMO_ARGS ?=

.PHONY: all build demo test vet lint vuln sec fuzz corpus corpus-update bench bench-live growth soak logql release package-test platforms clean

all: build

build:
	@.ci/install.sh build
	$(GO_BUILD) -o mailtap ./cmd/mailtap

demo: build
	@./mailtap demo $(DEMO_ARGS)

test:
	@.ci/install.sh test
	go test -race -timeout 20m ./...
	go test -run '$(LONG)' ./alerts ./alerts/baseline ./cmd/mailtap

vet:
	go vet ./...

lint: vet
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	go run $(STATICCHECK) ./...

# an error while there are findings: docs/security.md answers them by their numbers
vuln:
	go run $(GOVULNCHECK) -db $(VULNDB) ./...

sec:
	go run $(GOSEC) -quiet -exclude=$(ANSWERED) ./...

fuzz:
	@.ci/fuzz.sh $(FUZZTIME)

corpus: build
	@.ci/corpus.sh ./mailtap $(CORPUS)

corpus-update: build
	@.ci/corpus.sh ./mailtap $(CORPUS) --update

bench:
	@.ci/install.sh build
	@.ci/bench.sh

bench-live:
	@.ci/install.sh test
	@.ci/live-bench.sh

growth:
	@.ci/install.sh build
	@.ci/growth.sh

soak:
	@.ci/install.sh test
	@.ci/soak.sh

logql: build
	@./mailtap read --format json --log.level error cmd/mailtap/testdata/demo.pcap | (cd dashboards/tools/logql && go run . ../..)

release:
	@.ci/install.sh build
	@packaging/release.sh dist

package-test:
	@.ci/install.sh package
	@.ci/package-test.sh

platforms:
	@.ci/platforms.sh

clean:
	rm -rf mailtap dist
