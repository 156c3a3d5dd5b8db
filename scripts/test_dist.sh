#!/usr/bin/env bash
# test_dist.sh [RELEASE]: installs what `make dist` made in an empty Debian of another release (trixie), without
# a compiler and Python, makes the demo there and compares it with the program's of this tree. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

release=${1-trixie}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=$PWD/build/chroot-$release
words="cat, mug, table, building, tree, sky, flower, grass"
((EUID == 0)) || fail "a chroot needs root" "sudo make test-dist"

if [[ ! -e $root/etc/debian_version ]]; then
  rm -rf "$root"
  say "making an empty $release"
  debootstrap --variant=minbase "$release" "$root.partial" "$mirror" >build/debootstrap.log ||
    fail "debootstrap could not make it; build/debootstrap.log says why"
  mv "$root.partial" "$root"
fi
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
rm -rf "$root/dist" "$root/opt/tagclip" "$root/root/masks"
cp -r build/dist "$root/dist"
inside() { chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 bash -ec "$1"; }

inside '! command -v gcc python3 cmake'
say "from one line to the first mask"
time inside "sh dist/install.sh --prefix /opt/tagclip &&
  /opt/tagclip/bin/tagclip segment /opt/tagclip/lib/tagclip-*/share/doc/tagclip/*.jpg --precision float32 \
    -c '$words' -o /root/masks"
inside '! sh dist/install.sh --prefix /opt/tagclip 2>/dev/null'  # it is there already

say "the masks are those of this tree"
rm -rf build/dist-masks
build/release/tagclip segment tests/data/photos/*.jpg --precision float32 -c "$words" -o build/dist-masks --quiet
for labels in build/dist-masks/*_labels.png; do
  cmp "$labels" "$root/root/masks/$(basename "$labels")"
done

say "a damaged archive is refused"
inside 'cp -r dist damaged && printf x >>damaged/tagclip-*.tar.gz
  ! sh damaged/install.sh --prefix /opt/other 2>said && grep -q "not what SHA256SUMS says" said && test ! -e /opt/other
  rm -r damaged'

say "the package installs and goes away"
inside 'dpkg -i dist/tagclip_*.deb >/dev/null && tagclip --version && tagclip fetch --list >/dev/null &&
  dpkg -r tagclip >/dev/null && test ! -e /usr/lib/tagclip'
say "passed"
