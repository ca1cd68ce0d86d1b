# Everything a fresh machine needs is Python >= 3.11 with venv and headers, make and g++ or clang; the rest comes from
# the package index.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TOOLS  := .venv-release/bin

.PHONY: help setup demo lint format-cpp lint-cpp test test-compilers test-slow test-real test-root test-slurm test-container test-fpga test-notebooks notebooks docs bench bench-results bench-batches clean test-wheel test-pythons pre-commit wheel wheels pictures test-cuda

# Whatever git knows, and what it will be told of.
FORMAT := git ls-files -z --cached --others --exclude-standard '*.c' '*.C' '*.cpp' '*.cu' '*.h' '*.hpp' '*.inc' | \
  xargs -0 $(BIN)/clang-format
TIDY   := $(BIN)/python $(BIN)/run-clang-tidy.py -quiet -clang-tidy-binary $(BIN)/clang-tidy
NINJA  := -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja)

help:            ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY)  ## make .venv with everything the demo and the tests need

ENGINE := $(wildcard bindings/* cpp/CMakeLists.txt cpp/include/discrimen/* cpp/src/* cpp/src/*/* cpp/src/*/*/*)

$(READY): pyproject.toml constraints.txt requirements-test.txt $(ENGINE)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "discrimen needs Python 3.11 or newer; run make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt -e '.[all,docs]' -r requirements-test.txt
	touch $@

demo: setup      ## the whole path on a simulated run; leaves plots, report, frozen model and scores in demo-output/
	$(BIN)/discrimen demo -o demo-output

lint: setup      ## ruff, mypy, import-linter, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(FORMAT) --dry-run -Werror

format-cpp: setup ## format all C and C++ by clang-format
	$(FORMAT) -i

lint-cpp: setup  ## clang-format and clang-tidy on the C and C++ (minutes; installs clang-tidy)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt clang-tidy nanobind
	$(FORMAT) --dry-run -Werror
	$(BIN)/cmake -S cpp -B build/lint-cpp/engine $(NINJA) -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DDISCRIMEN_CUDA=OFF
	$(BIN)/cmake -S bindings -B build/lint-cpp/bindings $(NINJA) -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
	  -DPython_EXECUTABLE=$(abspath $(BIN)/python)
	$(TIDY) -p build/lint-cpp/engine
	$(TIDY) -p build/lint-cpp/bindings /bindings/

test: lint       ## lint and all fast tests (what CI runs)
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not root and not slurm and not container and not fpga and not notebooks and not cuda"

test-slow: setup ## the slow tests
	$(BIN)/pytest -m "slow and not root and not slurm and not container and not fpga and not notebooks and not cuda"

test-compilers: setup ## the engine with g++, clang, sanitizers, for aarch64 and s390x: a table of what ran (half an hour)
	$(BIN)/python -m tests.cpp.compilers $(ONLY)

test-real: setup ## the tests on real detector files only
	$(BIN)/pytest -m real_data

test-root: setup ## scores as a ROOT friend tree, read by CERN's ROOT (a large download)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check root
	$(BIN)/pytest -m root

test-slurm: setup ## the tests on a real Slurm, which they start themselves (needs slurmctld, slurmd and munge)
	@for name in munged slurmctld slurmd sbatch; do \
	  PATH="$$PATH:/usr/sbin:/sbin" command -v $$name >/dev/null || { \
	    echo "$$name is not installed; on Debian: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge"; \
	    exit 1; }; done
	$(BIN)/pytest -m slurm

test-container: setup ## the recipes in containers/, in a root file system of their own (needs mmdebstrap, bubblewrap and the network)
	@for name in mmdebstrap bwrap; do command -v $$name >/dev/null || { \
	  echo "$$name is not installed; on Debian: apt-get install --no-install-recommends mmdebstrap bubblewrap"; exit 1; }; done
	$(BIN)/pytest -m container

test-fpga: setup ## networks in an FPGA, through the open tools (installs the extra fpga)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fpga]'
	$(BIN)/pytest -m fpga

