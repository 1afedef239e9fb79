#!/usr/bin/env bash
# Scenario: what is asked and what is found, with debconf, the detection and the units all real: one
# machine, on which the package is installed in every way, and purged without a trace each time.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/packages-lib.sh
. "$(dirname "$0")/packages-lib.sh"

m=answers
package=openclaw-oauth-sync
claw=/home/claw
store=$claw/.openclaw/agents/main/agent/auth-profiles.json
screen=oauth-sync-$$

# A user with a login and an OpenClaw of before 2026.6, in which a profile lives.
inhabit() {
    furnish "$m"
    # of later; an account leaves traces of its own
    bed sh "$m" 'for user in other evil; do useradd --create-home --home-dir /srv/$user --skel /nowhere $user; done'
    bed sh "$m" '
        cd /home/claw/.openclaw
        echo "{\"meta\":{\"lastTouchedVersion\":\"2026.2.25\"}}" >openclaw.json
        mkdir -p agents/main/agent
        printf "{\"version\":1,\"profiles\":{\"anthropic:default\":{\"type\":\"token\",\"provider\":\"anthropic\",\"token\":\"%s\",\"expires\":%s000}}}" \
            "$1" "$(($(date +%s) + 7200))" >agents/main/agent/auth-profiles.json
        chown -R claw: .' "$(canary sk-ant-oat01-)"
}

lives_in_store() {
    rotate "$m"
    wait_until 60 "bed exec $m grep -q '$token' $store"
}

# What is Claude's and OpenClaw's, but for the stores that are ours to write.
theirs() {
    bed sh "$m" 'find /home -type f ! -name auth-profiles.json ! -name oauth.json -exec sha256sum {} + | sort'
}

keys() {
    bed sh "$m" 'grep -v "^#" /etc/oauth-sync/default.conf'
}

purge_leaves_nothing() {
    theirs >"$scratch/theirs"
    bed sh "$m" 'find /home -type f -exec sha256sum {} + | sort' >"$scratch/all"
    bed exec "$m" env DEBIAN_FRONTEND=noninteractive apt-get purge -y $package
    bed sh "$m" 'find /home -type f -exec sha256sum {} + | sort' | diff "$scratch/all" -
    bed sh "$m" '[ ! -e /etc/oauth-sync ] && ! grep -q oauth-sync /var/cache/debconf/*.dat'
    bed left "$m" | grep -v -e '^clean$' -e /home/claw/.openclaw >"$scratch/left" || :
    diff /dev/null "$scratch/left"
}

finds_by_itself() {
    theirs >"$scratch/theirs"
    installs "$m"
    diff - <(keys) <<CONF
CLAUDE_CREDENTIALS="$claw/.claude/.credentials.json"
OPENCLAW_STATE_DIR="$claw/.openclaw"
CONF
    theirs | diff "$scratch/theirs" -
    lives_in_store
    # in the fastest of a few tries: the machine has other work too
    bed sh "$m" '
        for try in 1 2 3 4 5 6; do
            begun=$(date +%s%N)
            oauth-sync detect >/dev/null
            [ $(($(date +%s%N) - begun)) -ge 2000000000 ] || exit 0
        done
        exit 1'
}

preseeded() {
    bed sh "$m" 'debconf-set-selections' <<SELECTIONS
$package $package/claude-credentials string $claw/.claude/.credentials.json
$package $package/openclaw-state-dir string $claw/.openclaw
$package $package/refresh select api cli
$package $package/claude-cli select none
$package $package/notify-webhook password https://chat.example.org/hooks/canary-of-the-webhook
SELECTIONS
    installs "$m"
    diff - <(keys) <<CONF
CLAUDE_CREDENTIALS="$claw/.claude/.credentials.json"
OPENCLAW_STATE_DIR="$claw/.openclaw"
CLAUDE_CLI="none"
REFRESH="api cli"
NOTIFY_WEBHOOK="https://chat.example.org/hooks/canary-of-the-webhook"
CONF
    fails bed exec "$m" grep -rq canary-of-the-webhook /var/cache/debconf
    bed sh "$m" '[ "$(stat -c %a:%U /etc/oauth-sync/default.conf)" = 600:root ]'
    lives_in_store
}

on_screen() {
    tmux -L "$screen" capture-pane -p -t dialog >"$scratch/screen"
    cat "$scratch/screen"
    grep -qF -- "$1" <<<"$(tr -s ' \n' ' ' <"$scratch/screen")"
}

# shows TEXT: waits until the dialog has it on its screen.
shows() {
    wait_until 60 "on_screen $(printf %q "$1")"
}

press() {
    tmux -L "$screen" send-keys -t dialog "$@"
}

