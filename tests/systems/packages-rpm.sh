#!/usr/bin/env bash
# Scenario: the life of the .rpm with dnf on a booted machine, where presets say no to everything.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/packages-lib.sh
. "$(dirname "$0")/packages-lib.sh"

m=rpm
tools=${TOOLS:-$root/target/tools}

# The same files as 9.0.0, with another sample configuration, to upgrade to.
build_next() {
    mkdir -p "$scratch/tree/target/rpm"
    (cd "$root" && git ls-files -z | tar --null -T - -cf -) | tar -C "$scratch/tree" -xBf -
    cp -r "$root/target/rpm/files" "$scratch/tree/target/rpm/"
    cd "$scratch/tree"
    sed -i '0,/^version = .*/s//version = "9.0.0"/' Cargo.toml
    echo '# a word that is new in 9.0.0' >>docs/examples/default.conf
    "$tools/bin/cargo-generate-rpm" --metadata-overwrite rpm/metadata.toml --auto-req builtin --output "$scratch/next.rpm"
}

dnf() {
    bed exec "$m" dnf -y --releasever=42 "$@"
}

configured() {
    bed sh "$m" 'cd /etc/oauth-sync; echo *'
}

installed() {
    bed mark "$m"
    bed sh "$m" 'find /home/claw -type f -exec sha256sum {} + | sort' >"$scratch/theirs"
    dnf install /root/openclaw-oauth-sync.rpm
    # detection in %post, where presets have decided already
    bed exec "$m" grep -qx 'OPENCLAW_STATE_DIR="/home/claw/.openclaw"' /etc/oauth-sync/default.conf
    bed sh "$m" 'find /home/claw -type f -exec sha256sum {} + | sort' | diff "$scratch/theirs" -
}

presets_say_no() {
    local unit
    for unit in oauth-sync.service oauth-sync-refresh.timer; do
        fails bed exec "$m" systemctl is-enabled $unit
        fails bed exec "$m" systemctl is-active $unit
    done
}

switched_on() {
    bed exec "$m" systemctl enable --now oauth-sync.service oauth-sync-refresh.timer
    all_up "$m"
}

as_packed() {
    # the configuration is the machine's own
    bed exec "$m" rpm -V openclaw-oauth-sync | grep -v ' c /etc/oauth-sync/default.conf$' && return 1
    true
}

upgraded() {
    local renewal watcher
    sums "$m" >"$scratch/before"
    slow_renewal "$m"
    renewal=$(bed exec "$m" systemctl show -P MainPID oauth-sync-renew.service)
    watcher=$(bed exec "$m" systemctl show -P MainPID oauth-sync.service)
    dnf upgrade /root/next.rpm
    says openclaw-oauth-sync-9.0.0-1 bed exec "$m" rpm -q openclaw-oauth-sync
    [ "$(bed exec "$m" systemctl show -P MainPID oauth-sync-renew.service)" = "$renewal" ]
    [ "$(bed exec "$m" systemctl show -P MainPID oauth-sync.service)" != "$watcher" ]
    end_slow_renewal "$m"
    # the admin's stays, the new sample lies beside it, and is no link
    [ "$(configured)" = "default.conf default.conf.rpmnew hooks.d" ]
    bed exec "$m" grep -q 'new in 9.0.0' /etc/oauth-sync/default.conf.rpmnew
    sums "$m" | grep -v rpmnew | diff "$scratch/before" -
    all_up "$m"
    arrives "$m"
}

switched_off_stays_off() {
    bed exec "$m" systemctl disable --now oauth-sync-refresh.timer
    dnf reinstall /root/next.rpm
    fails bed exec "$m" systemctl is-enabled oauth-sync-refresh.timer
    fails bed exec "$m" systemctl is-active oauth-sync-refresh.timer
    bed exec "$m" systemctl is-enabled oauth-sync.service
    bed exec "$m" systemctl enable --now oauth-sync-refresh.timer
}

downgraded() {
    sums "$m" >"$scratch/before"
    fails bed exec "$m" rpm -U /root/openclaw-oauth-sync.rpm
    dnf downgrade /root/openclaw-oauth-sync.rpm
    sums "$m" | grep -v rpmnew | diff <(grep -v rpmnew "$scratch/before") -
    all_up "$m"
    arrives "$m"
}

survives_a_reboot() {
    bed reboot "$m"
    all_up "$m"
    arrives "$m"
}

removed() {
    bed sh "$m" 'find /home/claw -type f -exec sha256sum {} + | sort' >"$scratch/theirs"
    dnf remove openclaw-oauth-sync
    fails bed exec "$m" pgrep -x oauth-sync
    bed exec "$m" grep -q "the admin's own words" /etc/oauth-sync/default.conf.rpmsave
    bed sh "$m" '[ -z "$(systemctl --failed --no-legend)" ] && [ ! -e /run/oauth-sync ]'
    bed sh "$m" 'find /home/claw -type f -exec sha256sum {} + | sort' | diff "$scratch/theirs" -
    # what was saved is no link: it is installed anew as if there were none
    dnf install /root/openclaw-oauth-sync.rpm
    bed sh "$m" '! grep -q "own words" /etc/oauth-sync/default.conf'
    dnf remove openclaw-oauth-sync
    bed sh "$m" 'rm -r /etc/oauth-sync /var/lib/oauth-sync'
    bed left "$m" | grep -i oauth-sync && return 1
    true
}

# An untouched configuration follows the package: it is replaced, and goes with it.
untouched() {
    bed sh "$m" 'mv /home/claw/.claude /home/claw/not-yet'
    dnf install /root/openclaw-oauth-sync.rpm
    bed exec "$m" rpm -V openclaw-oauth-sync
    dnf upgrade /root/next.rpm
    [ "$(configured)" = "default.conf hooks.d" ]
    bed exec "$m" grep -q 'new in 9.0.0' /etc/oauth-sync/default.conf
    bed sh "$m" 'mv /home/claw/not-yet /home/claw/.claude'
    dnf remove openclaw-oauth-sync
    bed sh "$m" '[ ! -e /etc/oauth-sync ]'
}

need "the packages are built" build_packages
need "so is a later version" build_next
need "a machine boots" boot_rpm "$m"
furnish "$m"
bed push "$m" "$scratch/next.rpm" /root
bed sh "$m" 'echo "{}" >/home/claw/.openclaw/openclaw.json; chown claw: /home/claw/.openclaw/openclaw.json'
need "dnf installs it, and what is there is found" installed
t "presets decide, and they say no" presets_say_no
t "one command switches it on" switched_on
t "what is installed is as packed" as_packed
write_link "$m"
t "a link that appears is used" arrives "$m"
t "an upgrade leaves the configuration and a running renewal alone" upgraded
t "a unit that was switched off stays so" switched_off_stays_off
t "a downgrade has to be asked for, and is safe" downgraded
t "it survives a reboot" survives_a_reboot
t "removal stops all, keeps an edited configuration aside and leaves no trace else" removed
t "an untouched configuration follows the package" untouched
bed stop "$m"
