#!/usr/bin/env bash
# Scenario: a fresh clone on a bare Debian 12, from `make install` to a service that runs, and the
# package's own test under autopkgtest. Rust is this host's, for Debian 12 has none that is new enough.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/packages-lib.sh
. "$(dirname "$0")/packages-lib.sh"

m=clone
tools=${TOOLS:-$root/target/tools}
rust=$(rustc --print sysroot)
crates=${CARGO_HOME:-$HOME/.cargo}/registry
# whom this host trusts, if crates are fetched
trusted=/etc/ssl/certs/ca-certificates.crt

bare() {
    git clone --quiet "$root" "$scratch/clone"
    bed boot "$m" bookworm -b "$rust:/opt/rust:ro" -b "$tools:/opt/tools:ro" -b "$trusted:$trusted:ro" \
        -b "$crates:/root/.cargo/registry:ro"
    bed push "$m" "$scratch/clone" /root
}

# in_clone COMMAND...: in the clone, as README tells, with Rust in the way it has from rustup.
in_clone() {
    bed sh "$m" 'cd /root/clone; export PATH=/opt/rust/bin:$PATH; "$@"' "$@"
}

without_rust_it_says_what_is_needed() {
    bed exec "$m" apt-get update -q
    bed exec "$m" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends build-essential
    says "Rust 1.89 or later is needed, and the cargo here is missing" \
        bed sh "$m" 'cd /root/clone; ! make install 2>&1'
}

make_installs() {
    in_clone make install TOOLS=/opt/tools
    all_up "$m"
    bed exec "$m" oauth-sync --version
}

# cargo-deb takes its control file from Cargo.toml; autopkgtest wants one in the tree.
autopkgtest_passes() {
    bed exec "$m" env DEBIAN_FRONTEND=noninteractive apt-get purge -y openclaw-oauth-sync
    bed exec "$m" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends autopkgtest
    bed sh "$m" <<'SCRIPT'
cd /root/clone
cp target/debian/openclaw-oauth-sync.deb /root/
(
    printf 'Source: openclaw-oauth-sync\nMaintainer: nobody <nobody@example.org>\n\n'
    dpkg-deb -f /root/openclaw-oauth-sync.deb Package Architecture Depends Description
) >debian/control
autopkgtest --no-built-binaries --output-dir /root/autopkgtest /root/openclaw-oauth-sync.deb . -- null >&2
grep -q '^smoke *PASS' /root/autopkgtest/summary
SCRIPT
}

need "the packages' tools are there" build deb
need "a bare Debian 12 boots, with a clone on it" bare
t "without Rust make install says what is needed" without_rust_it_says_what_is_needed
need "make install builds the package and apt installs it" make_installs
t "autopkgtest passes on it" autopkgtest_passes
bed stop "$m"