test-cuda: setup ## the engine on a GPU: tests, races, and what it reaches (needs a GPU of NVIDIA, its driver and nvcc)
	@command -v nvidia-smi >/dev/null && nvidia-smi -L | grep -q GPU || { \
	  echo "there is no GPU of NVIDIA on this machine, or no driver for it: nothing was tested"; exit 1; }
	@command -v nvcc >/dev/null || { echo "nvcc is not installed: it comes with CUDA's toolkit"; exit 1; }
	$(BIN)/pytest -m cuda
	DISCRIMEN_CUDA_LIBRARY=build/cuda-device/libdiscrimen_cuda.so $(BIN)/python benchmarks/gpu.py -o bench-output/gpu

docs: setup      ## the documentation site in build/site/index.html, warnings and broken links as errors
	PYTHONPATH=docs $(BIN)/python -m site_maker.build -o build/site

test-notebooks: setup ## the notebooks in a kernel of their own, and an interrupted training in one (installs the extra notebooks)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[notebooks]'
	$(BIN)/pytest -m notebooks

.venv-release/.ready: release/requirements.txt constraints.txt
	test -x $(TOOLS)/python || $(PYTHON) -m venv .venv-release
	$(TOOLS)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r release/requirements.txt
	touch $@

pre-commit: setup .venv-release/.ready ## what `git commit` checks where `pre-commit install` was run, on all files
	$(TOOLS)/pre-commit run --all-files

wheel: .venv-release/.ready ## source distribution and wheel of this Python in dist/
	rm -rf dist
	$(TOOLS)/python -m build --outdir dist .
	$(TOOLS)/twine check --strict dist/*
	$(TOOLS)/check-wheel-contents dist/*.whl

test-wheel: wheel ## that wheel in an environment that holds nothing else: scores, formats, sizes, times of import
	$(TOOLS)/python release/try_wheel.py dist/*.whl

wheels: .venv-release/.ready ## wheels of every Python of this machine in dist/, as cibuildwheel builds them, and tried
	rm -rf dist
	$(TOOLS)/python release/wheels.py dist

test-pythons: .venv-release/.ready ## the tests of the core with each Python from 3.11 to 3.14 that is here, or those of ONLY
	$(TOOLS)/python release/pythons.py $(ONLY)

notebooks: setup ## execute the notebooks again, in place
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[notebooks]'
	$(BIN)/python notebooks/execute.py notebooks/*.ipynb

pictures: setup  ## the pictures of the README, from simulated data (about half an hour; some need Chromium)
	PYTHONPATH=benchmarks $(BIN)/python -m readme_pictures

bench: setup     ## the measurements of docs/measurements.md (about half an hour)
	$(BIN)/python benchmarks/read_compass.py
	$(BIN)/python benchmarks/read_formats.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/cmake -S cpp -B build/parts -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) -DDISCRIMEN_BENCH=ON -DDISCRIMEN_TESTS=OFF \
	  -DDISCRIMEN_EXAMPLES=OFF -DDISCRIMEN_FUZZ=OFF
	$(BIN)/cmake --build build/parts --target parts
	build/parts/parts
	$(BIN)/python benchmarks/cpp_header.py
	$(BIN)/python benchmarks/classify_speed.py
	$(BIN)/python benchmarks/classify_memory.py
	$(BIN)/python benchmarks/stream.py
	$(BIN)/python benchmarks/monitor.py
	$(BIN)/python benchmarks/train_epoch.py
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/simulate_speed.py
	$(BIN)/python benchmarks/leakage.py
	$(BIN)/python benchmarks/real_bc501a.py
	$(BIN)/python benchmarks/real_bc501a.py --plain

bench-batches: setup ## the two charts of time against batch size: training and inference, CPU and GPU (half an hour)
	$(BIN)/python benchmarks/batch_charts.py

bench-results: setup ## the tables and pictures of leakage, labels, intervals and transfer (hours)
	$(BIN)/python benchmarks/methods.py
	$(BIN)/python benchmarks/record_bound.py --n-chains 60
	$(BIN)/python benchmarks/architectures.py
	$(BIN)/python benchmarks/interval_coverage.py
	$(BIN)/python benchmarks/audit_false_alarms.py
	$(BIN)/python benchmarks/label_noise.py
	$(BIN)/python benchmarks/source_labels.py
	$(BIN)/python benchmarks/balance.py
	$(BIN)/python benchmarks/augmentation.py
	$(BIN)/python benchmarks/transfer.py
	$(BIN)/python benchmarks/transfer_unlabelled.py
	$(BIN)/python benchmarks/drift_power.py

clean:           ## remove what the build and the demo made
	rm -rf $(VENV) .venv-release build dist demo-output bench-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
