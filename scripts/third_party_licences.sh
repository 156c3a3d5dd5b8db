#!/usr/bin/env bash
# third_party_licences.sh LIBRARIES FOLDER: the licence texts of the Debian packages and of LibTorch whose
# libraries were copied into LIBRARIES (a digest may stand in their names), into FOLDER.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

libraries=$1 folder=$2
mkdir -p "$folder"

# The name that the library had where it was taken from: auditwheel writes libz-5f3e8a01.so.1.
original_name() { basename "$1" | sed -E 's/-[0-9a-f]{8}(\.[0-9.]*so|\.so)/\1/'; }

for library in "$libraries"/*.so*; do
  name=$(original_name "$library")
  [[ $name == libtagclip* || -e .deps/libtorch/torch/lib/$name ]] && continue
  package=$(dpkg-query --search "*/$name" 2>/dev/null | head -n 1 | cut -d: -f1) || true
  [[ -n $package ]] || fail "no Debian package holds $name, whose licence is to go with it"
  cp "/usr/share/doc/$package/copyright" "$folder/$package.txt"
done
for licences in .deps/libtorch/torch-*.dist-info/licenses; do
  [[ -d $licences ]] || fail "LibTorch's licences are missing beside it"
  mkdir -p "$folder/libtorch"
  cp -r "$licences/." "$folder/libtorch"
done
