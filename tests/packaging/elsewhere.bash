# shellcheck shell=bash
# build_elsewhere GOAL...: makes it in another folder, of another length, with other times, file modes and umask.
# Sourced after tests/systems/lib.sh.

root=$(realpath "$systems/../..")
elsewhere=$scratch/somewhere-else-altogether

build_elsewhere() {
    mkdir "$elsewhere"
    (cd "$root" && git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf -) |
        tar -C "$elsewhere" -xBf -
    find "$elsewhere" -exec touch -d 2001-01-01 {} +
    cd "$elsewhere"
    umask 027
    TZ=Asia/Kathmandu LC_ALL=C.UTF-8 make "$@" TOOLS="${TOOLS:-$root/target/tools}"
}
