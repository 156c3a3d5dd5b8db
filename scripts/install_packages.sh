#!/usr/bin/env bash
# Installs the packages of the named groups that are missing; without the right to, names them.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

missing_packages() {
  local installed group package substitute
  installed=$(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n')
  while read -r group package substitute; do
    [[ " $* " == *" $group "* ]] || continue
    grep -qxF "$package installed" <<<"$installed" && continue
    [[ -n $substitute ]] && command -v "$substitute" >/dev/null && continue
    echo "$package"
  done < <(grep -v '^#' scripts/packages.txt)
}

if ! command -v dpkg-query >/dev/null; then
  say "this is no Debian or Ubuntu: the libraries of scripts/packages.txt must be there already"
  exit
fi

mapfile -t missing < <(missing_packages "$@")
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  command="apt-get install --no-install-recommends ${missing[*]}"
  command -v sudo >/dev/null || fail "these packages are missing: ${missing[*]}" \
    "install them, then run the same make again:" "  su -c '$command'"
  sudo -n true 2>/dev/null || fail "these packages are missing: ${missing[*]}" \
    "install them, then run the same make again:" "  sudo $command"
  as_root=(sudo -n)
fi

log=.deps/apt.log
mkdir -p .deps

apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -y -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}
install=(install --no-install-recommends "${missing[@]}")

say "installing ${missing[*]}"
: >"$log"
# The package lists are fetched only when those at hand do not lead to the packages.
if ! apt_get "${install[@]}" --download-only; then
  apt_get update || true  # one broken source of many is no reason to stop
fi
apt_get "${install[@]}" || {
  tail -n 20 "$log" >&2
  fail "apt-get could not install these packages; all it said is in $log"
}
