# Shared by the scripts beside it.

say() { printf 'setup: %s\n' "$*" >&2; }

# fail MESSAGE [HINT...]: each on a line of its own.
fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# The folders given to look in before the project's own, one a line.
prefixes() { tr ':;' '\n\n' <<<"${CMAKE_PREFIX_PATH-}" | sed '/^$/d'; }

# need_space GB WHAT: fails when the project's disk has less free.
need_space() {
  local free_kb
  free_kb=$(df --output=avail -k . | tail -n 1)
  ((free_kb >= $1 * 1000 * 1000)) ||
    fail "$2 needs about $1 GB on the disk of $PWD; $((free_kb / 1000)) MB are free" \
      "free some space, or move the checkout to a larger disk"
}

# pip_into FOLDER ARGS...: pip install into that folder and nowhere else. PEP 668 allows it,
# because no Python's own packages are touched. Unpacked beside the folder, not in a small /tmp.
pip_into() {
  local folder=$1 status=0
  shift
  mkdir -p "$folder.tmp"
  TMPDIR=$PWD/$folder.tmp PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_ROOT_USER_ACTION=ignore \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    python3 -m pip install --no-input --no-compile --target "$folder" "$@" >&2 || status=$?
  rm -rf "$folder.tmp"
  return "$status"
}
