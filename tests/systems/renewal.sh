#!/usr/bin/env bash
# Scenario: the units that renew, deliver and tell: a first link that appears by itself, requests in
# quick succession, and runs that fail, none lost and none in haste.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"

root=$(realpath "$systems/../..")
program=${OAUTH_SYNC:-$root/target/debug/oauth-sync}
paths="oauth-sync-refresh.path oauth-sync-gateway.path oauth-sync-notify.path"

prepare() {
    bed push rn "$program" /usr/bin
    bed push rn "$root"/units/*.{service,path,timer} /usr/lib/systemd/system
    bed push rn "$root/units/oauth-sync.tmpfiles" /usr/lib/tmpfiles.d
    bed sh rn <<'SCRIPT'
mv /usr/lib/tmpfiles.d/oauth-sync.tmpfiles /usr/lib/tmpfiles.d/oauth-sync.conf
systemd-tmpfiles --create oauth-sync.conf
mkdir -p /etc/oauth-sync/hooks.d
systemctl daemon-reload
systemctl enable --now oauth-sync.service oauth-sync-refresh.timer
SCRIPT
    paths_live
}

paths_live() {
    local path
    for path in $paths; do
        wait_until 60 "bed exec rn systemctl is-active $path"
    done
}

# What the program itself has said in a unit.
said() {
    bed exec rn journalctl --no-pager -o cat "_SYSTEMD_UNIT=$1"
}

silent_without_a_link() {
    bed exec rn systemctl start oauth-sync-renew.service
    [ -z "$(said oauth-sync-renew.service)" ]
    bed sh rn '[ ! -e /etc/oauth-sync/default.conf ]'
}

# log_in SECONDS: the user's login, whose access token ends then.
log_in() {
    bed sh rn '
        umask 077
        cd /home/claw/.claude
        printf "{\"claudeAiOauth\":{\"accessToken\":\"%s\",\"refreshToken\":\"%s\",\"expiresAt\":%s000,\"scopes\":[\"user:inference\"]}}" \
            "$1" "$2" "$(($(date +%s) + $3))" >new
        chown claw: new
        mv new .credentials.json' "$token" "$(canary sk-ant-ort01-)" "$1"
}

settle_in() {
    bed sh rn '
        useradd --create-home claw
        install -d -o claw -g claw -m 700 /home/claw/.claude /home/claw/.openclaw
        echo "{}" >/home/claw/.openclaw/openclaw.json
        chown -R claw: /home/claw'
    log_in 28800
}

links_by_itself() {
    settle_in
    bed exec rn systemctl start oauth-sync-renew.service
    bed exec rn grep -q '^CLAUDE_CREDENTIALS="/home/claw/.claude/.credentials.json"' /etc/oauth-sync/default.conf
    bed sh rn '[ "$(stat -c %a-%U /etc/oauth-sync/default.conf)" = 600-root ]'
    wait_until 60 "bed exec rn grep -q '$token' /home/claw/.openclaw/.env"
    says 'found and linked' said oauth-sync-renew.service
}

respects_a_deletion() {
    bed sh rn 'mv /etc/oauth-sync/default.conf /root'
    bed exec rn systemctl start oauth-sync-renew.service
    bed sh rn '[ ! -e /etc/oauth-sync/default.conf ]; mv /root/default.conf /etc/oauth-sync'
}

hooks_stay_out_of_reach() {
    bed sh rn <<'SCRIPT'
mkdir -p /run/systemd/system/oauth-sync-renew.service.d
cat >/run/systemd/system/oauth-sync-renew.service.d/try.conf <<'CONF'
[Service]
ExecStart=
ExecStart=/bin/sh -c 'touch /etc/oauth-sync/made && rm /etc/oauth-sync/made && ! touch /etc/oauth-sync/hooks.d/made && ! touch /etc/made'
CONF
systemctl daemon-reload
systemctl start oauth-sync-renew.service
rm -r /run/systemd/system/oauth-sync-renew.service.d
systemctl daemon-reload
SCRIPT
}

# The watcher asks, the path unit starts, and the good link is tried whatever is wrong with another.
asks_and_tries() {
    bed sh rn '
        echo "NO_SUCH_KEY=1" >/etc/oauth-sync/bad.conf
        printf "REFRESH=\"api\"\nTOKEN_URL=\"https://127.0.0.1:9/v1/oauth/token\"\n" >>/etc/oauth-sync/default.conf'
    log_in 3600
    wait_until 60 "said oauth-sync-renew.service | grep 'not renewed yet: cannot reach the token endpoint at 127.0.0.1:9'"
    said oauth-sync-renew.service | grep "bad.conf:1: unknown key 'NO_SUCH_KEY'"
    wait_until 60 "[ \"\$(bed exec rn systemctl show -P ExecMainStatus oauth-sync-renew.service)\" = 2 ]"
    bed sh rn 'rm /etc/oauth-sync/bad.conf'
    bed exec rn systemctl start oauth-sync-renew.service
    wait_until 60 queues_are_empty
    paths_live
}

# request QUEUE NAME TEXT: as the program leaves one, by rename.
request() {
    bed sh rn 'cd /run/oauth-sync && printf %s "$3" >"new-$2" && mv "new-$2" "$1/$2"' "$@"
}

queues_are_empty() {
    bed sh rn 'cd /run/oauth-sync && [ -z "$(ls refresh.d gateway.d notify.d | grep -v ":$" | grep .)" ]'
}

# Each run takes two seconds, so that requests come before, during and after one.
answers_ten_in_four_seconds() {
    bed sh rn <<'SCRIPT'
mkdir -p /run/systemd/system/oauth-sync-renew.service.d
printf '[Service]\nExecStartPost=/bin/sleep 2\n' >/run/systemd/system/oauth-sync-renew.service.d/slow.conf
systemctl daemon-reload
for number in 1 2 3 4 5 6 7 8 9 10; do
    cut -d " " -f 1 /proc/uptime >/run/asked
    touch "/run/oauth-sync/new" && mv /run/oauth-sync/new "/run/oauth-sync/refresh.d/$number"
    sleep 0.4
done
SCRIPT
    wait_until 60 queues_are_empty
    wait_until 60 "[ \"\$(bed exec rn systemctl show -P ActiveState oauth-sync-renew.service)\" = inactive ]"
    paths_live
    # the last run was still at work, or began, after the last request
    bed sh rn <<'SCRIPT'
rm -r /run/systemd/system/oauth-sync-renew.service.d
systemctl daemon-reload
ended=$(systemctl show -P ExecMainExitTimestampMonotonic oauth-sync-renew.service)
awk -v ended="$ended" '{ exit !(ended / 1e6 >= $1) }' /run/asked
SCRIPT
}

starts() {
    bed exec rn journalctl --no-pager -o cat "UNIT=$1" JOB_TYPE=start JOB_RESULT=failed -n all | grep -c . || :
}

# What the three need in the state directory is in the way: they fail, each after its own request.
fails_without_haste() {
    local unit before after
    bed sh rn 'cd /var/lib/oauth-sync && systemctl stop oauth-sync && mv links away && touch links
        systemctl start oauth-sync-refresh.path oauth-sync-gateway.path oauth-sync-notify.path'
    for unit in renew deliver tell; do
        starts "oauth-sync-$unit.service"
    done >"$scratch/before"
    request refresh.d one ""
    request gateway.d default.json '{"link":"default","sinks":[],"fingerprint":null,"old_expiry":null,"time":1}'
    request notify.d 1.json '{"name":"renewed","link":"default","message":"m","severity":"info","expires_at":null,"for_people":false}'
    for unit in renew deliver tell; do
        wait_until 60 "[ \"\$(bed exec rn systemctl show -P Result oauth-sync-$unit.service)\" = exit-code ]"
    done
    # long enough for a hundred runs in a hurry
    sleep 8
    for unit in renew deliver tell; do
        starts "oauth-sync-$unit.service"
    done >"$scratch/after"
    cat "$scratch/before" "$scratch/after"
    paste "$scratch/before" "$scratch/after" | while read -r before after; do
        [ "$after" -gt "$before" ] && [ "$after" -le $((before + 2)) ] || exit 1
    done
    paths_live
}

recovers() {
    bed sh rn 'cd /var/lib/oauth-sync && rm links && mv away links && systemctl start oauth-sync'
    request refresh.d two ""
    wait_until 180 queues_are_empty
    for unit in renew deliver tell; do
        wait_until 60 "[ \"\$(bed exec rn systemctl show -P Result oauth-sync-$unit.service)\" = success ]"
    done
    paths_live
}

need "a machine boots" bed boot rn trixie
need "the units are up" prepare
t "where nothing can be linked the timer's run is silent" silent_without_a_link
token=$(canary sk-ant-oat01-)
t "a login and an OpenClaw that appear are linked by it, and watched" links_by_itself
t "a link that was deleted stays deleted" respects_a_deletion
t "of the configuration it can write links, not hooks" hooks_stay_out_of_reach
t "a login that is due is asked for and tried, beside a link with faults" asks_and_tries
t "ten requests in four seconds, before, during and after a run, are answered" answers_ten_in_four_seconds
t "runs that fail are not started again and again, and the path units live" fails_without_haste
t "once it is mended every request is answered" recovers
t "no token is in the journal, the arguments and what is remembered" \
    no_token_in journal:rn argv:rn rn:/var/lib/oauth-sync
finished=yes
