#!/usr/bin/env bash
# Scenario: what each installed unit can and cannot do, tried from inside its own sandbox, and how exposed
# systemd finds it.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/systems/furnish.bash
. "$systems/furnish.bash"

# Two users, a process and a file of the second one, listeners that stand for Docker, OpenClaw and the
# world, and a program that tries what there is to try.
furnished() {
    account "$m" claw
    account "$m" victim
    sign_in "$m" claw 28800
    bed push "$m" "$deb" /root
    install_deb "$m" /root/openclaw-oauth-sync.deb
    all_up "$m"
    bed sh "$m" <<'SCRIPT'
echo secret >/home/victim/secret
chown victim: /home/victim/secret
chmod 600 /home/victim/secret
ln -s /home/victim /home/claw/planted
systemd-run --quiet --uid=victim --unit=victims sleep infinity
systemctl show -P MainPID victims >/etc/victims.pid
touch /tmp/everybodys
ip addr add 192.0.2.1/32 dev lo
for socket in docker:/run/docker.sock world:0.0.0.0:7777; do
    name=${socket%%:*}
    printf '[Socket]\nListenStream=%s\nAccept=yes\n' "${socket#*:}" >"/etc/systemd/system/$name.socket"
    printf '[Service]\nExecStart=-/bin/cat\nStandardInput=socket\n' >"/etc/systemd/system/$name@.service"
    systemctl start "$name.socket"
done
cat >/usr/lib/probe <<'PROBE'
#!/bin/bash
# Prints what works.
try() {
    ! "${@:2}" >/dev/null 2>&1 || echo "$1"
}
reach() {
    timeout 5 bash -c ': <>"/dev/tcp/$1/7777"' bash "$1"
}
as_claw() {
    setpriv --reuid=claw --regid=claw --clear-groups "$@"
}
gain() {
    grep -q 'NoNewPrivs:.*0$' /proc/self/status
}
touch /run/oauth-sync/probe
try "claw's folder as claw" as_claw touch /home/claw/probe
try "victim's file by claw's link" cat /home/claw/planted/secret
try "another's file given away" chown victim /run/oauth-sync/probe
try "a process of victim's seen" test -e "/proc/$(</etc/victims.pid)/cmdline"
try "a process of victim's ended" kill -0 "$(</etc/victims.pid)"
try "loopback" reach 127.0.0.1
try "network" reach 192.0.2.1
try "Docker" logger --socket-errors=on --socket /run/docker.sock probe
try "the system bus" busctl --system --no-pager status
try "/etc written" touch /etc/probe
try "/usr/lib written" touch /usr/lib/probed
try "/run written" touch /run/probe
try "/tmp shared" test -e /tmp/everybodys
try "mount" mount -t tmpfs probe /mnt
try "a namespace" unshare --mount true
try "real time" chrt --fifo 1 true
try "privileges by a setuid program" gain
rm -f /run/oauth-sync/probe
PROBE
chmod 755 /usr/lib/probe
SCRIPT
}

# can UNIT: prints what works inside the unit's own sandbox. The watcher's lets nothing but itself run,
# so its ExecPaths= is opened for the probe; that it is closed is a claim of its own.
can() {
    bed sh "$m" '
        trap "rm -r /run/systemd/system/$1.service.d; systemctl daemon-reload; systemctl reset-failed" EXIT
        mkdir -p "/run/systemd/system/$1.service.d"
        {
            printf "[Service]\nType=oneshot\nRestart=no\nExecStart=\nExecStart=/usr/lib/probe\nStandardOutput=truncate:/run/probed\n"
            [ "$1" != oauth-sync ] || printf "ExecPaths=/usr/bin\nBindReadOnlyPaths=/usr/bin\n"
        } >"/run/systemd/system/$1.service.d/probe.conf"
        systemctl daemon-reload
        systemctl stop "$1.service"
        systemctl start "$1.service"
        cat /run/probed' "$1"
}

# can_only UNIT LINE...
can_only() {
    can "$1" >"$scratch/can"
    printf '%s\n' "${@:2}" | diff - "$scratch/can"
}

