#!/usr/bin/env bash
# Makes what is released, into a folder: static programs and packages (.deb, .rpm)
# for amd64 and arm64, a program with libpcap for this machine where its
# headers are, a list of what each holds (CycloneDX), and SHA256SUMS.
#   packaging/release.sh [FOLDER]     dist where left out
# The same source, VERSION, SOURCE_DATE_EPOCH and Go give the same octets in any
# folder; those of the program with libpcap need the same C compiler too.
# VERSION: git's where left out. RELEASE_ARCHES: amd64 and arm64.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."
source=$PWD
out=$(realpath -m "${1:-dist}")
export LC_ALL=C TZ=UTC GOFLAGS="" GOAMD64=v1 GOARM64=v8.0 GOWORK=off

: "${VERSION:=$(git describe --tags --always --dirty)}"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
: "${RELEASE_ARCHES:=amd64 arm64}"
export SOURCE_DATE_EPOCH

# A package's version begins with a digit; ~ comes before, + behind.
case $VERSION in
v[0-9]*) PACKAGE_VERSION=$(sed -E 's/^v//; s/-(alpha|beta|rc)/~\1/; s/-/+/; s/-/./g' <<<"$VERSION") ;;
*) PACKAGE_VERSION="0.0.0~git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d).${VERSION//-/.}" ;;
esac
export PACKAGE_VERSION

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
rm -rf "$out"
mkdir -p "$out"

go -C packaging/tools build -o "$stage/tools/" tool

build() { # FILE, with what go takes from the environment
  go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o "$1" ./cmd/mailtap
}

archive() { # NAME FOLDER: the program with its licence and README
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu -C "$2" -cf - . | gzip -9n >"$out/$1.tar.gz"
}

package() { # KIND FOLDER
  local said
  said=$(cd "$2" && "$stage/tools/nfpm" package --config "$source/packaging/nfpm.yaml" --packager "$1" --target "$out/" 2>&1) || {
    echo "$said" >&2
    return 1
  }
}

inventory() { # NAME FILE
  "$stage/tools/cyclonedx-gomod" bin -json -noserial -notimestamp -version "$VERSION" -output "$out/$1.cdx.json" "$2"
}

# shared holds what no architecture changes.
shared=$stage/shared
mkdir -p "$shared"/{packaging/scripts,share/man/man1,share/man/man5,doc/docs/runbooks,doc/docs/examples}
install -m 0644 packaging/mailtap.* "$shared/packaging/"
install -m 0755 packaging/scripts/*.sh "$shared/packaging/scripts/"
CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags manual -ldflags "-X main.version=$VERSION" -o "$stage/tools/manual" ./cmd/mailtap
mkdir "$stage/man"
"$stage/tools/manual" manual "$stage/man"
for section in 1 5; do
  gzip -9n "$stage/man"/*."$section"
  mv "$stage/man"/*."$section.gz" "$shared/share/man/man$section/"
done
for shell in bash zsh fish; do
  "$stage/tools/manual" completion "$shell" >"$shared/share/completion.$shell"
done
"$stage/tools/manual" config print | sed -f packaging/config.sed >"$shared/share/mailtap.yaml"
"$stage/tools/manual" config check --config "$shared/share/mailtap.yaml" >/dev/null
# As in the source, so that links hold.
install -m 0644 README.md "$shared/doc/"
install -m 0644 docs/*.md docs/*.png docs/*.svg docs/records.schema.json "$shared/doc/docs/"
install -m 0644 docs/runbooks/*.md "$shared/doc/docs/runbooks/"
cp -R docs/examples/. "$shared/doc/docs/examples/"
gzip -9n <CHANGELOG.md >"$shared/doc/CHANGELOG.md.gz"
install -m 0644 packaging/copyright "$shared/doc/copyright"

for ARCH in $RELEASE_ARCHES; do
  export ARCH
  name=mailtap_${PACKAGE_VERSION}_linux_$ARCH
  root=$stage/$ARCH
  cp -R "$shared" "$root"
  CGO_ENABLED=0 GOOS=linux GOARCH=$ARCH build "$root/bin/mailtap"
  for kind in deb rpm; do
    package "$kind" "$root"
  done
  install -m 0644 LICENSE README.md "$root/bin/"
  archive "$name" "$root/bin"
  inventory "$name" "$root/bin/mailtap"
done

if [ -e /usr/include/pcap/pcap.h ] || [ -e /usr/local/include/pcap/pcap.h ]; then
  name=mailtap_${PACKAGE_VERSION}_linux_$(go env GOARCH)_libpcap
  mkdir "$stage/libpcap"
  CGO_ENABLED=1 build "$stage/libpcap/mailtap"
  install -m 0644 LICENSE README.md "$stage/libpcap/"
  archive "$name" "$stage/libpcap"
  inventory "$name" "$stage/libpcap/mailtap"
else
  echo "libpcap's headers are not here: no program with libpcap is made" >&2
fi

cd "$out"
sha256sum -- * >"$stage/SHA256SUMS"
mv "$stage/SHA256SUMS" .
ls -l
