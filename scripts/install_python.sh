#!/usr/bin/env bash
# install_python.sh NAME REQUIREMENTS [PIP_ARGS...]: the pinned Python packages of that file into
# .deps/python/NAME, again only when the file has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

folder=.deps/python/$1
requirements=$2

if cmp -s "$requirements" "$folder/requirements.txt"; then exit; fi

say "installing the Python packages of $requirements into $folder"
rm -rf "$folder.partial" "$folder.partial.tmp"
pip_into "$folder.partial" --quiet --requirement "$requirements" "${@:3}" ||
  fail "pip could not install $requirements; its reason stands above"
cp "$requirements" "$folder.partial/requirements.txt"
rm -rf "$folder"
mv "$folder.partial" "$folder"
