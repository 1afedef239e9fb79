#!/usr/bin/env bash
# Scenario: hosts where the package must not guess: several users, a hostile one, scripts that do the same
# job, and one where login and OpenClaw come later.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/systems/furnish.bash
. "$systems/furnish.bash"

m=hosts

# again: the package as at a first installation.
again() {
    bed exec $m dpkg --purge openclaw-oauth-sync
    bed sh $m '[ ! -e /etc/oauth-sync ] || rm -r /etc/oauth-sync'
    install_deb $m /root/openclaw-oauth-sync.deb >"$scratch/apt" 2>&1
    cat "$scratch/apt"
}

unlinked() {
    bed sh $m '[ ! -e /etc/oauth-sync/default.conf ]'
    all_up $m
}

# Two users, two logins, two instances: each pair is unmistakable, and linked by itself.
two_of_each() {
    local anna bert
    account $m anna
    account $m bert
    sign_in $m anna 28800
    anna=$token
    sign_in $m bert 28800
    bert=$token
    again
    [ "$(bed sh $m 'ls /etc/oauth-sync/*.conf | wc -l')" = 2 ]
    bed sh $m '
        for name in anna bert; do
            grep -l "/home/$name/.claude/" /etc/oauth-sync/*.conf | xargs grep -x "OPENCLAW_STATE_DIR=\"/home/$name/.openclaw\""
        done'
    wait_until 60 "in_step $m anna $anna && in_step $m bert $bert"
    fails bed exec $m grep -rqF "$anna" /home/bert
    fails bed exec $m grep -rqF "$bert" /home/anna
    all_up $m
}

same_answer() {
    bed sh $m '
        root=$({ oauth-sync check || :; } | sed "s/ | .*//")
        user=$({ su anna -c "oauth-sync check" || :; } | sed "s/ | .*//")
        echo "root: $root; user: $user"
        [ "$(echo "$root" | cut -d" " -f2)" = "$(echo "$user" | cut -d" " -f2)" ]'
}

# An ordinary user's monitor gets root's answer, and nothing else of the system's.
ordinary_users_check() {
    # What a part that still runs changes is published at its end.
    wait_until 60 same_answer
    bed sh $m '
        [ "$(stat -c "%U %a" /run/oauth-sync/health.json)" = "root 644" ]
        ! grep -qE "/home|anna|bert|sk-ant" /run/oauth-sync/health.json
        for command in status sync doctor "set REFRESH api" token; do
            said=$(su anna -c "oauth-sync $command" 2>&1) && exit 1
            echo "$said" | grep "permission denied; run it as root$" || exit 1
        done
        echo "CLAUDE_CREDENTALS=/x" >/etc/oauth-sync/broken.conf'
    wait_until 60 "bed exec $m systemctl status oauth-sync.service | grep 'Status: .the configuration has errors'"
    wait_until 60 "bed exec $m su anna -c 'oauth-sync check || :' | grep 'CRITICAL - the configuration has errors'"
    bed sh $m 'status=0
        oauth-sync check || status=$?
        [ $status = 2 ]
        rm /etc/oauth-sync/*.conf'
}

# An administrator links both, each to its own: no token goes across.
both_are_linked() {
    local name anna bert
    for name in anna bert; do
        bed sh $m 'umask 077; cat >/etc/oauth-sync/$1.conf' $name <<CONF
CLAUDE_CREDENTIALS="/home/$name/.claude/.credentials.json"
OPENCLAW_STATE_DIR="/home/$name/.openclaw"
REFRESH="off"
CONF
    done
    sign_in $m anna 28800
    anna=$token
    sign_in $m bert 28800
    bert=$token
    wait_until 60 "in_step $m anna $anna && in_step $m bert $bert"
    fails bed exec $m grep -rqF "$anna" /home/bert
    fails bed exec $m grep -rqF "$bert" /home/anna
    bed sh $m '
        stat -c "%U %a" /home/{anna,bert}/.openclaw/.env | tr "\n" " " | grep -x "anna 600 bert 600 "
        rm /etc/oauth-sync/*.conf'
}

# remove_user USER: as soon as the manager of the user's last session has ended.
remove_user() {
    wait_until 60 "bed exec $m userdel --remove $1"
}

# mallory plants what looks like a better OpenClaw, links to it, and a login that is not his.
planted() {
    bed exec $m dpkg --purge openclaw-oauth-sync
    remove_user bert
    bed sh $m '
        mkdir -p /srv/shared
        chmod 1777 /srv/shared
        useradd --create-home --shell /bin/bash mallory'
    sign_in $m anna 28800
    anna=$token
    bed user $m mallory bash -eu <<'SCRIPT'
chmod 755 ~
mkdir -p ~/.openclaw/credentials ~/.openclaw/state ~/openclaw
echo '{"meta":{"lastTouchedVersion":"2026.2.25"}}' >~/.openclaw/openclaw.json
ln -s /home/anna/.claude ~/.claude
ln -s ~/.openclaw /srv/shared/.openclaw
printf 'services:\n  openclaw-gateway:\n    image: x\n' >~/openclaw/compose.yml
echo OPENCLAW_CONFIG_DIR=/home/anna/.openclaw >~/openclaw/.env
SCRIPT
}

# anna's own pair may be linked; what mallory planted never is, and her token never gets there.
goes_to_anna_alone() {
    planted
    again
    fails bed exec $m grep -rq mallory /etc/oauth-sync
    says "'/home/anna/.openclaw'" bed exec $m oauth-sync detect
    bed sh $m 'grep -x "OPENCLAW_STATE_DIR=\"/home/anna/.openclaw\"" /etc/oauth-sync/default.conf'
    all_up $m
    wait_until 60 "in_step $m anna $anna"
    fails bed exec $m grep -rqF "$anna" /home/mallory /srv
}

# Without an OpenClaw of anna's own, mallory's is the only one: still nothing is linked.
only_mallorys() {
    bed exec $m dpkg --purge openclaw-oauth-sync
    bed exec $m rm -r /home/anna/.openclaw
    again
    unlinked
    says "nothing is linked: the login is uid" bed sh $m '! oauth-sync detect --write --config-dir /root/elsewhere'
    sign_in $m anna 28800
    bed exec $m systemctl start oauth-sync-renew.service
    bed sh $m '[ ! -e /etc/oauth-sync/default.conf ]'
    fails bed exec $m grep -rqF "$token" /home/mallory /srv
}

# What the original leaves on a host.
original() {
    remove_user mallory
    bed sh $m '
        install -m 755 /bin/true /usr/local/bin/sync-oauth-token.sh
        cd /etc/systemd/system
        printf "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n" >sync-oauth-token.service
        printf "[Service]\nExecStart=/bin/true\n" >trigger-claude-refresh.service
        printf "[Timer]\nOnCalendar=*:0/30\n[Install]\nWantedBy=timers.target\n" >trigger-claude-refresh.timer
        mkdir -p /etc/cron.d
        echo "*/30 * * * * anna claude -p ok" >/etc/cron.d/claude
        systemctl daemon-reload
        systemctl enable --now sync-oauth-token.service trigger-claude-refresh.timer'
}

