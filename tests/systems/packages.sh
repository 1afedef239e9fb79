#!/usr/bin/env bash
# Scenario: the life of the packages on booted machines, from the first installation to the last trace.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/packages-lib.sh
. "$(dirname "$0")/packages-lib.sh"

upgrade_leaves_all() {
    local renewal watcher
    slow_renewal "$1"
    renewal=$(bed exec "$1" systemctl show -P MainPID oauth-sync-renew.service)
    watcher=$(bed exec "$1" systemctl show -P MainPID oauth-sync.service)
    sums "$1" >"$scratch/before"
    install_deb "$1" /root/next.deb
    sums "$1" | diff "$scratch/before" -
    # the renewal goes on, the watcher is the new version's
    [ "$(bed exec "$1" systemctl show -P MainPID oauth-sync-renew.service)" = "$renewal" ]
    [ "$(bed exec "$1" systemctl show -P MainPID oauth-sync.service)" != "$watcher" ]
    end_slow_renewal "$1"
    all_up "$1"
    arrives "$1"
}

disabled_stays_disabled() {
    bed exec "$1" systemctl disable --now oauth-sync-refresh.timer
    install_deb "$1" --reinstall /root/next.deb
    fails bed exec "$1" systemctl is-enabled oauth-sync-refresh.timer
    fails bed exec "$1" systemctl is-active oauth-sync-refresh.timer
    bed exec "$1" systemctl enable --now oauth-sync-refresh.timer
}

deleted_stays_deleted() {
    bed exec "$1" mv /etc/oauth-sync/default.conf /root/kept.conf
    install_deb "$1" --reinstall /root/next.deb
    bed sh "$1" '[ ! -e /etc/oauth-sync/default.conf ]'
    bed exec "$1" mv /root/kept.conf /etc/oauth-sync/default.conf
    arrives "$1"
}

reconfigure_changes_nothing_unasked() {
    sums "$1" >"$scratch/before"
    bed exec "$1" dpkg-reconfigure -f noninteractive openclaw-oauth-sync
    sums "$1" | diff "$scratch/before" -
    says /home/claw/.claude/.credentials.json bed exec "$1" debconf-show openclaw-oauth-sync
    all_up "$1"
}

postinst_again() {
    sums "$1" >"$scratch/before"
    bed exec "$1" env DEBIAN_FRONTEND=noninteractive dpkg-reconfigure --force openclaw-oauth-sync
    bed exec "$1" sh /var/lib/dpkg/info/openclaw-oauth-sync.postinst configure 1.1.0
    sums "$1" | diff "$scratch/before" -
    all_up "$1"
}

configured_in_a_hurry() {
    bed sh "$1" 'for _ in $(seq 12); do sh /var/lib/dpkg/info/openclaw-oauth-sync.postinst configure 1.1.0; done'
    all_up "$1"
}

# An older version comes only where somebody insists, and finds everything as it was.
downgraded() {
    sums "$1" >"$scratch/before"
    fails install_deb "$1" /root/openclaw-oauth-sync.deb
    says 1.1.0+next bed exec "$1" dpkg-query -W openclaw-oauth-sync
    install_deb "$1" --allow-downgrades /root/openclaw-oauth-sync.deb
    sums "$1" | diff "$scratch/before" -
    all_up "$1"
    arrives "$1"
    install_deb "$1" /root/next.deb
}

path_units_come_back() {
    bed exec "$1" systemctl stop oauth-sync-gateway.path
    bed exec "$1" systemctl start oauth-sync-renew.service || :
    bed exec "$1" systemctl is-active oauth-sync-gateway.path
}

survives_a_reboot() {
    bed reboot "$1"
    all_up "$1"
    arrives "$1"
}

tells_the_story() {
    # a renewal that has something to say
    bed sh "$1" <<'SCRIPT'
mkdir -p /run/systemd/system/oauth-sync-renew.service.d
printf '[Service]\nSuccessExitStatus=2\nExecStart=\nExecStart=/usr/bin/oauth-sync --config-dir=/nowhere refresh\n' \
    >/run/systemd/system/oauth-sync-renew.service.d/lost.conf
systemctl daemon-reload
systemctl start oauth-sync-renew.service
rm -r /run/systemd/system/oauth-sync-renew.service.d
systemctl daemon-reload
SCRIPT
    wait_until 60 "bed exec $1 journalctl --no-pager -u oauth-sync -o verbose | grep '_SYSTEMD_UNIT=oauth-sync-renew.service'"
    no_token_in "journal:$1" "argv:$1" "$1:/var/lib/oauth-sync" "$1:/var/cache/debconf"
}

removed_and_back() {
    sums "$1" >"$scratch/before"
    bed exec "$1" env DEBIAN_FRONTEND=noninteractive apt-get remove -y openclaw-oauth-sync
    fails bed exec "$1" pgrep -x oauth-sync
    bed sh "$1" '[ ! -e /run/oauth-sync ] && [ -z "$(systemctl --failed --no-legend)" ]'
    sums "$1" | diff "$scratch/before" -
    install_deb "$1" /root/openclaw-oauth-sync.deb
    sums "$1" | diff "$scratch/before" -
    all_up "$1"
}

