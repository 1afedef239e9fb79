#!/usr/bin/env bash
# Scenario: 1.0.0 with links of every kind becomes this version. What the new rules allow goes on as it was;
# what they refuse is listed at the upgrade, named by `doctor` with the command that helps, and critical.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/systems/furnish.bash
. "$systems/furnish.bash"

m=upgrade
# Links that stay, and links of which something is refused; each is its user's, of the same name.
kept="claw plain unit command asroot"
refused="open foreign planted"

# link NAME [LINE]...: a user with a login and an OpenClaw of the time, and the link of both.
link() {
    local name=$1
    shift
    account "$m" "$name"
    sign_in "$m" "$name" 28800
    bed sh "$m" 'umask 077; cat >"/etc/oauth-sync/$1.conf"' "$name" <<CONF
CLAUDE_CREDENTIALS="/home/$name/.claude/.credentials.json"
OPENCLAW_STATE_DIR="/home/$name/.openclaw"
OPENCLAW_VERSION="2026.2.25"
REFRESH="off"
$(printf '%s\n' "$@")
CONF
}

installed_of_before() {
    local before
    before=$("$systems/released")
    gateway_host "$m"
    bed push "$m" "$before" /root
    install_deb "$m" "/root/$(basename "$before")"
    says 1.0.0 bed exec "$m" dpkg-query -W openclaw-oauth-sync
    all_up "$m"
}

# A container that root recreates; files alone; a unit of the user's; commands; and what a new rule is about.
linked() {
    arrives "$m" "$(access_token "$m" claw)"
    bed exec "$m" mv /etc/oauth-sync/default.conf /etc/oauth-sync/claw.conf
    link plain 'SINKS="env"' 'GATEWAY="none"'
    link unit 'SINKS="env"' 'GATEWAY="systemd"'
    link command 'SINKS="env"' 'GATEWAY="command"' 'GATEWAY_COMMAND="/home/command/restart"'
    link asroot 'SINKS="env"' 'GATEWAY="command"' 'GATEWAY_COMMAND="/usr/bin/touch /var/lib/restarted"'
    link open 'SINKS="env"' 'GATEWAY="none"'
    link foreign 'SINKS="env"' 'GATEWAY="none"'
    link planted 'SINKS="env"' 'GATEWAY="command"' 'GATEWAY_COMMAND="/usr/bin/true"'
    bed sh "$m" <<'SCRIPT'
for user in command planted; do
    printf '#!/bin/sh\nid -un >"/home/%s/as"\n' $user >/home/$user/restart
    chmod 755 /home/$user/restart
    chown $user: /home/$user/restart
done
printf '[Service]\nUser=unit\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/openclaw-gateway.service
systemctl daemon-reload
systemctl start openclaw-gateway.service
chgrp foreign /etc/oauth-sync/open.conf
chmod 660 /etc/oauth-sync/open.conf
chown foreign: /etc/oauth-sync/foreign.conf
chmod 644 /etc/oauth-sync/foreign.conf
ln -s /home/planted/restart /etc/oauth-sync/hooks.d/planted
SCRIPT
}

# each_arrives USER...: each signs in again, and the new token comes to each.
each_arrives() {
    local name
    for name in "$@"; do
        sign_in "$m" "$name" 28800
        wait_until 120 "in_step $m $name $token" || {
            echo "$name has the old token"
            bed exec "$m" journalctl --no-pager -n 40 -o cat -u 'oauth-sync*'
            return 1
        }
    done
}

worked_before() {
    # shellcheck disable=SC2086 # names, a word each
    each_arrives $kept $refused
    wait_until 60 "bed exec $m test -e /var/lib/restarted"
}

configuration() {
    bed sh "$m" 'find /etc/oauth-sync -printf "%p %m %u:%g %l\n" -type f -exec sha256sum {} + | sort'
}

theirs() {
    bed sh "$m" 'find /home -type f -exec sha256sum {} + | sort'
}

leaves_all() {
    wait_until 120 delivered_and_at_rest
    configuration >"$scratch/configuration"
    theirs >"$scratch/theirs"
    install_deb "$m" /root/openclaw-oauth-sync.deb >"$scratch/apt" 2>&1 || {
        cat "$scratch/apt"
        return 1
    }
    cat "$scratch/apt"
    configuration | diff "$scratch/configuration" -
    theirs | diff "$scratch/theirs" -
    all_up "$m"
}

