#!/usr/bin/env bash
# Scenario: the chain from the login to the gateway, with everything in the way: parts stopped and killed,
# bursts, a reboot, a clock that was wrong. In the end all is in step, and no token was spent twice.
# shellcheck disable=SC2016,SC2086 # single-quoted scripts expand inside the machine, whose name is a plain word
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/systems/furnish.bash
. "$systems/furnish.bash"

installed() {
    gateway_host $m
    install_deb $m /root/openclaw-oauth-sync.deb
    all_up $m
    arrives $m "$(access_token $m claw)"
}

catches_up() {
    bed exec $m systemctl stop oauth-sync.service
    sign_in $m claw 28800
    sign_in $m claw 28800
    bed exec $m systemctl start oauth-sync.service
    arrives $m "$token"
}

comes_back() {
    local before
    before=$(bed exec $m systemctl show -P MainPID oauth-sync.service)
    bed exec $m systemctl kill --signal=KILL oauth-sync.service
    sign_in $m claw 28800
    arrives $m "$token"
    [ "$(bed exec $m systemctl show -P MainPID oauth-sync.service)" != "$before" ]
    all_up $m
}

# The endpoint has the request and grants nothing; the run that asked is killed, and another one asks.
survives_a_killed_renewal() {
    local asked before
    asked=$(endpoint $m requests)
    endpoint $m hang
    sign_in $m claw 1200
    before=$token
    # the watcher asks at most once a minute
    bed exec $m systemctl start --no-block oauth-sync-renew.service
    wait_until 60 "[ \$(endpoint $m requests) -gt $asked ]"
    bed exec $m systemctl kill --signal=KILL oauth-sync-renew.service
    [ "$(access_token $m claw)" = "$before" ]
    renewed_from $m "$before"
    granted $m 1
}

# Killed in the middle of bringing the gateway to the new token.
survives_a_killed_delivery() {
    sign_in $m claw 28800
    wait_until 60 "[ \"\$(bed exec $m systemctl show -P ActiveState oauth-sync-deliver.service)\" = activating ]"
    bed exec $m systemctl kill --signal=KILL oauth-sync-deliver.service
    wait_until 180 "in_step $m claw $token && gateway_uses $m $token"
}

# Stopped in the middle of it, as by a removal of the package: OpenClaw is not left without a gateway.
ends_what_it_began() {
    local gateway
    gateway=$(container $m openclaw-gateway)
    sign_in $m claw 28800
    wait_until 60 "[ \"\$(container $m openclaw-gateway)\" != $gateway ]"
    bed exec $m systemctl stop oauth-sync-deliver.service
    gateway_uses $m "$token"
    all_up $m
}

# Stopped while it waits for a burst to end.
waits_no_longer_than_asked() {
    sign_in $m claw 28800
    wait_until 60 "[ \"\$(bed exec $m systemctl show -P ActiveState oauth-sync-deliver.service)\" = activating ]"
    bed exec $m systemctl stop oauth-sync-deliver.service
    all_up $m
    bed exec $m systemctl start oauth-sync-deliver.service
    arrives $m "$token"
}

recreations() {
    bed sh $m 'journalctl --no-pager -o cat --since "@$(cat /run/begun)" -u oauth-sync-deliver.service | grep -c "was recreated" || :'
}

ten_in_five_seconds() {
    local tokens=() recreated
    while [ ${#tokens[@]} -lt 20 ]; do
        tokens+=("$(canary sk-ant-oat01-)" "$(canary sk-ant-ort01-)")
    done
    token=${tokens[18]}
    endpoint $m "accept ${tokens[19]}"
    bed exec $m sh -c 'date +%s >/run/begun'
    bed sh $m '
        cd /home/claw/.claude
        umask 077
        while [ $# -gt 0 ]; do
            printf "{\"claudeAiOauth\":{\"accessToken\":\"%s\",\"refreshToken\":\"%s\",\"expiresAt\":%s000,\"scopes\":[\"user:inference\"]}}" \
                "$1" "$2" "$(($(date +%s) + 28800))" >new
            chown claw: new
            mv new .credentials.json
            shift 2
            sleep 0.5
        done' "${tokens[@]}"
    arrives $m "$token"
    # The gateway has the token a moment before its delivery says so.
    wait_until 60 "[ \"\$(recreations)\" -gt 0 ]"
    recreated=$(recreations)
    echo "$recreated recreations"
    [ "$recreated" -le 5 ]
    all_up $m
}

# The new token comes while the machine goes down, and nothing of /run comes back.
survives_a_reboot() {
    sign_in $m claw 28800
    bed reboot $m
    all_up $m
    wait_until 60 "in_step $m claw $token && gateway_uses $m $token"
    # what was granted before is not forgotten by the endpoint
    [ "$(endpoint $m granted)" = 1 ]
}

# The renewal of a login that was due while the machine was off.
renews_after_a_night_off() {
    sign_in $m claw 1200
    bed exec $m systemctl start oauth-sync-renew.service
    renewed_from $m "$token"
    granted $m 2
}

# A login of a clock that was two days ahead, and one of the right clock after it.
clock_stepped_back() {
    sign_in $m claw $((2 * 86400 + 28800))
    wait_until 60 "in_step $m claw $token"
    sign_in $m claw 28800
    arrives $m "$token"
}

in_step_at_the_end() {
    all_up $m
    arrives $m "$(access_token $m claw)"
    granted $m 2
    bed exec $m oauth-sync status
    wait_until 60 "bed exec $m oauth-sync check"
    bed sh $m '[ -z "$(ls /run/oauth-sync/refresh.d /run/oauth-sync/gateway.d | grep -v ":$" | grep .)" ]'
}

life() {
    need "$1: a chain from a login to a gateway works" installed
    t "$1: what changed while the watcher was stopped is caught up with" catches_up
    t "$1: a killed watcher comes back, and nothing is lost" comes_back
    t "$1: a renewal killed in flight is made by the next run, and nothing is spent twice" survives_a_killed_renewal
    t "$1: a killed delivery is made by the next run" survives_a_killed_delivery
    t "$1: a delivery that is stopped ends what it has begun, and is not failed" ends_what_it_began
    t "$1: one that waits for more is stopped at once, and made later" waits_no_longer_than_asked
    t "$1: of ten rotations in five seconds the last one arrives, in five recreations at most" ten_in_five_seconds
    t "$1: a rotation while the machine goes down arrives after the reboot" survives_a_reboot
    t "$1: what is due then is renewed" renews_after_a_night_off
    t "$1: a login of a clock that was ahead does not keep the next one away" clock_stepped_back
    t "$1: in the end all is in step, nothing waits, no path unit is dead, no token was spent twice" in_step_at_the_end
    t "$1: no token is in the journal or in what is remembered" no_token_in journal:$m $m:/var/lib/oauth-sync
}

need "the package is built" build_deb
on_each_system life
finished=yes