everything_works_outside() {
    bed exec "$m" /usr/lib/probe >"$scratch/can"
    bed sh "$m" 'umount /mnt; rm /etc/probe /usr/lib/probed /run/probe; chown claw: /home/claw/probe'
    bed sh "$m" 'sed -n "s/^try \"\([^\"]*\)\".*/\1/p" /usr/lib/probe' | diff - "$scratch/can"
}

watcher_runs_no_program() {
    bed sh "$m" '
        trap "rm -r /run/systemd/system/oauth-sync.service.d; systemctl daemon-reload; systemctl restart oauth-sync" EXIT
        mkdir /run/systemd/system/oauth-sync.service.d
        printf "[Service]\nRestart=no\nExecStart=\nExecStart=/usr/bin/true\n" >/run/systemd/system/oauth-sync.service.d/probe.conf
        systemctl daemon-reload
        ! systemctl restart oauth-sync
        [ "$(systemctl show -P ExecMainStatus oauth-sync)" = 203 ]'
    all_up "$m"
}

# claw's OpenClaw becomes a link to victim's, which claw may look into.
goes_by_no_planted_link() {
    bed sh "$m" '
        chmod 755 /home/victim /home/victim/.openclaw
        echo ANTHROPIC_OAUTH_TOKEN=of-victim >/home/victim/.openclaw/.env
        chown victim: /home/victim/.openclaw/.env
        find /home/victim -printf "%p %T@\n" >/run/before
        mv /home/claw/.openclaw /home/claw/before
        ln -s /home/victim/.openclaw /home/claw/.openclaw'
    sign_in "$m" claw 28800
    wait_until 60 "said_refused oauth-sync"
    bed exec "$m" systemctl stop oauth-sync.service
    sign_in "$m" claw 28800
    bed exec "$m" systemctl start oauth-sync-renew.service oauth-sync-deliver.service
    bed exec "$m" systemctl start oauth-sync.service
    bed sh "$m" 'find /home/victim -printf "%p %T@\n" | diff /run/before -'
}

# A user whose files may hang: on a loop device, whose file system can be frozen from outside.
slow_user() {
    account "$m" slow
    sign_in "$m" slow 28800
    bed sh "$m" 'umask 077; cat >/etc/oauth-sync/slow.conf' <<'CONF'
CLAUDE_CREDENTIALS="/home/slow/.claude/.credentials.json"
OPENCLAW_STATE_DIR="/home/slow/.openclaw"
OPENCLAW_VERSION="2026.2.25"
SINKS="env"
GATEWAY="none"
REFRESH="off"
CLAUDE_CLI="none"
CONF
    wait_until 60 "slow_has $token"
}

slow_has() {
    bed exec "$m" grep -F "$1" /home/slow/.openclaw/.env
}

# What is replaced is what an upgrade replaces, before it restarts anything.
works_from_a_replaced_program() {
    bed sh "$m" '
        cp -p /usr/bin/oauth-sync /usr/bin/next
        mv /usr/bin/next /usr/bin/oauth-sync
        readlink "/proc/$(systemctl show -P MainPID oauth-sync)/exe" | grep deleted'
    sign_in "$m" slow 28900
    wait_until 120 "slow_has $token"
}

raises_its_limit() {
    bed sh "$m" '
        trap "rm -r /run/systemd/system/oauth-sync.service.d; systemctl daemon-reload; systemctl restart oauth-sync" EXIT
        mkdir /run/systemd/system/oauth-sync.service.d
        printf "[Service]\nLimitNOFILE=1024:9999\n" >/run/systemd/system/oauth-sync.service.d/limit.conf
        systemctl daemon-reload
        systemctl restart oauth-sync
        grep "Max open files *9999 *9999" "/proc/$(systemctl show -P MainPID oauth-sync)/limits"'
}

# in_state_d: a process of the watcher's waits for the disk, and no signal ends it.
in_state_d() {
    bed sh "$m" '
        for pid in $(cat /sys/fs/cgroup/system.slice/oauth-sync.service/cgroup.procs); do
            grep -H "^State:.D" "/proc/$pid/status" && exit
        done
        exit 1'
}

