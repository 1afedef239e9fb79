#!/usr/bin/env bash
# Scenario: the same sources make the same packages, byte for byte, in any folder.
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/../systems/lib.sh"

root=$(realpath "$systems/../..")

# Another folder, of another length, with other times, file modes and umask.
build_elsewhere() {
    local other=$scratch/somewhere-else-altogether
    mkdir "$other"
    (cd "$root" && git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf -) |
        tar -C "$other" -xBf -
    find "$other" -exec touch -d 2001-01-01 {} +
    cd "$other"
    umask 027
    TZ=Asia/Kathmandu LC_ALL=C.UTF-8 make deb rpm TOOLS="${TOOLS:-$root/target/tools}"
}

same() {
    local kind
    for kind in debian/openclaw-oauth-sync.deb rpm/openclaw-oauth-sync.rpm; do
        cmp "$root/target/$kind" "$scratch/somewhere-else-altogether/target/$kind"
    done
}

need "both packages are built here" make -C "$root" deb rpm
need "both packages are built in another folder" build_elsewhere
t "they are the same to the byte" same