reports_the_original() {
    local line
    original
    again
    bed exec $m oauth-sync detect >"$scratch/detected"
    for line in sync-oauth-token.service trigger-claude-refresh.timer sync-oauth-token.sh /etc/cron.d/claude; do
        grep "^rival .*$line" "$scratch/detected"
    done
    bed exec $m systemctl is-active sync-oauth-token.service trigger-claude-refresh.timer
    bed exec $m systemctl is-enabled sync-oauth-token.service trigger-claude-refresh.timer
    all_up $m
}

switches_it_off_when_asked() {
    bed exec $m oauth-sync detect --switch-off-original
    original_is_off
}

original_is_off() {
    local unit
    for unit in sync-oauth-token.service trigger-claude-refresh.timer; do
        fails bed exec $m systemctl is-active "$unit"
        fails bed exec $m systemctl is-enabled "$unit"
    done
    # nothing of it is deleted, and the cron line is the administrator's
    bed sh $m 'ls /etc/systemd/system/sync-oauth-token.service /usr/local/bin/sync-oauth-token.sh
        grep -q "claude -p" /etc/cron.d/claude'
}

switches_it_off_by_answer() {
    bed exec $m systemctl enable --now sync-oauth-token.service trigger-claude-refresh.timer
    bed exec $m dpkg --purge openclaw-oauth-sync
    bed sh $m 'echo openclaw-oauth-sync openclaw-oauth-sync/switch-off-original boolean true | debconf-set-selections'
    install_deb $m /root/openclaw-oauth-sync.deb
    original_is_off
    all_up $m
}

# The timer's run stands for the hour that passes.
appears_later() {
    bed exec $m dpkg --purge openclaw-oauth-sync
    remove_user anna
    bed exec $m rm -rf /srv/shared
    install_deb $m /root/openclaw-oauth-sync.deb
    unlinked
    bed exec $m systemctl start oauth-sync-renew.service
    unlinked
    account $m claw
    sign_in $m claw 28800
    bed exec $m systemctl start oauth-sync-renew.service
    bed exec $m grep -x 'OPENCLAW_STATE_DIR="/home/claw/.openclaw"' /etc/oauth-sync/default.conf
    wait_until 60 "in_step $m claw $token"
    sign_in $m claw 28800
    wait_until 60 "in_step $m claw $token"
    all_up $m
}

# A preseed that says how, and nothing yet of whom.
half_an_answer_waits() {
    bed exec $m dpkg --purge openclaw-oauth-sync
    bed sh $m '
        rm -r /home/claw/.claude /home/claw/.openclaw
        echo openclaw-oauth-sync openclaw-oauth-sync/refresh select api | debconf-set-selections'
    install_deb $m /root/openclaw-oauth-sync.deb
    bed exec $m grep -x 'REFRESH="api"' /etc/oauth-sync/default.conf
    bed exec $m systemctl start oauth-sync-renew.service
    all_up $m
    account $m dora
    sign_in $m dora 28800
    bed exec $m systemctl start oauth-sync-renew.service
    bed exec $m grep -x 'OPENCLAW_STATE_DIR="/home/dora/.openclaw"' /etc/oauth-sync/default.conf
    bed exec $m grep -x 'REFRESH="api"' /etc/oauth-sync/default.conf
    wait_until 60 "in_step $m dora $token"
}

need "the package is built" build_deb
need "a machine without network boots" bed boot $m trixie -n none
bed push $m "$deb" /root
t "two users with a pair each get a link each" two_of_each
t "an ordinary user may check, with root's answer, and nothing else" ordinary_users_check
t "linked by hand, each gets its own token alone" both_are_linked
t "what a hostile user planted is not linked, and gets no token" goes_to_anna_alone
t "not even where nothing else is there" only_mallorys
t "the original's units, script and cron line are reported and left alone" reports_the_original
t "they are switched off when asked, and nothing is deleted" switches_it_off_when_asked
t "and by a preseeded answer" switches_it_off_by_answer
t "a login and an OpenClaw that appear later are linked by the timer's run" appears_later
t "so they are where a preseed answered half of the questions" half_an_answer_waits
t "no token is in the journal or in what is remembered" no_token_in journal:$m $m:/var/lib/oauth-sync
finished=yes
