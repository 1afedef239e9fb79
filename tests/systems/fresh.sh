#!/usr/bin/env bash
# Scenario: the package is installed on a host with a Claude login and an OpenClaw in a container, and
# everything works from there on: rotations, renewals by path and by timer, an upgrade in their midst.
# shellcheck disable=SC2016,SC2086 # single-quoted scripts expand inside the machine, whose name is a plain word
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/systems/furnish.bash
. "$systems/furnish.bash"

# Its input is at its end: a question would fail.
installs_unasked() {
    install_deb $m /root/openclaw-oauth-sync.deb >"$scratch/apt"
    fails grep -i 'configuring openclaw-oauth-sync' "$scratch/apt"
    # an asterisk marks what was asked
    fails bed sh $m 'debconf-show openclaw-oauth-sync | grep "^\*"'
    all_up $m
}

linked() {
    bed exec $m grep -v -e '^#' -e '^$' /etc/oauth-sync/default.conf | diff - /dev/fd/3 3<<'CONF'
CLAUDE_CREDENTIALS="/home/claw/.claude/.credentials.json"
OPENCLAW_STATE_DIR="/home/claw/.openclaw"
COMPOSE_DIR="/home/claw/openclaw"
COMPOSE_SERVICE="openclaw-gateway"
CONF
    bed sh $m '[ "$(stat -c "%a %U" /etc/oauth-sync/default.conf)" = "600 root" ]'
}

rotates() {
    local gateway other
    gateway=$(container $m openclaw-gateway)
    other=$(container $m other)
    sign_in $m claw 28800
    arrives $m "$token"
    [ "$(container $m openclaw-gateway)" != "$gateway" ]
    [ "$(container $m other)" = "$other" ]
}

# By the time stamps of the files themselves, in the fastest of a few rotations: what a busy machine
# does to one of them says nothing about the program.
within_a_second() {
    local try
    for try in 1 2 3 4 5; do
        ! carried_within_a_second || return 0
        echo "rotation $try was slower"
        sign_in $m claw 28800
        arrives $m "$token"
    done
    carried_within_a_second
}

carried_within_a_second() {
    bed sh $m '
        for sink in .openclaw/credentials/oauth.json openclaw/.env; do
            stat -c "%.Y" /home/claw/.claude/.credentials.json "/home/claw/$sink" | tr "\n" " " |
                awk -v sink="$sink" "{ print sink, \$2 - \$1; exit !(\$2 - \$1 >= 0 && \$2 - \$1 < 1) }" || exit 1
        done'
}

renews_by_path() {
    sign_in $m claw 1200
    renewed_from $m "$token"
    granted $m 1
    bed sh $m 'journalctl -u oauth-sync-refresh.path -u oauth-sync-renew.service --no-pager'
}

# With the watcher away nobody queues anything: what starts the renewal is the timer.
renews_by_timer() {
    bed exec $m systemctl stop oauth-sync.service oauth-sync-refresh.path
    sign_in $m claw 1200
    bed sh $m '
        mkdir /run/systemd/system/oauth-sync-refresh.timer.d
        printf "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms\n" \
            >/run/systemd/system/oauth-sync-refresh.timer.d/soon.conf
        systemctl daemon-reload
        systemctl restart oauth-sync-refresh.timer'
    renewed_from $m "$token"
    granted $m 2
    bed sh $m '
        rm -r /run/systemd/system/oauth-sync-refresh.timer.d
        systemctl daemon-reload
        systemctl restart oauth-sync-refresh.timer oauth-sync.service'
    all_up $m
}

# The answer is held until the upgrade is over: dpkg alone, as the renewal waits for it no longer than 30 s.
upgrade_waits_for_the_renewal() {
    local before asked renewal watcher
    asked=$(endpoint $m requests)
    endpoint $m hold
    sign_in $m claw 1200
    before=$token
    # the watcher asks at most once a minute
    bed exec $m systemctl start --no-block oauth-sync-renew.service
    wait_until 60 "[ \$(endpoint $m requests) -gt $asked ]"
    renewal=$(bed exec $m systemctl show -P MainPID oauth-sync-renew.service)
    watcher=$(bed exec $m systemctl show -P MainPID oauth-sync.service)
    [ "$renewal" != 0 ]
    bed exec $m env DEBIAN_FRONTEND=noninteractive dpkg -i /root/next.deb
    # it was granted, and the answer is still on its way
    [ "$(access_token $m claw)" = "$before" ]
    [ "$(bed exec $m systemctl show -P MainPID oauth-sync-renew.service)" = "$renewal" ]
    [ "$(bed exec $m systemctl show -P MainPID oauth-sync.service)" != "$watcher" ]
    endpoint $m release
    renewed_from $m "$before"
    granted $m 3
    all_up $m
}

