#!/usr/bin/env bash
# test_wheel.sh: python/tests against the wheel of `make wheel`, in a clean virtual environment; then mypy.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

folder=build/wheel-test
wheel=$(echo build/wheelhouse/tagclip-*.whl)
[[ -e $wheel ]] || fail "there is no wheel in build/wheelhouse" "make wheel makes it"

rm -rf "$folder"
python3 -m venv "$folder"
pip() { "$folder/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
pip install --requirement python/tests/requirements.txt "$wheel"

# PyTorch beside the package: the one that this build's LibTorch came with.
export TAGCLIP_TORCH_FOLDER=$PWD/.deps/libtorch TAGCLIP_PHOTOS=$PWD/tests/data/photos
tests=$PWD/python/tests settings=$PWD/pyproject.toml
cd "$folder"  # away from the sources
bin/python -m pytest -q -p no:cacheprovider "$tests"
bin/python -m mypy --config-file "$settings" --no-incremental --package tagclip
bin/python -m mypy --config-file "$settings" --no-incremental "$tests"/usage.py