stops_beside_what_cannot_be_ended() {
    bed exec "$m" systemctl stop oauth-sync.service
    sign_in "$m" slow 29000
    sync
    trap 'fsfreeze --unfreeze "$scratch/disk"' EXIT
    fsfreeze --freeze "$scratch/disk"
    bed exec "$m" systemctl start oauth-sync.service
    wait_until 60 in_state_d
    bed exec "$m" timeout 60 systemctl stop oauth-sync.service
    in_state_d
    bed exec "$m" systemctl start oauth-sync.service
    fsfreeze --unfreeze "$scratch/disk"
    trap - EXIT
    wait_until 120 "slow_has $token"
}

said_refused() {
    bed exec "$m" journalctl --no-pager -o cat -u "$1" |
        grep "cannot open '/home/claw/.openclaw': Too many levels of symbolic links"
}

# Unknown keys are told with status 0.
verify_is_silent() {
    local output
    output=$(bed sh "$m" 'systemd-analyze verify --man=no /usr/lib/systemd/system/oauth-sync*.{service,path,timer} 2>&1')
    [ -z "$output" ] || {
        echo "$output"
        return 1
    }
}

# exposed UNIT TENTHS: how systemd judges the unit that is loaded now.
exposed() {
    bed exec "$m" systemd-analyze security --no-pager --threshold="$2" "$1.service"
}

loop_device() {
    truncate -s 64M "$scratch/disk.img"
    mkfs.ext4 -qF "$scratch/disk.img"
    mkdir -p "$scratch/disk"
    mount -o loop "$scratch/disk.img" "$scratch/disk"
}

confines() {
    local suite=$1
    m=confined-$suite
    need "$suite: there is a loop device" loop_device
    need "$suite: a machine without network boots" bed boot "$m" "$suite" -n none -b "$scratch/disk:/home/slow"
    need "$suite: two users, listeners and the package are there" furnished
    t "$suite: everything that is tried works outside of the sandboxes" everything_works_outside
    t "$suite: watcher: no program can be run" watcher_runs_no_program
    t "$suite: watcher: of all else it can only be claw in claw's folder" can_only oauth-sync "claw's folder as claw"
    t "$suite: renewal: that, users' processes and the network, Docker and the bus" can_only oauth-sync-renew \
        "claw's folder as claw" "a process of victim's ended" loopback network Docker "the system bus"
    t "$suite: delivery: the same, but of the network only loopback" can_only oauth-sync-deliver \
        "claw's folder as claw" "a process of victim's ended" loopback Docker "the system bus"
    t "$suite: messenger: setuid mailers besides" can_only oauth-sync-tell \
        "claw's folder as claw" "a process of victim's seen" "a process of victim's ended" \
        loopback network Docker "the system bus" "privileges by a setuid program"
    bed exec "$m" systemctl start oauth-sync.service
    t "$suite: all are up again" all_up "$m"
    t "$suite: none goes by a link that a user planted into another's folder" goes_by_no_planted_link
    need "$suite: a user on a loop device, whose link has a process of its own" slow_user
    t "$suite: that process works after the program was replaced" works_from_a_replaced_program
    t "$suite: the watcher raises its limit of open files" raises_its_limit
    t "$suite: it stops and starts beside a process that cannot be ended" stops_beside_what_cannot_be_ended
    t "$suite: the live units have nothing that systemd does not know" verify_is_silent
    t "$suite: the live watcher is exposed 1.5 at most" exposed oauth-sync 15
    t "$suite: the live renewal is exposed 2.5 at most" exposed oauth-sync-renew 25
    t "$suite: the live delivery is exposed 2.5 at most" exposed oauth-sync-deliver 25
    t "$suite: the live messenger is exposed 2.8 at most" exposed oauth-sync-tell 28
    t "$suite: no token is in the journal" no_token_in "journal:$m"
    bed stop "$m"
    umount --lazy "$scratch/disk"
}

at_end umount "$scratch/disk"
need "the package is built" build_deb
confines bookworm
confines trixie
finished=yes