tells_the_story() {
    local line
    bed exec $m journalctl --no-pager -o cat -u 'oauth-sync*' >"$scratch/story"
    for line in "was renewed by method 'api'" 'oauth-json .* holds the new token' 'was recreated'; do
        grep "$line" "$scratch/story"
    done
}

# The fields that monitoring.md names, of the message that the login of now is in a sink.
has_the_fields() {
    local ends field
    ends=$(bed sh $m 'date -u +%FT%TZ -d "@$(sed "s/.*\"expiresAt\": *\([0-9]*\)[0-9]\{3\}.*/\1/" /home/claw/.claude/.credentials.json)"')
    bed exec $m journalctl --sync
    bed exec $m journalctl --no-pager -o json LINK=default SINK=oauth-json "EXPIRY=$ends" | tail -n 1 >"$scratch/entry"
    cat "$scratch/entry"
    for field in '"LINK":"default"' '"SINK":"oauth-json"' '"STATE":"up to date"' "\"EXPIRY\":\"$ends\"" \
        "holds the new token [0-9a-f]*, which ends at $ends\""; do
        grep -q -- "$field" "$scratch/entry"
    done
}

keeps_its_secrets() {
    spy $m spied_rotation
    # the spy saw what matters: the renewal, and compose with the gateway at work
    bed exec $m grep -qx '/proc/[0-9]*/cmdline:refresh' /run/seen
    bed exec $m grep -qx '/proc/[0-9]*/cmdline:--force-recreate' /run/seen
    bed exec $m grep -q '^/run/oauth-sync/' /run/seen
    bed exec $m grep -q 'environ:INVOCATION_ID=' /run/seen
    no_token_in journal:$m argv:$m $m:/run/seen $m:/var/lib/oauth-sync $m:/var/cache/debconf
}

spied_rotation() {
    local before try
    endpoint $m hold
    sign_in $m claw 1200
    before=$token
    # the watcher asks at most once a minute
    bed exec $m systemctl start --no-block oauth-sync-renew.service
    # the answer comes when the spy has looked at the one who waits for it
    wait_until 60 "spied refresh"
    endpoint $m release
    renewed_from $m "$before"
    # the spy looks as often as a busy machine lets it
    for try in 1 2 3 4 5; do
        ! spied --force-recreate || return 0
        echo "the spy missed recreation $try"
        sign_in $m claw 28800
        arrives $m "$token"
    done
}

# spied WORD: holds if a process with this argument was seen.
spied() {
    bed exec $m grep -qx -e "/proc/[0-9]*/cmdline:$1" /run/seen
}

life() {
    need "$1: a login, a gateway in a container and a token endpoint are there" gateway_host $m
    local of_before
    of_before=$(access_token $m claw)
    need "$1: apt installs it with no question, and all units are up" installs_unasked
    t "$1: the link is written, root's and closed" linked
    t "$1: the login of before is in the sinks and the gateway" arrives $m "$of_before"
    t "$1: a rotation is in the sinks and a recreated gateway, and nothing else is recreated" rotates
    t "$1: the sinks were new within a second" within_a_second
    t "$1: a due login is renewed through the path unit, and arrives" renews_by_path
    t "$1: with watcher and path unit away the timer does it, and it arrives" renews_by_timer
    t "$1: an upgrade leaves a renewal in flight alone, and it ends well" upgrade_waits_for_the_renewal
    t "$1: the journal tells the story" tells_the_story
    t "$1: its messages have the fields that monitoring.md names" has_the_fields
    t "$1: no token is in journal, arguments, environments, state, run folder or debconf" keeps_its_secrets
}

need "the package is built" build_deb
on_each_system life
finished=yes
