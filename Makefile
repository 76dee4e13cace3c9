# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
#
# make setup | test | test-fast | demo | bench | lint | format | docs | colcon | clean
# POLICY=remote runs the demo's policy in another process and environment, behind `lbm serve`.
# ARGS="..." goes to the command behind the target, VENV=path chooses another environment than .venv.

VENV ?= .venv
override VENV := $(abspath $(VENV))
PYTHON_IN_VENV := $(VENV)/bin/python
ARGS ?=
POLICY ?= local

# The environment brings its own ROS 2; a sourced installation must not leak into it.
unexport PYTHONPATH PYTHONHOME AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH VIRTUAL_ENV
unexport ROS_DISTRO LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE

.PHONY: setup test test-fast demo bench lint format docs colcon clean

setup:
	@VENV="$(VENV)" scripts/setup.sh

test: setup
	$(PYTHON_IN_VENV) -m pytest $(ARGS)

# For the inner loop: under two minutes, no DDS and no renderer; what is left out is marked slow.
test-fast: setup
	$(PYTHON_IN_VENV) -m pytest -m "not slow" $(ARGS)

demo: setup
ifeq ($(POLICY),remote)
	@VENV="$(VENV)" scripts/demo_remote.sh $(ARGS)
else ifeq ($(POLICY),local)
	$(VENV)/bin/lbm demo $(ARGS)
else
	$(error POLICY is '$(POLICY)'; expected local or remote)
endif

bench: setup
	$(VENV)/bin/lbm bench $(ARGS)
	$(VENV)/bin/lbm bench-monitor

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright --pythonpath $(PYTHON_IN_VENV)

format: setup
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# The pages of docs/ that are generated from the code.
docs: setup
	$(PYTHON_IN_VENV) scripts/make_docs.py

# Both packages as colcon builds them, over the wheels and away from the source tree.
colcon: setup
	@VENV="$(VENV)" scripts/colcon_build.sh

# Leaves the environment and outputs/ (datasets, trained models) alone.
clean:
	rm -rf build install log .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -path './.venv*' -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
