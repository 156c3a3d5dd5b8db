#!/usr/bin/env bash
# make_dist.sh: an archive and a .deb that run without a compiler, Python or anything else but a C library as
# new as this one's, with their SHA-256 sums, in build/dist. The same commit gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

export PATH=$PWD/.deps/python/wheel/bin:$PATH PYTHONDONTWRITEBYTECODE=1 LC_ALL=C
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

version=$(sed -nE 's/^project\(tagclip VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
name=tagclip-$version-linux-x86_64
out=build/dist
stage=$out/$name
rm -rf "$out"
mkdir -p "$stage"

say "putting $name together"
for component in runtime development libtorch; do
  cmake --install build/release --prefix "$stage" --component "$component" --strip >/dev/null
done
python3 scripts/bundle_libraries.py "$stage" lib/tagclip >"$out/libraries.log"
docs=$stage/share/doc/tagclip
scripts/third_party_licences.sh "$stage/lib/tagclip" "$docs/third-party"
rm -rf "$docs/libtorch"  # it is among these
cp tests/data/photos/*.jpg "$docs/"
# Otherwise times and modes would be those of this machine's clock and umask.
chmod -R u=rwX,go=rX "$stage"
find "$stage" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

floor=$(find "$stage" -type f -exec sh -c 'head -c4 "$1" | grep -q ELF && objdump -T "$1"' _ {} \; 2>/dev/null |
  grep -oE 'GLIBC_[0-9]+\.[0-9]+' | sort -uV | tail -n 1 | cut -d_ -f2)

tar --sort=name --owner=0 --group=0 --numeric-owner -C "$out" -cf - "$name" |
  gzip -n -6 >"$out/$name.tar.gz"

deb=$out/deb
mkdir -p "$deb/usr/lib" "$deb/usr/bin" "$deb/DEBIAN"
kilobytes=$(find "$stage" -type f -printf '%s\n' | awk '{sum += $1} END {print int((sum + 1023) / 1024)}')
mv "$stage" "$deb/usr/lib/tagclip"
ln -s ../lib/tagclip/bin/tagclip "$deb/usr/bin/tagclip"
cat >"$deb/DEBIAN/control" <<END
Package: tagclip
Version: $version
Architecture: amd64
Maintainer: the tagclip developers
Depends: libc6 (>= $floor)
Recommends: ca-certificates
Installed-Size: $kilobytes
Section: graphics
Priority: optional
Description: open-vocabulary semantic segmentation
 A photo and your own words in, the word of every pixel out; with LibTorch, a
 small model, and the C++ library with its headers.
END
chmod -R u=rwX,go=rX "$deb"
find "$deb" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zgzip --build "$deb" "$out/tagclip_${version}_amd64.deb" >/dev/null
rm -rf "$deb" "$out/libraries.log"

cp scripts/install.sh "$out/install.sh"
(cd "$out" && sha256sum -- *.tar.gz *.deb >SHA256SUMS)
say "needs glibc $floor or newer"
(cd "$out" && wc -c -- *.tar.gz *.deb | awk '$2 != "total" {printf "%s  %d MB\n", $2, $1 / 1e6}')
