#!/usr/bin/env bash
# lint.sh check|format: holds the C++ files against .clang-format, and (check) .clang-tidy; format
# rewrites them. Takes the files changed since LINT_BASE (HEAD), or all with LINT_ALL=1.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=$PWD/.deps/python/lint
bin=.deps/python/lint/bin

changed_files() {
  if [[ -n ${LINT_ALL-} ]] || ! git rev-parse -q --verify "${LINT_BASE:-HEAD}" >/dev/null; then
    git ls-files --cached --others --exclude-standard "$@"
  else
    git diff --name-only --diff-filter=d "${LINT_BASE:-HEAD}" -- "$@"
    git ls-files --others --exclude-standard "$@"
  fi
}

list=$(changed_files '*.h' '*.cc' '*.cu')
[[ -n $list ]] || exit 0
mapfile -t files <<<"$list"

case $1 in
  format) $bin/clang-format -i "${files[@]}" ;;
  check)
    $bin/clang-format --dry-run --Werror "${files[@]}"
    # Those that this build compiles: not the fuzz harnesses nor the Python module.
    mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cc$' | grep -v '^\(tests/fuzz\|python\)/')
    ((${#sources[@]})) || exit 0
    # The precompiled header is g++'s own: clang reads the header it was made of. The analyzer's usual
    # 225,000 nodes a function take nine tenths of the time in formatting and ranges.
    printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 1 \
      $bin/clang-tidy -p build/lint --quiet --warnings-as-errors='*' \
      --extra-arg={-Xclang,-analyzer-config,-Xclang,max-nodes=30000} \
      --extra-arg=-Wno-ignored-gch --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations \
      --extra-arg=-idirafter"$(g++ -print-file-name=include)"  # its omp.h, after clang's own headers
    ;;
esac
