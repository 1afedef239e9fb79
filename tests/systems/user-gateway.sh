#!/usr/bin/env bash
# Scenario: a gateway that is a unit of a lingering user is restarted for a new token, by root, and
# what lingering off means is said.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"

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
    bed user ug claw systemctl --user start openclaw-gateway.service
}

rotate() {
    bed sh ug 'printf "{\"claudeAiOauth\":{\"accessToken\":\"%s\",\"refreshToken\":\"r\",\"expiresAt\":%s000}}" \
        "$1" "$(($(date +%s) + 28800))" >/home/claw/.claude/.credentials.json
        chown claw: /home/claw/.claude/.credentials.json' "$1"
}

uses() {
    local sum
    sum=$(sha256sum <<<"$1" | cut -c 1-64)
    wait_until 10 "bed exec ug grep -q $sum /home/claw/uses"
}

brings() {
    rotate "$1"
    says "the gateway was restarted" bed exec ug oauth-sync sync
    uses "$1"
}

says_linger() {
    bed exec ug loginctl disable-linger claw
    wait_until 20 "! bed exec ug test -e /run/user/1000 && ! bed exec ug test -e /run/user/1001"
    rotate "$1"
    bed sh ug 'oauth-sync sync 2>&1 || [ $? = 75 ]' >"$scratch/said"
    cat "$scratch/said"
    grep -q 'loginctl enable-linger claw' "$scratch/said"
}

need "a machine boots" bed boot ug trixie
need "a lingering user runs a gateway" prepare
t "root's sync restarts the user's unit with the new token" brings "$(canary sk-ant-oat01-)"
t "and so it does the next time" brings "$(canary sk-ant-oat01-)"
t "a rotation to the same token restarts nothing" bash -c "! '$systems/bed' exec ug oauth-sync sync 2>&1 | grep ."
t "without lingering the command that helps is said" says_linger "$(canary sk-ant-oat01-)"
t "no token is in the journal" no_token_in journal:ug
finished=yes
