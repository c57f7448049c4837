# `make help` says what there is. Everything is built in release, with all warnings as errors.
.DEFAULT_GOAL := help
MARTLET := .build/release/martlet
SWIFT_FILES := Package.swift Sources Samples Tests

.PHONY: help setup build demo docs test lint format bench fuzz bless clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing: LLVM and its tools, zlib, libpng (LLVM_HOME=/path: another LLVM)
	@Scripts/setup.sh

build: setup ## Build the program: .build/release/martlet
	swift build -c release

demo: build ## Train LeNet on handwritten digits and look at what it learned
	@Scripts/demo.sh

docs: build ## Make the pictures that the README shows: charts and what a trained network looks for
	@Scripts/docs.sh

test: setup lint ## Run every test
	swift build -c release --build-tests
	swift test -c release --skip-build
	Scripts/lit.sh
	Scripts/check-docs.sh
	Scripts/check-bench.sh
	Scripts/check-report.sh

lint: ## Check format, documentation and the rules of style
	@Scripts/check-style.sh

format: ## Format the Swift files
	swift format --in-place --recursive $(SWIFT_FILES)

bench: build ## Measure beside ONNX Runtime, JAX and PyTorch (PARTS="products rows" THREADS=1 QUICK=1 PEERS=none SEED=1)
	@PEERS="$(PEERS)" Scripts/bench.sh $(PARTS) $(if $(THREADS),--threads $(THREADS)) $(if $(QUICK),--quick) \
	  $(if $(SEED),--seed $(SEED))

fuzz: build ## Compare interpreter and JIT on random graphs (COUNT=1000 SEED=1)
	$(MARTLET) fuzz --count $(or $(COUNT),1000) --seed $(or $(SEED),1)

bless: build ## Record the present output as what the tests in IR/ expect
	@Scripts/bless.py

clean: ## Remove what was built
	swift package clean
