#!/usr/bin/env bash
# Scenario: a gateway that is a unit of a lingering user is restarted for a new token, by root, and
# what lingering off means is said.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"

root=$(realpath "$systems/../..")
program=${OAUTH_SYNC:-$systems/../../target/debug/oauth-sync}

# A gateway that tells the token that it was started with, as the real one reads it: once.
prepare() {
    bed push ug "$program" /usr/bin
    bed sh ug <<'SCRIPT'
useradd -m -s /bin/bash claw
loginctl enable-linger claw
install -d -o claw -g claw -m 700 ~claw/.openclaw ~claw/.claude ~claw/.config ~claw/.config/systemd ~claw/.config/systemd/user
cat >/usr/local/bin/gateway <<'GATEWAY'
#!/bin/sh
sed -n 's/^ANTHROPIC_OAUTH_TOKEN=//p' "$HOME/.openclaw/.env" | sha256sum >"$HOME/uses"
exec sleep 1000
GATEWAY
chmod 755 /usr/local/bin/gateway
printf '[Service]\nExecStart=/usr/local/bin/gateway\n' >~claw/.config/systemd/user/openclaw-gateway.service
touch ~claw/.openclaw/.env
chown -R claw: ~claw
install -d /etc/oauth-sync
cat >/etc/oauth-sync/default.conf <<'CONF'
CLAUDE_CREDENTIALS="/home/claw/.claude/.credentials.json"
OPENCLAW_STATE_DIR="/home/claw/.openclaw"
SINKS="env"
OPENCLAW_VERSION="2026.2.25"
CONF
SCRIPT
    # lingering is on before its manager is up
    wait_until 60 "bed user ug claw systemctl --user start openclaw-gateway.service"
}

rotate() {
    bed sh ug 'printf "{\"claudeAiOauth\":{\"accessToken\":\"%s\",\"refreshToken\":\"r\",\"expiresAt\":%s000}}" \
        "$1" "$(($(date +%s) + 28800))" >/home/claw/.claude/.credentials.json
        chown claw: /home/claw/.claude/.credentials.json' "$1"
}

uses() {
    local sum
    sum=$(sha256sum <<<"$1" | cut -c 1-64)
    wait_until 60 "bed exec ug grep -q $sum /home/claw/uses"
}

brings() {
    rotate "$1"
    says "the gateway was restarted" bed exec ug oauth-sync sync
    uses "$1"
}

says_linger() {
    bed exec ug loginctl disable-linger claw
    wait_until 60 "! bed exec ug test -e /run/user/1000 && ! bed exec ug test -e /run/user/1001"
    rotate "$1"
    bed sh ug 'oauth-sync sync 2>&1 || [ $? = 75 ]' >"$scratch/said"
    cat "$scratch/said"
    grep -q 'loginctl enable-linger claw' "$scratch/said"
}

# The same gateway as a unit of the host's; the user's own is taken away, so that it is found.
becomes_a_system_unit() {
    bed user ug claw systemctl --user stop openclaw-gateway.service
    bed sh ug <<'SCRIPT'
mv ~claw/.config/systemd/user/openclaw-gateway.service /root
printf '[Service]\nUser=claw\nExecStart=/usr/local/bin/gateway\n' >/etc/systemd/system/openclaw-gateway.service
systemctl daemon-reload
systemctl start openclaw-gateway.service
SCRIPT
    bed user ug claw systemctl --user daemon-reload
}

# sets KEY="VALUE"...: in the link's configuration.
sets() {
    bed sh ug 'cd /etc/oauth-sync; sed -i "/^GATEWAY/d" default.conf; printf "%s\n" "$@" >>default.conf' "$@"
}

main_pid() {
    bed exec ug systemctl show -P MainPID openclaw-gateway.service
}

# brings_by TOKEN KEY="VALUE"...: the unit of the host runs anew, and with this token.
brings_by() {
    local token=$1 before
    shift
    sets "$@"
    before=$(main_pid)
    brings "$token"
    [ "$(main_pid)" != "$before" ]
}

