#!/bin/sh
# Installs tagclip from its archive, after checking the archive's SHA-256:
#
#   sh install.sh [--prefix FOLDER] [FOLDER_OR_URL]
#
# FOLDER_OR_URL (file:// also) holds SHA256SUMS and the archive; without it they lie beside this script. Everything goes into
# FOLDER/lib/tagclip-VERSION, and FOLDER/bin/tagclip leads there; the default is ~/.local, for root /usr/local.
set -eu

say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

if [ "$(id -u)" = 0 ]; then prefix=/usr/local; else prefix=$HOME/.local; fi
source=$(dirname "$0")
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || fail "--prefix wants a folder"; prefix=$2; shift 2 ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"; exit 0 ;;
    -*) fail "there is no option $1; --help tells" ;;
    *) source=$1; shift ;;
  esac
done
source=${source#file://}
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "the archive is for Linux on x86-64, and this is $(uname -s) on $(uname -m)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

get() {  # get NAME: into $work
  case $source in
    http://* | https://*)
      if command -v curl >/dev/null; then curl -fsSL -o "$work/$1" "$source/$1"
      elif command -v wget >/dev/null; then wget -q -O "$work/$1" "$source/$1"
      else fail "neither curl nor wget is here to download with"; fi || fail "cannot download $source/$1" ;;
    *) [ -f "$source/$1" ] || fail "there is no $source/$1"
       cp "$source/$1" "$work/$1" ;;
  esac
}

get SHA256SUMS
line=$(grep -E '^[0-9a-f]{64}  tagclip-[0-9.]+-linux-x86_64\.tar\.gz$' "$work/SHA256SUMS") ||
  fail "SHA256SUMS in $source names no archive of tagclip"
archive=${line#*  }
name=${archive%.tar.gz}
get "$archive"
(cd "$work" && printf '%s\n' "$line" | sha256sum -c - >/dev/null 2>&1) ||
  fail "$archive is not what SHA256SUMS says: it is damaged, or somebody changed it. Nothing was installed"

target=$prefix/lib/$name
[ ! -e "$target" ] || fail "$target is there already; remove it to install it again"
if [ -e "$prefix/bin/tagclip" ] && [ ! -L "$prefix/bin/tagclip" ]; then
  fail "$prefix/bin/tagclip is a file of its own; move it away first"
fi
mkdir -p "$prefix/lib" "$prefix/bin"
unpacked=$(mktemp -d "$prefix/lib/.tagclip.XXXXXX")
trap 'rm -rf "$work" "$unpacked"' EXIT
tar -xzf "$work/$archive" -C "$unpacked"
"$unpacked/$name/bin/tagclip" --version >/dev/null ||
  fail "the program does not start here; its reason stands above. Nothing was installed"
mv "$unpacked/$name" "$target"
ln -sfn "../lib/$name/bin/tagclip" "$prefix/bin/tagclip"

say "installed; try it:"
printf '  %s segment %s/share/doc/tagclip/*.jpg -c "cat, mug, table, building, tree, sky, flower, grass" -o masks\n' \
  "$prefix/bin/tagclip" "$target"
case :$PATH: in *:"$prefix/bin":*) ;; *) say "add $prefix/bin to your PATH" ;; esac
