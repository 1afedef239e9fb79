#!/usr/bin/env bash
# Scenario: the same sources make the same packages, byte for byte, in any folder.
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/../systems/lib.sh"
# shellcheck source=tests/packaging/elsewhere.bash
. "$(dirname "$0")/elsewhere.bash"

same() {
    local kind
    for kind in debian/openclaw-oauth-sync.deb rpm/openclaw-oauth-sync.rpm; do
        cmp "$root/target/$kind" "$elsewhere/target/$kind"
    done
}

need "both packages are built here" make -C "$root" deb rpm
need "both packages are built in another folder" build_elsewhere deb rpm
t "they are the same to the byte" same