delivered_and_at_rest() {
    [ "$(bed exec "$m" systemctl show -P ActiveState oauth-sync-deliver.service)" = inactive ] &&
        bed sh "$m" '[ -z "$(ls -A /run/oauth-sync/gateway.d)" ]'
}

# What a new rule refuses, each by a part of what is said of it.
sayings=(/etc/oauth-sync/open.conf /etc/oauth-sync/foreign.conf /etc/oauth-sync/hooks.d/planted
    "GATEWAY_COMMAND runs as asroot")

# all_named FILE...: every refusal is in each of them.
all_named() {
    local file saying
    for file in "$@"; do
        for saying in "${sayings[@]}"; do
            grep -qF "$saying" "$file" || {
                echo "$saying is not in:"
                cat "$file"
                return 1
            }
        done
    done
}

listed_at_the_upgrade() {
    all_named "$scratch/apt"
    # with what makes a command root's again that is the user's now
    grep -F 'oauth-sync set --link asroot GATEWAY_COMMAND_USER root' "$scratch/apt"
    # and nothing of what goes on as before
    fails grep -E '/etc/oauth-sync/(claw|plain|unit)\.conf|\((claw|plain|unit|command)\)' "$scratch/apt"
}

named_by_doctor() {
    bed sh "$m" '! oauth-sync doctor' >"$scratch/doctor"
    all_named "$scratch/doctor"
}

critical() {
    bed sh "$m" 'oauth-sync check || exit $(($? == 2 ? 0 : 1))' >"$scratch/check"
    cat "$scratch/check"
    grep '^OAUTH-SYNC CRITICAL' "$scratch/check"
    all_named "$scratch/check"
}

still_work() {
    local before
    before=$(bed exec "$m" docker ps -q --filter label=com.docker.compose.service=openclaw-gateway)
    # shellcheck disable=SC2086 # names, a word each
    each_arrives $kept
    wait_until 60 "gateway_uses $m \$(access_token $m claw)"
    [ "$(bed exec "$m" docker ps -q --filter label=com.docker.compose.service=openclaw-gateway)" != "$before" ]
    wait_until 60 "bed exec $m grep -x command /home/command/as"
}

# As printed, by root; then nothing is refused any more, and what had waited arrives.
commands_help() {
    bed exec "$m" oauth-sync doctor --upgrade --json >"$scratch/findings" || :
    python3 - "$scratch/findings" >"$scratch/commands" <<'PYTHON'
import json, sys
for finding in json.load(open(sys.argv[1]))["findings"]:
    if finding["severity"] != "note":
        print(finding["command"])
PYTHON
    cat "$scratch/commands"
    [ -s "$scratch/commands" ]
    bed sh "$m" "$(cat "$scratch/commands")"
    bed exec "$m" oauth-sync doctor --upgrade
    # shellcheck disable=SC2086 # names, a word each
    each_arrives $refused
    bed sh "$m" 'oauth-sync check; [ $? -lt 2 ]'
}

root_again_where_asked() {
    bed exec "$m" rm -f /var/lib/restarted
    bed exec "$m" oauth-sync set --link asroot GATEWAY_COMMAND_USER root
    each_arrives asroot
    wait_until 60 "bed exec $m test -e /var/lib/restarted"
}

quiet_the_second_time() {
    install_deb "$m" /root/next.deb >"$scratch/apt" 2>&1
    cat "$scratch/apt"
    fails grep -E 'refused|critical' "$scratch/apt"
    all_up "$m"
}

need "the package is built" build_deb
need "a machine with Docker boots" boot_docker trixie
need "1.0.0 is installed beside a gateway in a container" installed_of_before
need "links of every kind are there" linked
need "each of them works under 1.0.0" worked_before
need "the upgrade changes no configuration and no file of a user's" leaves_all
t "it lists what is refused from now on, and nothing else" listed_at_the_upgrade
t "doctor names it" named_by_doctor
t "check is critical about it" critical
t "every other link works as before" still_work
t "a command that was root's is root's again where that is asked for" root_again_where_asked
t "the commands that doctor prints bring the refused links back" commands_help
t "the next upgrade lists nothing" quiet_the_second_time
t "no token is in the journal, in debconf or in the state" no_token_in journal:$m $m:/var/cache/debconf $m:/var/lib/oauth-sync
bed stop $m
finished=yes
