# `make demo` and `make test` are all the set-up there is: Python 3.11 or newer, pip and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Two workers by default: each compiles with XLA, which uses several cores by itself.
WORKERS ?= 2
IN_WORKERS := -m pytest -q -n $(WORKERS) --dist worksteal
PYTEST := $(BIN)/python $(IN_WORKERS)

NATIVE := $(shell find csrc -type f)
CPP := $(filter %.cc %.h %.inc,$(NATIVE))

# Real data that lies beside the clone is used by everything, unless the variable says otherwise.
ifneq ($(wildcard ../shared/datasets),)
export HORNBEAM_DATASETS ?= $(abspath ../shared/datasets)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-native test-reference test-oldest test-newest test-peers \
  environment-main environment-others environment-peers fuzz mutants check format api surface bench clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/plot.stamp  ## train the digits network, show its accuracy, save two pictures and the model, load it in a new process
	$(BIN)/python -m hornbeam demo

test: $(VENV)/test.stamp  ## every test but the slow ones, and the examples in docstrings
	$(PYTEST) -m "not slow"

# Only files with slow tests are read. Some are slow because they are many, each of a few ops: values and gradients, compiled
# quickly as those in `make test` are.
SLOW := $(shell grep -rl --include='test_*.py' 'mark\.slow' tests)
TABLES := $(filter $(addprefix tests/,contract/% linalg/% parity/% tensors/%),$(SLOW))
test-slow: $(VENV)/test.stamp $(VENV)/native.stamp  ## the slow tests: training on real data, long runs, whole tables
	$(PYTEST) -m slow $(TABLES)
	HORNBEAM_TEST_OPTIMIZED=1 $(PYTEST) -m slow $(filter-out $(TABLES),$(SLOW))

# The C++ of the native kernels, under AddressSanitizer and UBSan, as for other processors too, and its threads under
# ThreadSanitizer.
test-native: $(VENV)/native.stamp  ## the C++ tests of the native kernels, under sanitizers
	@for sanitizer in address,undefined thread; do \
	  folder=build/tests-$${sanitizer%%,*}; \
	  PATH="$(abspath $(BIN)):$$PATH" cmake -G Ninja -S csrc -B $$folder -DHORNBEAM_TESTS=ON \
	    -DPython_EXECUTABLE=$(abspath $(BIN)/python) -DHORNBEAM_SANITIZE=$$sanitizer -Wno-dev >/dev/null && \
	  PATH="$(abspath $(BIN)):$$PATH" cmake --build $$folder && \
	  (cd $$folder && $(abspath $(BIN))/ctest -j $(WORKERS) --output-on-failure) || exit 1; \
	done
	cd build/tests-address && HORNBEAM_CPU=avx2 $(abspath $(BIN))/ctest -j $(WORKERS) --output-on-failure

# Configs, names, files, metrics, losses, activations, initial values, types, records of calls and refused inputs involve no kernel:
# `make test` has seen all of them.
NO_KERNELS = $(addprefix --deselect tests/,contract/test_door.py contract/test_door_of_faces.py contract/test_errors_of_faces.py \
  contract/test_wide.py contract/test_signatures.py contract/test_initializers.py contract/test_metrics.py \
  contract/test_losses.py parity/test_losses.py parity/test_activations.py parity/test_log_orders.py parity/test_registries.py \
  contract/test_wrong_inputs.py parity/test_round_trips.py parity/test_op_configs.py \
  parity/test_callbacks.py parity/test_initializers.py parity/test_metrics.py parity/test_weights_h5.py \
  parity/test_archive.py parity/test_legacy_h5.py parity/test_exchange_compiled.py parity/test_exchange_layers.py \
  parity/test_exchange_models.py parity/test_exchange_optimizers.py \
  parity/test_layers.py::test_config parity/test_layers.py::test_weights)
# With XLA's expensive passes: kernels whose tests compile quickly. The others are compiled so in `make test-slow`.
AS_USERS = $(addprefix tests/kernels/test_,attention_native.py bernoulli_native.py conv_pool_native.py dense_native.py \
  kernel_choice.py matmul_native.py)
test-reference: $(VENV)/test.stamp  ## the tests of kernels, layers and parity without native kernels, and without AVX-512
	HORNBEAM_NATIVE=0 $(PYTEST) -m "not slow" $(NO_KERNELS) tests/kernels tests/contract tests/parity tests/keras/layers
	HORNBEAM_CPU=avx2 $(PYTEST) -m "not slow" tests/kernels $(addprefix --ignore ,$(AS_USERS))
	HORNBEAM_TEST_OPTIMIZED=1 HORNBEAM_CPU=avx2 $(PYTEST) -m "not slow" $(AS_USERS)

