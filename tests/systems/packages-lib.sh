# shellcheck shell=bash
# What the scenarios of the packages share: the packages, a user with a login and an OpenClaw, and
# what must hold on a machine where they are installed.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

root=$(realpath "$systems/../..")
units="oauth-sync.service oauth-sync-refresh.timer oauth-sync-refresh.path oauth-sync-gateway.path oauth-sync-notify.path"

build_packages() {
    build deb rpm
    # the same content under a later version, to upgrade to
    dpkg-deb -R "$root/target/debian/openclaw-oauth-sync.deb" "$scratch/next"
    sed -i 's/^Version: .*/&+next/' "$scratch/next/DEBIAN/control"
    dpkg-deb --root-owner-group -Zgzip -b "$scratch/next" "$scratch/next.deb"
    # and one whose program is for no machine at all
    cp -r "$scratch/next" "$scratch/foreign"
    printf '\0\0' | dd bs=1 seek=18 conv=notrunc status=none of="$scratch/foreign/usr/bin/oauth-sync"
    dpkg-deb --root-owner-group -Zgzip -b "$scratch/foreign" "$scratch/foreign.deb"
}

# A user with a login that ends in eight hours and an OpenClaw of before 2026.6; the link is the admin's own.
furnish() {
    bed sh "$1" <<'SCRIPT'
useradd --create-home claw
install -d -o claw -g claw -m 700 /home/claw/.claude /home/claw/.openclaw /home/claw/.openclaw/credentials
echo '{}' >/home/claw/.openclaw/credentials/oauth.json
chown claw: /home/claw/.openclaw/credentials/oauth.json
SCRIPT
    bed push "$1" "$root"/target/{debian/openclaw-oauth-sync.deb,rpm/openclaw-oauth-sync.rpm} "$scratch/next.deb" "$scratch/foreign.deb" /root
    rotate "$1"
}

# rotate MACHINE: the login gets a new token, as Claude's command line would write it.
rotate() {
    token=$(canary sk-ant-oat01-)
    bed sh "$1" '
        umask 077
        cd /home/claw/.claude
        printf "{\"claudeAiOauth\":{\"accessToken\":\"%s\",\"refreshToken\":\"%s\",\"expiresAt\":%s000,\"scopes\":[\"user:inference\"]}}" \
            "$1" "$2" "$(($(date +%s) + 28800))" >new
        chown claw: new
        mv new .credentials.json' "$token" "$(canary sk-ant-ort01-)"
}

write_link() {
    bed sh "$1" 'umask 077; cat >/etc/oauth-sync/default.conf' <<'CONF'
# the admin's own words
CLAUDE_CREDENTIALS = "/home/claw/.claude/.credentials.json"   # and spaces
OPENCLAW_STATE_DIR="/home/claw/.openclaw"
OPENCLAW_VERSION="2026.2.25"
SINKS="oauth-json"
REFRESH="off"
GATEWAY="none"
CONF
}

arrives() {
    rotate "$1"
    wait_until 60 "bed exec $1 grep -q '$token' /home/claw/.openclaw/credentials/oauth.json"
}

all_up() {
    local unit
    for unit in $units; do
        wait_until 60 "bed exec $1 systemctl is-active $unit"
    done
    bed exec "$1" systemctl is-enabled oauth-sync.service oauth-sync-refresh.timer
    bed sh "$1" '[ "$(stat -c %a /run/oauth-sync)" = 711 ]'
    bed sh "$1" '[ -z "$(systemctl --failed --no-legend)" ]'
}

install_deb() {
    local machine=$1
    shift
    bed exec "$machine" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# What cannot run is told of by one line and by apt's status; nothing of it starts, and it can be removed.
cannot_run() {
    local unit
    fails install_deb "$1" /root/foreign.deb >"$scratch/said" 2>&1
    cat "$scratch/said"
    [ "$(grep -c 'does not run on this host, no service is started: .*Exec format error' "$scratch/said")" = 1 ]
    for unit in $units; do
        fails bed exec "$1" systemctl is-active "$unit"
    done
    bed exec "$1" apt-get purge -y openclaw-oauth-sync
}

installs() {
    install_deb "$1" /root/openclaw-oauth-sync.deb
    all_up "$1"
}

sums() {
    bed sh "$1" 'find /etc/oauth-sync /home/claw -type f -exec sha256sum {} + | sort'
}

# A renewal that takes its time, in place of the real one.
slow_renewal() {
    bed sh "$1" <<'SCRIPT'
mkdir -p /run/systemd/system/oauth-sync-renew.service.d
printf '[Service]\nNoExecPaths=\nExecStart=\nExecStart=/bin/sleep 300\n' >/run/systemd/system/oauth-sync-renew.service.d/slow.conf
systemctl daemon-reload
systemctl start --no-block oauth-sync-renew.service
for _ in $(seq 600); do
    [ "$(systemctl show -P MainPID oauth-sync-renew.service)" = 0 ] || exit 0
    sleep 0.1
done
exit 1
SCRIPT
}

end_slow_renewal() {
    bed sh "$1" 'rm -r /run/systemd/system/oauth-sync-renew.service.d; systemctl daemon-reload
        systemctl stop oauth-sync-renew.service; systemctl reset-failed oauth-sync-renew.service || :'
}
