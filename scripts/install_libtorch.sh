#!/usr/bin/env bash
# Puts LibTorch, out of the PyTorch wheel, into .deps/libtorch. Does nothing when it is there, or
# when CMAKE_PREFIX_PATH leads to one.
#
# The wheel pip finds is, on most machines, the CUDA build, which needs NVIDIA's libraries even to
# start on the CPU: those are then installed beside it, 5 GB in all. To get the CPU build, 0.8 GB,
# point pip at PyTorch's index of CPU wheels:
#   make setup TORCH_PIP_ARGS="--index-url URL"
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

TORCH_VERSION=${TORCH_VERSION:-2.13.0}
CPU_GB=2    # the wheel and what it unpacks to, with room to spare
CUDA_GB=12  # likewise; pip's own cache keeps a second copy of the wheels
folder=.deps/libtorch
partial=$folder.partial

given_libtorch() {  # the places cmake/FindLibTorch.cmake looks at
  local prefix root
  while read -r prefix; do
    for root in "$prefix" "$prefix/torch" "$prefix/../.."; do
      [[ -e $root/include/ATen/ATen.h ]] && return
    done
  done < <(prefixes)
  return 1
}

installed() {  # a local version (+cpu, +cu130) may follow
  compgen -G "$folder/torch-$TORCH_VERSION.dist-info" >/dev/null ||
    compgen -G "$folder/torch-$TORCH_VERSION+*.dist-info" >/dev/null
}

unresolved() {  # the libraries LibTorch needs and does not find
  local library
  for library in "$partial"/torch/lib/libtorch_{cpu,cuda}.so; do
    [[ ! -e $library ]] || ldd "$library" | awk '/not found/ {print $1}'
  done | sort -u
}

install_wheel() {  # what more pip shall do
  rm -rf "$partial" "$partial.tmp"
  # shellcheck disable=SC2086 # several arguments in one variable
  pip_into "$partial" ${TORCH_PIP_ARGS-} "$@" "torch==$TORCH_VERSION" ||
    fail "pip could not install torch $TORCH_VERSION; its reason stands above" \
      "it needs the network and Python 3.10 or newer (this is $(python3 --version))" \
      "or give a LibTorch you have: make CMAKE_PREFIX_PATH=/path/to/libtorch"
}

if given_libtorch || installed; then exit; fi

need_space $CPU_GB "LibTorch"
say "installing LibTorch $TORCH_VERSION into $folder"
install_wheel --no-deps

if [[ -n $(unresolved) ]]; then
  say "this is the CUDA build, and it lacks" $(unresolved)
  say "installing NVIDIA's libraries beside it: about 3 GB to fetch, 5 GB on disk"
  say "for the CPU build (0.2 and 0.8 GB) stop here and give pip PyTorch's index of CPU wheels:"
  say "  make setup TORCH_PIP_ARGS='--index-url URL'"
  need_space $CUDA_GB "LibTorch with CUDA"
  install_wheel
  [[ -z $(unresolved) ]] || fail "LibTorch still lacks" $(unresolved)
fi

# Renamed last: an interrupted run leaves no folder that looks finished.
rm -rf "$folder"
mv "$partial" "$folder"