asked_in_a_dialog() {
    local bed_of_all
    bed_of_all=$(printf '%q ' "$systems/bed" exec "$m" env TERM=screen DEBIAN_FRONTEND=dialog \
        DEBIAN_PRIORITY=low apt-get install -y --no-install-recommends /root/openclaw-oauth-sync.deb)
    tmux -L "$screen" -f /dev/null new-session -d -x 100 -y 40 -s dialog \
        "TERM=screen $bed_of_all; echo it ended with \$?; read -r _"
    shows "Claude's credentials file:"
    # what was found is suggested
    shows "$claw/.claude/.credentials.json"
    press Enter
    shows "OpenClaw's state directory:" && shows "$claw/.openclaw" && press Enter
    shows "Directory of OpenClaw's compose project:" && press Enter
    shows "Compose service of OpenClaw's gateway:" && press -l gateway && press Enter
    shows "File of OpenClaw's environment:" && press Enter
    shows "Where the Claude CLI runs:" && press Down Down Enter
    shows "Methods of renewal:" && press Down Down Down Down Down Enter
    shows "Webhook for messages to a person:" && press Enter
    shows "Container of the Claude CLI:" && press -l box && press Enter
    shows "it ended with 0"
    diff - <(keys) <<CONF
CLAUDE_CREDENTIALS="$claw/.claude/.credentials.json"
OPENCLAW_STATE_DIR="$claw/.openclaw"
COMPOSE_SERVICE="gateway"
CLAUDE_CLI="container"
CLAUDE_CONTAINER="box"
REFRESH="off"
CONF
    all_up "$m"
    lives_in_store
}

# answer QUESTION VALUE: reconfigures as a person would who changes this one answer in an editor.
answer() {
    bed sh "$m" 'cat >/root/answer; chmod 700 /root/answer' <<SCRIPT
#!/bin/sh
sed -i 's,^$package/$1=.*,$package/$1="$2",' "\$1"
SCRIPT
    bed exec "$m" env EDITOR=/root/answer dpkg-reconfigure -f editor -p low $package
    bed exec "$m" rm /root/answer
}

# changes QUESTION KEY VALUE: holds if the answer changes the value of this key and no other byte.
changes() {
    bed exec "$m" cat /etc/oauth-sync/default.conf >"$scratch/before"
    answer "$1" "$3"
    bed exec "$m" cat /etc/oauth-sync/default.conf >"$scratch/after"
    grep -q "^ *$2 *= *\"$3\"" "$scratch/after"
    diff <(grep -v "^ *$2 *=" "$scratch/before") <(grep -v "^ *$2 *=" "$scratch/after")
    bed exec "$m" systemctl is-active oauth-sync.service
}

written_by_the_admin() {
    bed sh "$m" 'cat >/etc/oauth-sync/default.conf' <<'CONF'
# the admin's own words
 CLAUDE_CREDENTIALS = "/home/claw/.claude/.credentials.json"   # and spaces
OPENCLAW_STATE_DIR="/home/claw/.openclaw"
OPENCLAW_VERSION=2026.2.25	# set by hand
SINKS='oauth-json env'
ENV_FILE="/home/claw/.openclaw/.env"

REFRESH="off"
GATEWAY="none"
CONF
    bed sh "$m" '
        for folder in other .second .third; do mkdir -p "/home/claw/$folder/credentials"; done
        cd /home/claw
        for file in .openclaw/.env .second/.env .third/.env; do echo ANTHROPIC_OAUTH_TOKEN=old >$file; done
        for folder in .openclaw .second; do echo "{}" >$folder/credentials/oauth.json; done
        chown -R claw: .'
}

# brought_to FILE: holds if a rotation is in it within moments.
brought_to() {
    rotate "$m"
    wait_until 60 "bed exec $m grep -q '$token' $1"
}

follows_a_changed_path() {
    brought_to $claw/.openclaw/.env
    changes env-file ENV_FILE $claw/.third/.env
    brought_to $claw/.third/.env
    changes openclaw-state-dir OPENCLAW_STATE_DIR $claw/.second
    brought_to $claw/.second/credentials/oauth.json
    bed exec "$m" mv $claw/.claude/.credentials.json $claw/other/login.json
    changes claude-credentials CLAUDE_CREDENTIALS $claw/other/login.json
    token=$(canary sk-ant-oat01-)
    bed sh "$m" 'cd /home/claw/other; sed "s/sk-ant-oat01-[^\"]*/$1/; s/\"expiresAt\":[0-9]*/\"expiresAt\":$(($(date +%s) + 28800))000/" login.json >new
        chown claw: new; chmod 600 new; mv new login.json' "$token"
    wait_until 60 "bed exec $m grep -q '$token' $claw/.second/credentials/oauth.json"
    bed exec "$m" mv $claw/other/login.json $claw/.claude/.credentials.json
    changes claude-credentials CLAUDE_CREDENTIALS $claw/.claude/.credentials.json
    changes openclaw-state-dir OPENCLAW_STATE_DIR $claw/.openclaw
}

