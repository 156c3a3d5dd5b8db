#!/usr/bin/env bash
# Brings in what is missing for a group of commands; quiet, and quick, when nothing is.
#
#   scripts/setup.sh GROUP...     groups: build test browser api label-studio parity bench loader contenders serving fuzz lint docs wheel dist
#
# Variables:
#   CMAKE_PREFIX_PATH  folders of a LibTorch to use instead (":" between them)
#   TORCH_VERSION, TORCH_PIP_ARGS   see scripts/install_libtorch.sh
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_packages.sh "$@"

mkdir -p .deps
exec 9>.deps/lock
flock 9  # two terminals may both start with `make`

for group in "$@"; do
  case $group in
    build) scripts/install_libtorch.sh ;;
    test) scripts/install_python.sh test tests/requirements.txt ;;
    api) scripts/install_python.sh api tests/api/requirements.txt ;;
    label-studio) scripts/install_python.sh label-studio tests/api/requirements-label-studio.txt ;;
    # shellcheck disable=SC2086 # several arguments in one variable
    parity) scripts/install_python.sh parity tests/parity/requirements.txt ${TORCH_PIP_ARGS-}
            # Their own requirements would bring a display, a server and another LibTorch.
            scripts/install_python.sh parity-formats tests/parity/requirements-formats.txt --no-deps ;;
    # shellcheck disable=SC2086
    loader) scripts/install_python.sh loader benchmarks/requirements.txt ${TORCH_PIP_ARGS-} ;;
    # shellcheck disable=SC2086
    contenders) scripts/install_python.sh contenders benchmarks/contenders-requirements.txt ${TORCH_PIP_ARGS-} ;;
    # shellcheck disable=SC2086
    serving) scripts/install_python.sh serving benchmarks/serve-requirements.txt ${TORCH_PIP_ARGS-} ;;
    wheel) scripts/install_python.sh wheel scripts/requirements-wheel.txt ;;
    lint) scripts/install_python.sh lint scripts/requirements-dev.txt ;;
  esac
done
