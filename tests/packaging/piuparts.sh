#!/usr/bin/env bash
# Scenario: piuparts installs and purges the .deb in a bare Debian and finds nothing left.
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/../systems/lib.sh"

root=$(realpath "$systems/../..")

base_tarball() {
    bed build bookworm
    zstd -dcq "${BED_CACHE:-${BED_DIR:-$root/target/bed}/cache}/bookworm.tar.zst" | gzip -1 >"$scratch/base.tgz"
}

passes() {
    piuparts -d bookworm -b "$scratch/base.tgz" -t "$scratch" --no-upgrade-test --warn-on-others \
        --skip-logrotatefiles-test "$root/target/debian/openclaw-oauth-sync.deb"
}

need "the .deb is built" make -C "$root" deb
need "there is a base to install it in" base_tarball
t "piuparts passes" passes
