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
kept="claw plain unit manager pasted command asroot"
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

# A container that root recreates; files alone; a unit of the host's and one of the user's own manager; an
# OpenClaw that takes the token itself; commands; and what a new rule is about.
linked() {
    arrives "$m" "$(access_token "$m" claw)"
    bed exec "$m" mv /etc/oauth-sync/default.conf /etc/oauth-sync/claw.conf
    link plain 'SINKS="env"' 'GATEWAY="none"'
    link unit 'SINKS="env"' 'GATEWAY="systemd"'
    link manager 'SINKS="env"' 'GATEWAY="systemd-user"'
    link pasted 'SINKS="paste-token"' 'GATEWAY="none"' 'OPENCLAW_COMMAND="/home/pasted/openclaw"'
    sed_in pasted 's/2026.2.25/2026.9.6/'
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

# sed_in LINK SCRIPT: edits the link's configuration.
sed_in() {
    bed exec "$m" sed -i "$2" "/etc/oauth-sync/$1.conf"
}

# A gateway of the user's own manager, and an OpenClaw that keeps what is pasted.
programs_of_users() {
    bed sh "$m" <<'SCRIPT'
cat >/home/pasted/openclaw <<'OPENCLAW'
#!/bin/sh
# Stands for openclaw's command line: it keeps what is pasted.
case $* in
    --version) echo "OpenClaw 2026.9.6 (stub)" ;;
    *paste-token*) cat >~/.openclaw/pasted ;;
    "models status --json")
        end=$(tail -c 9 ~/.openclaw/pasted)
        echo '{"auth":{"providers":[{"provider":"anthropic","profiles":{"labels":["anthropic:oauth-sync=token:..'"$end"'"]}}]}}'
        ;;
    *) exit 1 ;;
esac
OPENCLAW
chmod 755 /home/pasted/openclaw
loginctl enable-linger manager
units=/home/manager/.config/systemd/user
mkdir -p $units
cat >$units/openclaw-gateway.service <<'UNIT'
[Service]
ExecStart=/bin/sh -c 'sha256sum <.openclaw/.env >uses; exec sleep infinity'
WorkingDirectory=%h
UNIT
touch /home/manager/.openclaw/.env
chown -R pasted: /home/pasted/openclaw
chown -R manager: /home/manager/.config /home/manager/.openclaw
SCRIPT
    wait_until 60 "bed user $m manager systemctl --user start openclaw-gateway.service"
}

# The gateway of the user's own manager was started with what its .env holds now.
manager_is_current() {
    [ "$(bed sh "$m" 'sha256sum </home/manager/.openclaw/.env')" = "$(bed exec "$m" cat /home/manager/uses)" ]
}

# Claude's command line in a container, which renews to what it finds.
claude_in_a_container() {
    bed sh "$m" <<'SCRIPT'
mkdir /root/claude
cd /root/claude
cat >claude <<'CLAUDE'
#!/bin/sh
# Stands for Claude's command line.
cd "$CLAUDE_CONFIG_DIR"
umask 077
printf '{"claudeAiOauth":{"accessToken":"%s","refreshToken":"r2","expiresAt":%s000}}' \
    "$(cat next)" "$(($(date +%s) + 28800))" >new
mv new .credentials.json
CLAUDE
chmod 755 claude
printf 'FROM openclaw:local\nCOPY claude /bin/claude\n' >Dockerfile
docker build --quiet --tag claude .
SCRIPT
    link contained 'SINKS="env"' 'GATEWAY="none"' 'CLAUDE_CLI="container"' 'CLAUDE_CONTAINER="claude"'
    sed_in contained 's/^REFRESH=.*/REFRESH="cli"/'
    bed sh "$m" 'docker run --detach --name claude --user "$(id -u contained):$(id -g contained)" \
        --env CLAUDE_CONFIG_DIR=/home/contained/.claude --volume /home/contained/.claude:/home/contained/.claude claude'
}

# The command line in the container renews a login that is about to end, and the token arrives.
renews_in_the_container() {
    local next
    next=$(canary sk-ant-oat01-)
    bed sh "$m" 'umask 077; echo "$1" >/home/contained/.claude/next; chown contained: /home/contained/.claude/next' "$next"
    sign_in "$m" contained 200
    wait_until 120 "in_step $m contained $next" || {
        bed exec "$m" journalctl --no-pager -n 40 -o cat -u 'oauth-sync*'
        return 1
    }
}

