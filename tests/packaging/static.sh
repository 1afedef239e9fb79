#!/usr/bin/env bash
# Scenario: the packages as files, and what they are made of.
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/../systems/lib.sh"

root=$(realpath "$systems/../..")
deb=$root/target/debian/openclaw-oauth-sync.deb
rpm=$root/target/rpm/openclaw-oauth-sync.rpm
cd "$root"

silent() {
    local output
    output=$("$@" 2>&1) || {
        echo "$output"
        return 1
    }
    [ -z "$output" ] || {
        echo "$output"
        return 1
    }
}

scripts_are_posix() {
    local script
    shellcheck -s sh -x debian/{config,postinst,prerm,postrm} docs/examples/hook docs/examples/hook-alive docs/examples/etcd/{push,follow}
    # scriptlets bear no shebang, it would mean nothing
    shellcheck -s sh rpm/*.sh
    for script in debian/{config,postinst,prerm,postrm} rpm/*.sh docs/examples/hook docs/examples/hook-alive docs/examples/etcd/{push,follow}; do
        dash -n "$script"
    done
}

# systemd-analyze wants every program and manual page that a unit names to exist.
units_for_analysis() {
    local unit page
    mkdir -p "$scratch"/units "$scratch"/man/man{1,5}
    for unit in units/*.{service,path,timer}; do
        sed 's,^ExecStart=/usr/bin/oauth-sync,ExecStart=/bin/true,' "$unit" >"$scratch/units/${unit#units/}"
    done
    for page in man/*.[15]; do
        cp "$page" "$scratch/man/man${page##*.}/"
    done
}

verify_is_silent() {
    units_for_analysis
    MANPATH=$scratch/man silent systemd-analyze verify "$scratch"/units/*
}

keys_are_in_order() {
    local unit
    for unit in units/*.service; do
        sed -n '/^AmbientCapabilities=/,/^$/s/=.*//p' "$unit" >"$scratch/keys"
        [ -s "$scratch/keys" ]
        LC_ALL=C sort -c "$scratch/keys"
    done
}

# exposed UNIT TENTHS: holds if the unit is exposed that much at most.
exposed() {
    systemd-analyze security --no-pager --offline=true --threshold="$2" "units/$1.service"
}

tmpfiles_make_the_queues() {
    local queue
    sed "s,/run/oauth-sync,$scratch/run,; s/ root root / - - /" units/oauth-sync.tmpfiles >"$scratch/oauth-sync.conf"
    systemd-tmpfiles --create "$scratch/oauth-sync.conf"
    for queue in refresh.d gateway.d notify.d; do
        [ "$(stat -c %a "$scratch/run/$queue")" = 700 ]
        grep -qx "DirectoryNotEmpty=/run/oauth-sync/$queue" "units/oauth-sync-${queue%.d}.path"
    done
}

lintian_finds_nothing() {
    # pedantic, experimental and informational tags too
    silent lintian --allow-root --pedantic -E -I --tag-display-limit 0 "$deb"
}

rpmlint_finds_nothing() {
    local file
    file=$(ls target/rpm/openclaw-oauth-sync-*-1.*.rpm)
    says "0 errors, 0 warnings" rpmlint --config tests/packaging/rpmlint.toml "$file"
}

at_most() {
    echo "$1, and $2 allowed"
    [ "$1" -le "$2" ]
}

unpack() {
    mkdir -p "$scratch/deb" "$scratch/rpm"
    dpkg-deb -x "$deb" "$scratch/deb"
    # not rpm2cpio: it fails where the header does not tell the size of the archive
    rpm2archive -n <"$rpm" | tar -C "$scratch/rpm" -xBf -
}

programs_are_the_same() {
    cmp "$scratch/deb/usr/bin/oauth-sync" "$scratch/rpm/usr/bin/oauth-sync"
}

no_path_of_the_builder() {
    fails grep -aqF -e "${CARGO_HOME:-$HOME/.cargo}" -e "$HOME/.rustup" -e "$root" "$scratch/deb/usr/bin/oauth-sync"
}

completions_can_be_read() {
    bash -n completions/oauth-sync.bash
    if command -v zsh; then zsh -n completions/_oauth-sync; fi
    if command -v fish; then fish -n completions/oauth-sync.fish; fi
}

nothing_waits_for_debconf() {
    dpkg-deb -e "$deb" "$scratch/control"
    # the daemon that is started must not hold debconf's descriptors
    awk '/^db_stop/ { stopped = NR } /deb-systemd-invoke/ && !stopped { exit 1 } END { exit !stopped }' \
        "$scratch/control/postinst"
    [ "$(cat "$scratch/control/conffiles")" = /etc/needrestart/conf.d/oauth-sync.conf ]
}

oneshots_are_only_stopped() {
    fails grep -E 'invoke.*(renew|deliver|tell)' "$scratch/control/postinst"
    for oneshot in renew deliver tell; do
        grep -q "invoke stop oauth-sync-$oneshot.service" "$scratch/control/prerm"
    done
    # shellcheck disable=SC2016 # awk's own
    awk '/invoke stop/ && last !~ /"\$1" = remove \]/ { exit 1 } { last = $0 }' "$scratch/control/prerm"
}

t "shell scripts are POSIX and clean" scripts_are_posix
t "units have nothing that systemd does not know" verify_is_silent
t "the sandbox's keys are in order" keys_are_in_order
t "the watcher is exposed 1.5 at most" exposed oauth-sync 15
t "the renewal is exposed 2.5 at most" exposed oauth-sync-renew 25
t "the delivery is exposed 2.5 at most" exposed oauth-sync-deliver 25
t "the messenger is exposed 2.8 at most" exposed oauth-sync-tell 28
t "tmpfiles make the queues that the path units look at" tmpfiles_make_the_queues
t "the manual pages are clean" silent mandoc -T lint -W warning man/oauth-sync.1 man/oauth-sync.conf.5
t "completions can be read by their shells" completions_can_be_read
need "both packages are built" make deb rpm
t "lintian has no tag" lintian_finds_nothing
t "rpmlint has no error and no warning" rpmlint_finds_nothing
need "both packages can be unpacked" unpack
t "both carry the same program" programs_are_the_same
t "the program names no path of who built it" no_path_of_the_builder
# 4.5 MB, what the library for time zones takes, and what containers, setup-tokens and pauses take.
t "the program has 4.9 MB at most" at_most "$(stat -c %s "$scratch/deb/usr/bin/oauth-sync")" 4900000
t "the .deb has 2 MB at most" at_most "$(stat -c %s "$deb")" 2000000
t "it installs 6 MB at most" at_most "$(dpkg-deb -f "$deb" Installed-Size)" 6000
t "debconf is stopped before anything is started, and the only conffile is needrestart's" nothing_waits_for_debconf
t "oneshots are stopped on removal and never started or restarted" oneshots_are_only_stopped