# What depends on Python rather than on JAX. The package is not built for it.
test-oldest: $(VENV)-oldest/stamp  ## archives, signatures, imports, launching under the oldest Python of this machine
	@$(VENV)-oldest/bin/python -V
	HORNBEAM_NATIVE=0 $(VENV)-oldest/bin/python $(IN_WORKERS) -m "not slow" tests/test_imports.py tests/test_public_surface.py \
	  tests/control/autograph/test_source.py \
	  tests/core tests/launch tests/cli tests/tensors tests/keras/utils tests/keras/datasets
	HORNBEAM_NATIVE=0 $(VENV)-oldest/bin/python $(IN_WORKERS) -m "not slow" tests/parity tests/contract -k "signature or config"

# What Python itself shows, reads or warns of differently in its next version, with the packages that it brings.
test-newest: $(VENV)-newest/stamp  ## imports, launching, errors, configurations under the newest Python of this machine
	@$(VENV)-newest/bin/python -V
	HORNBEAM_NATIVE=0 $(VENV)-newest/bin/python $(IN_WORKERS) -m "not slow" tests/test_imports.py tests/test_public_surface.py \
	  $(addprefix tests/core/test_,faces.py jax_typed.py names.py state.py) tests/keras/saving/test_safe_json.py tests/launch/test_hook.py tests/control/autograph/test_source.py \
	  tests/train tests/keras/utils tests/keras/registry tests/contract/test_signatures.py tests/contract/test_errors_of_faces.py tests/ops/test_errors.py

PEERS_PATH = $(shell $(VENV)-peers/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
test-peers: $(VENV)/test.stamp $(VENV)-peers/stamp  ## in one process with TensorFlow and PyTorch; checkpoints exchanged with TensorFlow
	HORNBEAM_PEERS_PATH=$(PEERS_PATH) $(PYTEST) tests/kernels/test_native_process.py tests/train/test_tensorflow.py

fuzz: $(VENV)/test.stamp  ## changed files for everything that reads one, a minute each (SECONDS_EACH=3600 for an hour)
	$(BIN)/python -m tests.fuzz --together --seconds $(or $(SECONDS_EACH),60)

mutants: $(VENV)/test.stamp  ## break the code on purpose, place by place, and see that tests fail
	$(BIN)/python -m tests.mutants $(ONLY)

# Without its cache: that does not notice a package that is new.
check: $(VENV)/dev.stamp  ## formatting, lint, types, layering
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/clang-format --dry-run -Werror $(CPP)
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports --no-logo --no-cache

format: $(VENV)/dev.stamp  ## rewrite the code as `check` wants it
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/clang-format -i $(CPP)

api: $(VENV)/test.stamp  ## how many of TensorFlow's public names there are, room by room, and which are left out, and why
	$(BIN)/python -m tests.contract.tf_api

surface: $(VENV)/test.stamp  ## rewrite tests/public_surface.txt after a change to the public names
	$(BIN)/python tests/test_public_surface.py

bench: $(VENV)/test.stamp $(VENV)-peers/stamp  ## time Hornbeam and its peers side by side
	$(BIN)/python benchmarks/run.py

clean:  ## remove the environments and everything built
	rm -rf $(VENV) $(VENV)-peers $(VENV)-oldest $(VENV)-newest build dist demo-output .pytest_cache .ruff_cache

# The package is built once, and again when pyproject.toml or the C++ of the native kernels changes. One
# stamp per extra then adds what the extra asks for, without building anything.
$(VENV)/hornbeam.stamp: pyproject.toml $(NATIVE) | $(BIN)/pip
	@echo "Building hornbeam into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e .
	@touch $@

$(VENV)/%.stamp: $(VENV)/hornbeam.stamp
	@echo "Installing hornbeam[$*] into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check 'hornbeam[$*]'
	@touch $@

# The peers have their own environment: their pins need not agree with ours.
$(VENV)-peers/stamp: benchmarks/requirements-peers.txt
	@echo "Installing the peers into $(VENV)-peers"
	@$(PYTHON) -m venv $(VENV)-peers
	@$(VENV)-peers/bin/python -m pip install -qq --disable-pip-version-check -r $<
	@$(VENV)-peers/bin/python -m pip install -qq --disable-pip-version-check --no-deps tf-keras==2.21.0
	@touch $@

# What .ci/run makes side by side: one pip at a time works in an environment.
environment-main: $(VENV)/test.stamp $(VENV)/dev.stamp $(VENV)/native.stamp
environment-others: $(VENV)-oldest/stamp $(VENV)-newest/stamp
environment-peers: $(VENV)-peers/stamp

$(VENV)-oldest/stamp $(VENV)-newest/stamp: $(VENV)-%/stamp: pyproject.toml .ci/requirements.py
	@echo "Installing what tests need into $(VENV)-$*"
	@$$(.ci/find_python $*) -m venv --clear $(VENV)-$*
	@$(VENV)-$*/bin/python .ci/requirements.py test all >$(VENV)-$*/requirements.txt
	@$(VENV)-$*/bin/python -m pip install -qq --disable-pip-version-check -r $(VENV)-$*/requirements.txt
	@echo $(abspath src) >$$($(VENV)-$*/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/hornbeam.pth
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Hornbeam needs Python 3.11 or newer; say make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV)

.PRECIOUS: $(VENV)/%.stamp