# A program in a user's folder can be changed by that user: root must not run it as root.
runs_as_the_user() {
    bed sh ug <<'SCRIPT'
printf '#!/bin/sh\nid -un >"$HOME/as"\n' >~claw/restart
chmod 755 ~claw/restart
chown claw: ~claw/restart
SCRIPT
    sets 'GATEWAY="command"' 'GATEWAY_COMMAND="/home/claw/restart"'
    rotate "$1"
    says "the gateway was restarted" bed exec ug oauth-sync sync
    [ "$(bed exec ug cat /home/claw/as)" = claw ]
}

becomes_the_users_again() {
    sets 'GATEWAY="systemd-user"'
    bed sh ug <<'SCRIPT'
systemctl stop openclaw-gateway.service
mv /root/openclaw-gateway.service ~claw/.config/systemd/user/
SCRIPT
    bed user ug claw systemctl --user daemon-reload
    bed user ug claw systemctl --user start openclaw-gateway.service
    brings "$1"
}

# Root's shell can do more than the unit, which runs in a sandbox: here the installed units do all of it.
brings_by_the_units() {
    local before
    bed exec ug loginctl enable-linger claw
    wait_until 60 "bed user ug claw systemctl --user is-active default.target"
    bed user ug claw systemctl --user start openclaw-gateway.service
    sets 'GATEWAY="systemd-user"'
    bed push ug "$root/target/debian/openclaw-oauth-sync.deb" /root
    bed exec ug env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /root/openclaw-oauth-sync.deb
    wait_until 60 "bed exec ug systemctl is-active oauth-sync.service oauth-sync-gateway.path"
    wait_until 60 delivered_and_at_rest
    before=$(user_pid)
    rotate "$1"
    uses "$1"
    [ "$(user_pid)" != "$before" ]
    # said when it is proved, a moment after the gateway is up
    wait_until 60 "bed exec ug journalctl --no-pager -o cat -u oauth-sync-deliver.service |
        grep 'the gateway was restarted'"
}

# What an earlier rotation has left is done, and the next one is alone.
delivered_and_at_rest() {
    [ "$(bed exec ug systemctl show -P ActiveState oauth-sync-deliver.service)" = inactive ] &&
        bed sh ug '[ -z "$(ls -A /run/oauth-sync/gateway.d)" ]'
}

user_pid() {
    bed user ug claw systemctl --user show -P MainPID openclaw-gateway.service
}

need "the package is built" build deb
need "a machine boots" bed boot ug trixie
need "a lingering user runs a gateway" prepare
t "root's sync restarts the user's unit with the new token" brings "$(canary sk-ant-oat01-)"
t "and so it does the next time" brings "$(canary sk-ant-oat01-)"
t "a rotation to the same token restarts nothing" bash -c "! '$systems/bed' exec ug oauth-sync sync 2>&1 | grep ."
need "the gateway becomes a unit of the host's" becomes_a_system_unit
t "it is found and restarted with the new token" brings_by "$(canary sk-ant-oat01-)"
t "so it is where the configuration says systemd" brings_by "$(canary sk-ant-oat01-)" 'GATEWAY="systemd"'
t "and by a command of root's" brings_by "$(canary sk-ant-oat01-)" \
    'GATEWAY="command"' 'GATEWAY_COMMAND="/usr/bin/systemctl restart openclaw-gateway.service"' \
    'GATEWAY_COMMAND_USER="root"'
t "a command in a user's folder runs as that user" runs_as_the_user "$(canary sk-ant-oat01-)"
need "the gateway is the user's own again" becomes_the_users_again "$(canary sk-ant-oat01-)"
t "without lingering the command that helps is said" says_linger "$(canary sk-ant-oat01-)"
t "the installed units restart it for a new token, from inside their sandboxes" brings_by_the_units "$(canary sk-ant-oat01-)"
t "no token is in the journal" no_token_in journal:ug
finished=yes
