#!/usr/bin/env bash
# Runs every harness of build/fuzz for FUZZ_SECONDS (60), from tests/fuzz/seeds/NAME (tests/data
# where a harness has none). What it finds new stays in build/fuzz/corpus and is the next run's
# start; an input that breaks a parser is kept in build/fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
harnesses=0
broken=0
mkdir -p build/fuzz/crashes

for harness in build/fuzz/tests/fuzz/fuzz_*; do
  [[ -f $harness && -x $harness ]] || continue
  harnesses=$((harnesses + 1))
  name=${harness##*/fuzz_}
  grown=build/fuzz/corpus/$name
  seeds=tests/fuzz/seeds/$name
  [[ -d $seeds ]] || seeds=tests/data
  mkdir -p "$grown"
  log=build/fuzz/$name.log

  if "$harness" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix=build/fuzz/crashes/"$name"- "$grown" "$seeds" \
    </dev/null >"$log" 2>&1; then
    runs=$(awk '/number_of_executed_units/ {print $2}' "$log")
    printf '%-24s %10s inputs in %s s, none broke it\n' "$name" "$runs" "$seconds"
  else
    broken=$((broken + 1))
    printf '%-24s BROKEN; the whole story is in %s\n' "$name" "$log"
    grep -E 'ERROR|SUMMARY|runtime error|what\(\)|Test unit written' "$log" || tail -n 5 "$log"
  fi
done
echo "$harnesses harnesses, $broken broken"
((harnesses > 0 && broken == 0))
