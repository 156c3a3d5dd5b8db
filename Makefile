# For a newcomer: make demo, make test. `make` alone lists all.
#
# JOBS=N                       compilers at a time (Ninja's own choice otherwise)
# CMAKE_PREFIX_PATH=A:B        a LibTorch of yours (CUDA builds too)
# TORCH_VERSION=, TORCH_PIP_ARGS=   which LibTorch setup installs (scripts/install_libtorch.sh)
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:  # Ninja and CTest run in parallel; the steps here follow one another

PROGRAM := build/release/tagclip
BENCH := build/release/tagclip_bench
CORES := $(shell nproc)
GPU_TESTED := gpu kernels infer train  # folders of src

# Their values reach CMake at every configure, so that none sticks from an earlier one.
configure = cmake --preset $(1) -DCMAKE_PREFIX_PATH="$(subst :,;,$(CMAKE_PREFIX_PATH))" >build/$(1).configure.log
compile = cmake --build --preset $(1) $(if $(JOBS),-j $(JOBS)) $(if $(2),--target $(2))

help:  ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' Makefile

setup:  ## install what the program and its tests need
	@scripts/setup.sh build test

build: needs-build build/  ## compile build/release/tagclip
	@$(call configure,release)
	@$(call compile,release,tagclip)

build-bench: needs-build build/
	@$(call configure,release)
	@$(call compile,release,tagclip_bench_program)

