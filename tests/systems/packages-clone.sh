#!/usr/bin/env bash
# Scenario: a fresh clone on a bare Debian 13, built with the distribution's own Rust and GNU ld: the
# demonstration, `make install` to a service that runs, and the package's own test under autopkgtest.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/packages-lib.sh
. "$(dirname "$0")/packages-lib.sh"

m=clone
tools=${TOOLS:-$root/target/tools}
# What this host has fetched of the locked crates, so that nothing is fetched twice.
crates=${CARGO_HOME:-$HOME/.cargo}/registry
# whom this host trusts, if crates are fetched
trusted=/etc/ssl/certs/ca-certificates.crt

bare() {
    git clone --quiet "$root" "$scratch/clone"
    # the examples' crates too, which the packages do not need
    cargo fetch --quiet --locked --target "$(rustc -vV | sed -n "s/^host: //p")" --manifest-path "$scratch/clone/Cargo.toml"
    bed boot "$m" trixie -b "$tools:/opt/tools:ro" -b "$trusted:$trusted:ro" -b "$crates:/root/.cargo/registry:ro"
    bed push "$m" "$scratch/clone" /root
}

apt_install() {
    bed exec "$m" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

without_rust_it_says_what_is_needed() {
    bed exec "$m" apt-get update -q
    apt_install make
    says "Rust 1.89 or later is needed, and the cargo here is missing" \
        bed sh "$m" 'cd /root/clone; ! make install 2>&1'
}

# As README has it.
rust_is_debians() {
    grep -q 'sudo apt install build-essential cargo-web' "$root/README.md"
    apt_install build-essential cargo-web
    bed sh "$m" '[ "$(dpkg -S "$(readlink -f "$(command -v rustc)")" | cut -d : -f 1)" = rustc-web ]'
}

in_clone() {
    bed sh "$m" 'cd /root/clone; "$@"' "$@"
}

demonstrates() {
    in_clone make demo
}

# Any other ld puts its name beside the compiler's.
gnu_ld_linked_it() {
    bed sh "$m" '
        ld --version | grep "GNU ld"
        readelf -p .comment /root/clone/target/release/oauth-sync >/tmp/comment
        grep GCC: /tmp/comment
        ! grep -iE "lld|mold|gold" /tmp/comment'
}

make_installs() {
    in_clone make install TOOLS=/opt/tools
    all_up "$m"
    bed exec "$m" oauth-sync --version
}

# cargo-deb takes its control file from Cargo.toml; autopkgtest wants one in the tree.
autopkgtest_passes() {
    bed exec "$m" env DEBIAN_FRONTEND=noninteractive apt-get purge -y openclaw-oauth-sync
    apt_install autopkgtest
    bed sh "$m" <<'SCRIPT'
cd /root/clone
cp target/debian/openclaw-oauth-sync.deb /root/
# the tree is copied twice, into memory
rm -r target
(
    printf 'Source: openclaw-oauth-sync\nMaintainer: nobody <nobody@example.org>\n\n'
    dpkg-deb -f /root/openclaw-oauth-sync.deb Package Architecture Depends Description
) >debian/control
autopkgtest --no-built-binaries --output-dir /root/autopkgtest /root/openclaw-oauth-sync.deb . -- null >&2
grep -q '^smoke *PASS' /root/autopkgtest/summary
SCRIPT
}

need "the packages' tools are there" build deb
need "a bare Debian 13 boots, with a clone on it" bare
t "without Rust make install says what is needed" without_rust_it_says_what_is_needed
need "README's packages bring Debian's own Rust" rust_is_debians
t "make demo builds the program and shows it" demonstrates
t "GNU ld has linked it" gnu_ld_linked_it
need "make install builds the package and apt installs it" make_installs
t "autopkgtest passes on it" autopkgtest_passes
bed stop "$m"