every_other_answer() {
    changes compose-dir COMPOSE_DIR $claw/oc
    changes compose-service COMPOSE_SERVICE other-gateway
    changes refresh REFRESH api
    changes claude-cli CLAUDE_CLI none
    answer claude-cli automatic
    fails bed exec "$m" grep -q CLAUDE_CLI= /etc/oauth-sync/default.conf
    bed sh "$m" 'sed -i "s/^CLAUDE_C.*//" /etc/oauth-sync/default.conf; echo "CLAUDE_CLI=container" >>/etc/oauth-sync/default.conf'
    changes claude-container CLAUDE_CONTAINER box
    changes notify-webhook NOTIFY_WEBHOOK https://chat.example.org/hooks/canary-of-the-webhook
    # not answered: it stays, and is nowhere else
    changes refresh REFRESH cli
    bed exec "$m" grep -q canary-of-the-webhook /etc/oauth-sync/default.conf
    fails bed exec "$m" grep -rq canary-of-the-webhook /var/cache/debconf /var/log
    answer notify-webhook none
    fails bed exec "$m" grep -q NOTIFY_WEBHOOK= /etc/oauth-sync/default.conf
    bed exec "$m" grep -q "the admin's own words" /etc/oauth-sync/default.conf
}

# The units of the scripts that did this before, enabled and running.
with_the_original() {
    bed sh "$m" <<'SCRIPT'
printf '[Service]\nExecStart=/bin/sleep inf\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/sync-oauth-token.service
printf '[Service]\nExecStart=/bin/true\n' >/etc/systemd/system/trigger-claude-refresh.service
printf '[Timer]\nOnActiveSec=1h\n[Install]\nWantedBy=timers.target\n' >/etc/systemd/system/trigger-claude-refresh.timer
systemctl daemon-reload
systemctl enable --now sync-oauth-token.service trigger-claude-refresh.timer
SCRIPT
}

originals_stay_unless_told() {
    with_the_original
    installs "$m"
    bed exec "$m" systemctl is-active sync-oauth-token.service trigger-claude-refresh.timer
    says "rival     unit of the original: /etc/systemd/system/sync-oauth-token.service" bed exec "$m" oauth-sync detect
    answer switch-off-original yes
    fails bed exec "$m" systemctl is-active sync-oauth-token.service
    fails bed exec "$m" systemctl is-active trigger-claude-refresh.timer
    fails bed exec "$m" systemctl is-enabled sync-oauth-token.service
    bed exec "$m" test -e /etc/systemd/system/sync-oauth-token.service
    lives_in_store
    bed sh "$m" 'rm /etc/systemd/system/*-oauth-token.service /etc/systemd/system/trigger-claude-refresh.*; systemctl daemon-reload'
}

# Another user with a login and an OpenClaw as good, and one who planted ways to both.
with_others() {
    bed sh "$m" <<'SCRIPT'
cp -a /home/claw/.claude /home/claw/.openclaw /srv/other/
chown -R other: /srv/other
cd /srv/evil
ln -s /srv/other/.claude .claude
ln -s /home/claw/.openclaw .openclaw
mkdir -p .openclaw-x && echo '{}' >.openclaw-x/openclaw.json
chown -hR evil: .
SCRIPT
}

two_equal_ones_get_a_link_each() {
    with_others
    says "the OpenClaw in '/srv/evil/.openclaw-x' is not linked: " install_deb "$m" /root/openclaw-oauth-sync.deb
    all_up "$m"
    bed sh "$m" '[ "$(ls /etc/oauth-sync/*.conf | wc -l)" = 2 ] && ! grep -r /srv/evil /etc/oauth-sync'
    lives_in_store
    fails bed exec "$m" grep -rq "$token" /srv
    bed sh "$m" 'rm -r /srv/*/.claude /srv/*/.openclaw*'
}

# As an image is built: nothing of systemd runs, and the next boot brings all up.
installed_without_systemd() {
    local tree
    bed off "$m"
    tree=$(bed root "$m")
    chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends /root/openclaw-oauth-sync.deb
    grep -qx "CLAUDE_CREDENTIALS=\"$claw/.claude/.credentials.json\"" "$tree/etc/oauth-sync/default.conf"
    bed on "$m"
    all_up "$m"
    lives_in_store
}

purged_without_systemd() {
    local tree
    bed off "$m"
    tree=$(bed root "$m")
    chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        apt-get purge -y $package
    bed on "$m"
    bed left "$m" | grep -v -e '^clean$' -e /home/claw/.openclaw -e /var/tmp/systemd-private >"$scratch/left" || :
    diff /dev/null "$scratch/left"
}

