#!/usr/bin/env bash
# floors.sh PROGRAM: holds the ratios of tagclip_bench to benchmarks/floors.toml, in a few minutes. COCO's
# training step is left out: the reference takes 8 GB and a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
for rows in "segment" "kernels" "train-step --model voc"; do
  # shellcheck disable=SC2086 # a task and its options
  "$1" $rows --runs 3 --quiet --floors benchmarks/floors.toml || status=1
done
exit $status