purged() {
    bed sh "$1" 'find /home/claw -type f -exec sha256sum {} + | sort' >"$scratch/before"
    bed sh "$1" 'echo "GATEWAY=none" >/etc/oauth-sync/other.conf'
    bed exec "$1" env DEBIAN_FRONTEND=noninteractive apt-get purge -y openclaw-oauth-sync
    bed exec "$1" dpkg --purge openclaw-oauth-sync
    bed sh "$1" 'cd /etc/oauth-sync && [ "$(echo *)" = other.conf ]'
    bed sh "$1" 'find /home/claw -type f -exec sha256sum {} + | sort' | diff "$scratch/before" -
}

no_trace() {
    bed sh "$1" 'rm -r /etc/oauth-sync; echo "{}" >/home/claw/.openclaw/credentials/oauth.json'
    bed sh "$1" '[ ! -e /var/lib/systemd/timers/stamp-oauth-sync-refresh.timer ]'
    # logind's own, new at each boot
    bed left "$1" | grep -v -e '^clean$' -e /var/tmp/systemd-private >"$scratch/left" || :
    diff /dev/null "$scratch/left"
}

# Inside the watcher's own sandbox, through its live properties.
watcher_is_confined() {
    bed sh "$1" <<'SCRIPT'
pid=$(systemctl show -P MainPID oauth-sync.service)
grep -q '^NoNewPrivs:.*1$' /proc/$pid/status
[ "$(sed -n 's/^CapBnd:\t//p' /proc/$pid/status)" = 00000000000000c0 ]
[ "$(sed -n 's/^Seccomp:\t//p' /proc/$pid/status)" = 2 ]
inside() { nsenter -t "$pid" -m -n "$@"; }
# no network but an idle loopback, no program, nothing of the system writable
[ "$(nsenter -t "$pid" -n ip -o link | wc -l)" = 1 ]
inside /bin/true 2>/dev/null && exit 1
awk '$2 == "/" && $4 ~ /^ro/ && $4 ~ /noexec/ { found = 1 } END { exit !found }' /proc/$pid/mounts
awk '$2 == "/home" && $4 ~ /^rw/ { found = 1 } END { exit !found }' /proc/$pid/mounts
SCRIPT
}

smoke_passes() {
    bed push "$1" "$root/debian/tests/smoke" /tmp
    bed exec "$1" sh /tmp/smoke
}

deb_life() {
    local suite=$1 m=deb-$1
    need "$suite: a machine boots" bed boot "$m" "$suite"
    furnish "$m"
    bed mark "$m"
    t "$suite: a program that cannot run here fails the installation, and nothing starts" cannot_run "$m"
    need "$suite: apt installs it, and all units are up" installs "$m"
    t "$suite: without a link it waits" says "waiting for one" bed exec "$m" systemctl status oauth-sync
    write_link "$m"
    t "$suite: a link that appears is used" arrives "$m"
    t "$suite: the watcher has no network, no programs and two capabilities" watcher_is_confined "$m"
    t "$suite: an upgrade leaves files and a running renewal alone" upgrade_leaves_all "$m"
    t "$suite: a unit that was switched off stays so" disabled_stays_disabled "$m"
    t "$suite: a deleted configuration stays deleted on upgrade" deleted_stays_deleted "$m"
    t "$suite: a reconfiguration without answers changes nothing" reconfigure_changes_nothing_unasked "$m"
    t "$suite: postinst can be run again" postinst_again "$m"
    t "$suite: nor does a dozen times in a row stop a unit" configured_in_a_hurry "$m"
    t "$suite: a downgrade is refused, and safe where it is insisted on" downgraded "$m"
    t "$suite: a path unit that was stopped comes back with the next renewal" path_units_come_back "$m"
    t "$suite: one journalctl call tells of all units, without a token" tells_the_story "$m"
    t "$suite: autopkgtest's smoke passes" smoke_passes "$m"
    t "$suite: it survives a reboot" survives_a_reboot "$m"
    t "$suite: remove stops it and keeps what was configured, and it comes back" removed_and_back "$m"
    t "$suite: purge takes what is ours, twice, and nothing of others" purged "$m"
    t "$suite: not a trace is left" no_trace "$m"
    bed stop "$m"
}

# A system older than the one that the package was built on.
starts_on() {
    local suite=$1 m=deb-$1
    need "$suite: a machine boots" bed boot "$m" "$suite"
    furnish "$m"
    t "$suite: apt installs it, and all units are up" installs "$m"
    write_link "$m"
    t "$suite: a link that appears is used" arrives "$m"
    t "$suite: autopkgtest's smoke passes" smoke_passes "$m"
    bed stop "$m"
}

need "the packages are built" build_packages
deb_life bookworm
deb_life trixie
if reachable noble; then
    deb_life noble
fi
if reachable jammy; then
    starts_on jammy
fi
