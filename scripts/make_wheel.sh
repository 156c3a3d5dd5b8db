#!/usr/bin/env bash
# make_wheel.sh: build/wheelhouse/tagclip-VERSION-*.whl, which carries LibTorch and all other libraries that it
# needs but the C library, so that it runs wherever there is Python and a C library as new as this one's.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

tools=$PWD/.deps/python/wheel
export PYTHONPATH=$tools PATH=$tools/bin:$PATH PYTHONDONTWRITEBYTECODE=1
work=build/wheel-work
rm -rf "$work"
mkdir -p "$work"

say "compiling the wheel"
python3 -m pip --disable-pip-version-check wheel . --quiet --no-deps --no-build-isolation --wheel-dir "$work/plain"

say "adding the libraries"
python3 -m auditwheel repair --wheel-dir "$work/whole" "$work"/plain/*.whl >"$work/auditwheel.log" 2>&1 ||
  { cat "$work/auditwheel.log" >&2; fail "auditwheel could not make the wheel stand alone"; }

# Two LibTorchs in one process, and the terms of what was added.
python3 -m wheel unpack --dest "$work" "$work"/whole/*.whl >/dev/null
unpacked=$(echo "$work"/tagclip-*/)
python3 scripts/own_symbols.py "$unpacked" >"$work/own_symbols.log"
scripts/third_party_licences.sh "$unpacked/tagclip.libs" "$unpacked/tagclip/share/doc/tagclip/third-party"

rm -rf build/wheelhouse
mkdir -p build/wheelhouse
python3 -m wheel pack --dest-dir build/wheelhouse "$unpacked" >/dev/null
rm -rf "$work"
for wheel in build/wheelhouse/*.whl; do
  printf '%s  %d MB\n' "$wheel" $(($(stat -c %s "$wheel") / 1000000))
done