# An OpenClaw of 2026.9 whose openclaw.json has comments; its program keeps what it is given to paste.
with_comments() {
    bed sh "$m" <<'SCRIPT'
rm -r /home/claw/.openclaw
mkdir -p /home/claw/.openclaw/bin
cd /home/claw/.openclaw
printf '// mine\n{ meta: { lastTouchedVersion: "2026.9.6" } }\n' >openclaw.json
cat >bin/openclaw <<'PROGRAM'
#!/bin/sh
case "$*" in
    --version) echo 2026.9.6 ;;
    *paste-token*) cat >/home/claw/.openclaw/pasted ;;
    "models status --json"*)
        printf '{"auth":{"providers":[{"provider":"anthropic","profiles":{"labels":["anthropic:oauth-sync=token:%s"]}}]}}' \
            "$(tail -c 9 /home/claw/.openclaw/pasted)"
        ;;
esac
PROGRAM
chmod +x bin/openclaw
chown -R claw: .
SCRIPT
}

consent=/var/lib/oauth-sync/consent-default

# pasted: holds if the running service hands over the token by itself, and has kept the comments.
pasted() {
    bed exec "$m" test -e $consent
    wait_until 60 "bed exec $m test -s $claw/.openclaw/pasted"
    bed exec "$m" cmp $claw/.openclaw/openclaw.json $claw/.openclaw/openclaw.json.before-oauth-sync
    rotate "$m"
    wait_until 60 "bed exec $m grep -q '$token' $claw/.openclaw/pasted"
    all_up "$m"
}

agreed_beforehand() {
    with_comments
    bed sh "$m" "echo $package $package/rewrite-openclaw-json boolean true | debconf-set-selections"
    installs "$m"
    pasted
    says "rewrite-openclaw-json: false" bed exec "$m" debconf-show $package
    bed exec "$m" env DEBIAN_FRONTEND=noninteractive apt-get purge -y $package
    bed exec "$m" test ! -e $consent
}

agreed_when_asked() {
    with_comments
    installs "$m"
    wait_until 60 "bed exec $m journalctl --no-pager -b -u oauth-sync-deliver | grep 'the token cannot be pasted: the first paste-token'"
    bed exec "$m" grep -q ANTHROPIC_OAUTH_TOKEN= $claw/.openclaw/.env
    answer rewrite-openclaw-json no
    bed sh "$m" "[ ! -e $consent ] && [ ! -e $claw/.openclaw/pasted ]"
    answer rewrite-openclaw-json yes
    pasted
    # there is nothing left to ask
    bed sh "$m" 'printf "#!/bin/sh\ngrep ^openclaw \"\$1\" >>/root/asked\n" >/root/answer; chmod 700 /root/answer'
    bed exec "$m" env EDITOR=/root/answer dpkg-reconfigure -f editor -p low $package
    says refresh= bed exec "$m" cat /root/asked
    fails bed exec "$m" grep rewrite-openclaw-json /root/asked
}

need "the packages are built" build_packages
need "a machine boots" bed boot "$m" trixie
need "it has a login and an OpenClaw" inhabit
bed mark "$m"
t "a noninteractive installation finds both within 2 s, links them and serves them" finds_by_itself
t "and leaves no trace" purge_leaves_nothing
t "a preseeded installation does as told, and debconf forgets the webhook" preseeded
t "and leaves no trace" purge_leaves_nothing
at_end tmux -L "$screen" kill-server
t "a dialog asks everything, with what was found as its suggestions" asked_in_a_dialog
need "the admin writes the configuration anew" written_by_the_admin
t "the running service follows each path that is reconfigured, and no other byte changes" follows_a_changed_path
t "so it is with every other answer" every_other_answer
bed sh "$m" 'cd /home/claw; rm -r other .second .third .openclaw/.env .openclaw/credentials/oauth.json; echo "{}" >.openclaw/credentials/oauth.json; chown claw: .openclaw/credentials/oauth.json'
t "and leaves no trace" purge_leaves_nothing
t "the original's units stay, and are switched off once that is answered" originals_stay_unless_told
t "and leaves no trace" purge_leaves_nothing
t "two equal pairs get a link each, and what a hostile user planted none" two_equal_ones_get_a_link_each
t "and leaves no trace" purge_leaves_nothing
t "installed without a running systemd it is up after the next boot" installed_without_systemd
t "purged without a running systemd it leaves no trace either" purged_without_systemd
t "a preseeded yes to the loss of comments is noted, and the running service pastes by itself" agreed_beforehand
t "so it does once a reconfiguration is answered with yes, and not with no, and asks no more" agreed_when_asked
no_secret() {
    no_token_in "journal:$m" "argv:$m" "$m:/var/cache/debconf" "$m:/var/log"
}
t "no token is in the journal, in arguments, in debconf or in logs" no_secret
bed stop "$m"