demo: build  ## name what is in the four photos of tests/data/photos, into out/demo
	$(PROGRAM) segment tests/data/photos/*.jpg -o out/demo --overwrite \
	  --classes "cat, mug, table, building, tree, sky, flower, grass"

test: setup build/ asan  ## compile and run every test
	@scripts/setup.sh browser || echo "no Chromium to be had: the page is tested without a browser"
	@$(call configure,release)
	@$(call compile,release)
	@ctest --preset release --parallel $(CORES)

wheel: needs-build build/  ## make build/wheelhouse/tagclip-*.whl, the Python package with all it needs
	@scripts/setup.sh wheel
	@scripts/make_wheel.sh

test-wheel: wheel  ## run the Python tests against that wheel in a clean environment
	@scripts/test_wheel.sh

dist: build  ## make build/dist: a relocatable archive and a .deb that need no compiler and no Python
	@$(call compile,release,tagclip tagclip_public tagclip_shell)
	@scripts/setup.sh wheel
	@scripts/make_dist.sh

test-dist: dist  ## install that archive in an empty Debian of another release and make the demo there (root)
	@scripts/setup.sh dist
	@scripts/test_dist.sh

parity: build  ## compare with open_clip, transformers, OpenVINO, TensorBoard and annotation tools from PyPI
	@scripts/setup.sh parity
	@$(call compile,release,runs_test outputs_test)
	@PYTHONPATH=$(CURDIR)/.deps/python/parity:$(CURDIR)/.deps/python/parity-formats PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
	  TAGCLIP_BINARY=$(CURDIR)/$(PROGRAM) \
	  python3 -m unittest discover --start-directory tests/parity --pattern '*_test.py'

test-api: build  ## feed the server what its OpenAPI description allows and forbids (schemathesis, a generated client)
	@scripts/setup.sh test api
	@PYTHONPATH=$(CURDIR)/.deps/python/api:$(CURDIR)/.deps/python/test PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
	  TAGCLIP_BINARY=$(CURDIR)/$(PROGRAM) python3 tests/api/api_test.py

test-label-studio: build  ## start a Label Studio of PyPI (1 GB) and let it ask the server for regions
	@scripts/setup.sh test label-studio
	@PYTHONPATH=$(CURDIR)/.deps/python/test PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
	  LABEL_STUDIO_PACKAGES=$(CURDIR)/.deps/python/label-studio TAGCLIP_BINARY=$(CURDIR)/$(PROGRAM) python3 tests/api/label_studio.py

soak-serve: build  ## send REQUESTS (100000) mixed and faulty requests to the server: none lost, memory flat
	@scripts/setup.sh test
	@PYTHONPATH=$(CURDIR)/.deps/python/test PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 REQUESTS=$(REQUESTS) \
	  TAGCLIP_BINARY=$(CURDIR)/$(PROGRAM) python3 tests/api/soak.py

test-tsan: needs-build build/  ## run the tests of the server's threads under the thread sanitizer
	@$(call configure,tsan)
	@$(call compile,tsan)
	@TSAN_OPTIONS=halt_on_error=1 build/tsan/src/serve/serve_test --gtest_brief=1

asan: needs-build build/  ## run the tests of the parsers under the address and UB sanitizers
	@$(call configure,asan)
	@$(call compile,asan)
	@ctest --preset asan --parallel $(CORES)

bench: build-bench  ## measure speed and memory beside plain LibTorch, and what the trusty token costs
	$(BENCH) all
	$(BENCH) trusty-token --model voc

bench-loader: build-bench  ## measure the training data loader beside PyTorch's with OpenCV
	@scripts/setup.sh loader
	@PYTHONPATH=$(CURDIR)/.deps/python/loader PYTHONDONTWRITEBYTECODE=1 python3 benchmarks/loader.py

test-gpu: build/  ## run the tests that need a GPU and LibTorch with CUDA; without, they say that they are skipped
	@$(call configure,release)
	@$(call compile,release,$(addsuffix _test,$(GPU_TESTED)))
	@for folder in $(GPU_TESTED); do \
	  build/release/src/$$folder/$${folder}_test --gtest_filter='Gpu*' || exit; done

bench-gpu: build/  ## measure steps and inference on a GPU beside plain LibTorch
	@$(call configure,release)
	@$(call compile,release,gpu_bench)
	@build/release/benchmarks/gpu_bench

bench-contenders: build build-bench  ## measure beside PyTorch, ONNX Runtime, OpenVINO (10 minutes)
	@scripts/setup.sh contenders
	@PYTHONPATH=$(CURDIR)/.deps/python/contenders PYTHONDONTWRITEBYTECODE=1 python3 benchmarks/contenders.py

bench-serve: build  ## measure the server beside FastAPI, uvicorn and PyTorch, under equal load (5 minutes)
	@scripts/setup.sh serving
	@PYTHONPATH=$(CURDIR)/.deps/python/serving PYTHONDONTWRITEBYTECODE=1 python3 benchmarks/serve_bench.py

bench-ranks: build  ## measure segment and train on one and on several ranks
	@scripts/setup.sh test
	@PYTHONPATH=$(CURDIR)/.deps/python/test PYTHONDONTWRITEBYTECODE=1 python3 benchmarks/ranks.py

bench-floors: build-bench  ## fail where a ratio to plain LibTorch has fallen under its recorded floor
	@benchmarks/floors.sh $(BENCH)

bench-kernels: build/  ## measure single kernels with Google Benchmark
	@scripts/setup.sh build bench
	@$(call configure,release)
	@$(call compile,release,benchmarks)
	@for bench in build/release/benchmarks/*_bench; do $$bench || exit; done

fuzz: build/  ## feed every parser random files for FUZZ_SECONDS (60) each
	@scripts/setup.sh build fuzz
	@$(call configure,fuzz)
	@$(call compile,fuzz)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh

format: needs-lint  ## rewrite the changed C++ files (LINT_ALL=1: all) in the project's style
	@scripts/lint.sh format

lint: needs-lint build/  ## check style and clang-tidy of the changed C++ files (LINT_ALL=1: all)
	@scripts/setup.sh build
	@$(call configure,lint)
	@$(call compile,lint)
	@scripts/lint.sh check

docs: needs-docs build/  ## make the reference of the C++ API, build/docs/html/index.html
	@doxygen docs/Doxyfile

clean:  ## remove what was built and the demo, keep what setup installed
	rm -rf build out/demo

needs-%:
	@scripts/setup.sh $*

build/:
	@mkdir -p $@

.PHONY: help setup build build-bench demo test test-api test-label-studio soak-serve wheel test-wheel dist test-dist parity asan test-tsan bench bench-loader test-gpu bench-gpu bench-contenders \
  bench-serve bench-ranks bench-floors bench-kernels fuzz format lint docs clean