has_strace() {
    bed sh "$m" '
        for try in 1 2 3; do
            if apt-get update -q && apt-get install -y -q --no-install-recommends strace; then break; fi
            [ $try != 3 ]
            sleep $((try * 5))
        done'
}

# 1.0.0 is killed when it puts a new pair into the login: the endpoint's answer waits in its state.
answer_waits() {
    link saved 'SINKS="env"' 'GATEWAY="none"'
    each_arrives saved
    has_strace
    bed sh "$m" 'systemctl stop oauth-sync.service oauth-sync-refresh.timer oauth-sync-refresh.path'
    sed_in saved 's/^REFRESH=.*/REFRESH="api"/'
    sign_in "$m" saved 200
    before_saved=$token
    bed sh "$m" '! strace -f -o /dev/null -P /home/saved/.claude -e trace=rename,renameat,renameat2,linkat \
        -e inject=rename,renameat,renameat2,linkat:signal=KILL oauth-sync refresh --link saved'
    [ "$(access_token "$m" saved)" = "$before_saved" ]
    bed sh "$m" 'grep -q invented-granted- /var/lib/oauth-sync/sources/*.answer'
}

# It is not asked for anew: the refresh token that the login still holds is spent.
answer_is_put_in() {
    wait_until 120 '[[ $(access_token "$m" saved) == *invented-granted-* ]]' || {
        bed exec "$m" journalctl --no-pager -n 40 -o cat -u 'oauth-sync*'
        return 1
    }
    wait_until 60 'in_step "$m" saved "$(access_token "$m" saved)"'
    [ "$(endpoint "$m" refused)" = 0 ]
    bed sh "$m" '! ls /var/lib/oauth-sync/sources/*.answer'
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
    wait_until 60 manager_is_current
    renews_in_the_container
}

configuration() {
    bed sh "$m" 'find /etc/oauth-sync -printf "%p %m %u:%g %l\n" -type f -exec sha256sum {} + | sort'
}

# But for the login whose answer waits.
theirs() {
    bed sh "$m" 'find /home -path /home/saved -prune -o -type f -exec sha256sum {} + | sort'
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
    all_active "$m"
    # a renewal fails by what is refused alone, and says so
    bed exec "$m" systemctl --failed --no-legend --plain >"$scratch/failed"
    fails grep -v '^oauth-sync-renew.service ' "$scratch/failed"
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
    fails grep -E '/etc/oauth-sync/(claw|plain|unit|manager|pasted|contained|saved)\.conf|\((claw|plain|unit|manager|pasted|contained|saved|command)\)' "$scratch/apt"
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
    wait_until 60 manager_is_current
    renews_in_the_container
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
    bed exec "$m" systemctl start oauth-sync-renew.service
    # shellcheck disable=SC2086 # names, a word each
    each_arrives $refused
    bed sh "$m" 'oauth-sync check || [ $? -lt 2 ]'
}

root_again_where_asked() {
    bed exec "$m" rm -f /var/lib/restarted
    bed exec "$m" oauth-sync set --link asroot GATEWAY_COMMAND_USER root
    each_arrives asroot
    wait_until 240 "bed exec $m test -e /var/lib/restarted"
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
need "with the programs of their users" programs_of_users
need "and with Claude's command line in a container" claude_in_a_container
need "each of them works under 1.0.0" worked_before
need "an answer of the token endpoint waits in the state of 1.0.0" answer_waits
need "the upgrade changes no configuration and no file of a user's" leaves_all
t "it lists what is refused from now on, and nothing else" listed_at_the_upgrade
t "doctor names it" named_by_doctor
t "check is critical about it" critical
t "the answer that waited is in the login, and in OpenClaw" answer_is_put_in
t "every other link works as before" still_work
t "a command that was root's is root's again where that is asked for" root_again_where_asked
t "the commands that doctor prints bring the refused links back" commands_help
t "the next upgrade lists nothing" quiet_the_second_time
t "no token is in the journal, in debconf or in the state" no_token_in journal:$m $m:/var/cache/debconf $m:/var/lib/oauth-sync
bed stop $m
finished=yes
