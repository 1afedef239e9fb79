#!/usr/bin/env bash
# Scenario: the units together: what stops and starts with the watcher, a program that cannot start, and
# needrestart. The life of the packages is in packages.sh.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/packages-lib.sh
. "$(dirname "$0")/packages-lib.sh"

oneshots="oauth-sync-renew.service oauth-sync-deliver.service oauth-sync-tell.service"

all_down() {
    local unit
    for unit in $units; do
        fails bed exec "$1" systemctl --quiet is-active "$unit"
    done
}

stops_together() {
    bed exec "$1" systemctl stop oauth-sync.service
    all_down "$1"
    says "oauth-sync.service is stopped" bed sh "$1" 'oauth-sync check || :'
    [ "$(bed sh "$1" 'oauth-sync doctor | grep -c "is stopped, so" || :')" = 1 ]
    bed exec "$1" systemctl start oauth-sync.service
    all_up "$1"
}

# A renewal that runs is not what somebody means who stops the service.
leaves_a_renewal_alone() {
    local renewal
    slow_renewal "$1"
    renewal=$(bed exec "$1" systemctl show -P MainPID oauth-sync-renew.service)
    bed exec "$1" systemctl restart oauth-sync.service
    bed exec "$1" systemctl stop oauth-sync.service
    [ "$(bed exec "$1" systemctl show -P MainPID oauth-sync-renew.service)" = "$renewal" ]
    # all of it, as the manual page says
    bed exec "$1" systemctl stop 'oauth-sync*'
    all_down "$1"
    fails bed exec "$1" systemctl --quiet is-active oauth-sync-renew.service
    bed exec "$1" systemctl start oauth-sync.service
    end_slow_renewal "$1"
    all_up "$1"
}

disabled_timer_stays_down() {
    bed exec "$1" systemctl disable --now oauth-sync-refresh.timer
    bed exec "$1" systemctl restart oauth-sync.service
    fails bed exec "$1" systemctl is-active oauth-sync-refresh.timer
    bed exec "$1" systemctl enable --now oauth-sync-refresh.timer
    all_up "$1"
}

# Many runs one after the other are no failure: they may be a user's doing.
many_runs_are_no_failure() {
    bed sh "$1" 'for _ in $(seq 12); do systemctl start oauth-sync-renew.service oauth-sync-deliver.service oauth-sync-tell.service; done'
    all_up "$1"
}

# Each is asked to run, and the program is one that the loader refuses.
cannot_start() {
    local unit
    bed sh "$1" <<'SCRIPT'
mv /usr/bin/oauth-sync /root/oauth-sync.good
printf '#!/nowhere\n' >/usr/bin/oauth-sync
chmod 755 /usr/bin/oauth-sync
systemctl kill --signal=KILL oauth-sync.service
for queue in refresh gateway notify; do touch "/run/oauth-sync/$queue.d/asked"; done
SCRIPT
    for unit in oauth-sync.service $oneshots oauth-sync-refresh.path oauth-sync-gateway.path oauth-sync-notify.path; do
        wait_until 600 "bed exec $1 systemctl --quiet is-failed $unit"
    done
    bed exec "$1" systemctl is-active oauth-sync-refresh.timer
}

# A dozen configurations, the first of which brings the program back.
a_good_program_comes_back() {
    bed sh "$1" <<'SCRIPT'
rm -f /run/oauth-sync/*.d/asked
mv /root/oauth-sync.good /usr/bin/oauth-sync
for _ in $(seq 12); do sh /var/lib/dpkg/info/openclaw-oauth-sync.postinst configure 1.1.0; done
SCRIPT
    all_up "$1"
    arrives "$1"
}

# The machine has none of the archive's lists.
has_needrestart() {
    wait_until 120 "bed exec $1 apt-get -q update"
    install_deb "$1" needrestart
}

# A renewal and a watcher whose program was replaced beneath them; needrestart reads our file or does not.
needrestart_leaves_oneshots() {
    bed sh "$1" 'cp /bin/sleep /usr/local/bin/replaced'
    bed sh "$1" <<'SCRIPT'
mkdir -p /run/systemd/system/oauth-sync-renew.service.d
printf '[Service]\nNoExecPaths=\nExecStart=\nExecStart=/usr/local/bin/replaced 300\n' \
    >/run/systemd/system/oauth-sync-renew.service.d/slow.conf
systemctl daemon-reload
systemctl start --no-block oauth-sync-renew.service
until [ "$(readlink "/proc/$(systemctl show -P MainPID oauth-sync-renew.service)/exe")" = /usr/local/bin/replaced ]; do sleep 0.1; done
for program in /usr/local/bin/replaced /usr/bin/oauth-sync; do
    cp "$program" "$program.new"
    mv "$program.new" "$program"
done
needrestart -b -r l >/root/with 2>&1
mv /etc/needrestart/conf.d/oauth-sync.conf /root
needrestart -b -r l >/root/without 2>&1
mv /root/oauth-sync.conf /etc/needrestart/conf.d
cat /root/with /root/without
grep oauth-sync-renew /root/without
grep 'oauth-sync\.service' /root/with
! grep oauth-sync-renew /root/with
SCRIPT
    end_slow_renewal "$1"
}

together() {
    local suite=$1 m=units-$1
    need "$suite: a machine boots" bed boot "$m" "$suite"
    furnish "$m"
    need "$suite: apt installs it, and all units are up" installs "$m"
    write_link "$m"
    t "$suite: timer and path units stop and start with the watcher" stops_together "$m"
    t "$suite: a renewal that runs does not, and one command stops all" leaves_a_renewal_alone "$m"
    t "$suite: a timer that is disabled does not start with it" disabled_timer_stays_down "$m"
    t "$suite: a dozen runs in a row are no failure" many_runs_are_no_failure "$m"
    need "$suite: needrestart installs" has_needrestart "$m"
    t "$suite: needrestart restarts the watcher and never a oneshot" needrestart_leaves_oneshots "$m"
    t "$suite: units whose program cannot start have failed after ten minutes" cannot_start "$m"
    t "$suite: a good program comes back by a dozen configurations" a_good_program_comes_back "$m"
    bed stop "$m"
}

need "the packages are built" build_packages
# Ten minutes pass on each: the oldest systemd is held to it with every change.
for suite in ${UNITS_SUITES:-bookworm}; do
    together "$suite"
done
