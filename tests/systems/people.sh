#!/usr/bin/env bash
# Scenario: people at a booted machine. From a bare host to a healthy link by setup over ssh, with every
# way out of it; a lost login that the journal explains and a sign-in over ssh ends; and a host with
# the scripts of the original, which moves over by the document about it.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"

root=$(realpath "$systems/../..")
source=/home/claw/.claude/.credentials.json

# What both machines have: the package, a user with an OpenClaw of before 2026.6, and a Claude CLI
# that can be installed and asks for a code. Nothing of it ever reaches Anthropic.
furnish() {
    bed push "$1" "$root/target/debian/openclaw-oauth-sync.deb" /root
    bed sh "$1" <<'SCRIPT'
echo '127.0.0.1 platform.claude.com console.anthropic.com api.anthropic.com' >>/etc/hosts
useradd --create-home --shell /bin/bash claw
install -d -o claw -g claw -m 700 ~claw/.openclaw ~claw/.openclaw/credentials
printf '{\n  "meta": { "lastTouchedVersion": "2026.2.25" }\n}\n' >~claw/.openclaw/openclaw.json
printf 'OTHER=1\n' >~claw/.openclaw/.env
cat >/usr/local/share/claude <<'CLAUDE'
#!/bin/bash
# Renews in the last five minutes, and signs in with a code, as the real one does.
umask 077
mkdir -p ~/.claude && cd ~/.claude || exit 1
save() {
    printf '{"claudeAiOauth":{"accessToken":"%s","refreshToken":"%s","expiresAt":%s,"scopes":["user:inference"]}}' \
        "sk-ant-oat01-$RANDOM$RANDOM$RANDOM" "sk-ant-ort01-$RANDOM$RANDOM$RANDOM" "$(($(date +%s%3N) + 28800000))" >.new
    mv .new .credentials.json
}
if [ "$*" = "auth login" ]; then
    read -r -p 'Paste code here if prompted > ' code
    [ "$code" = right ] || exit 1
    save
    exit
fi
ends=$(sed -n 's/.*"expiresAt":\([0-9]*\)[0-9]\{3\}[,}].*/\1/p' .credentials.json)
[ "${ends:-0}" -gt "$(($(date +%s) + 300))" ] || save
echo ok
CLAUDE
cat >/usr/local/bin/npm <<'NPM'
#!/bin/sh
[ "$*" = 'install --global --prefix /home/claw/.npm-global @anthropic-ai/claude-code' ] || exit 1
install -D -m 755 /usr/local/share/claude /home/claw/.npm-global/bin/claude
NPM
chmod 755 /usr/local/bin/npm /usr/local/share/claude
chown -R claw: ~claw
install -d /usr/local/lib/node_modules/openclaw
echo '{"name":"openclaw","version":"2026.2.25"}' >/usr/local/lib/node_modules/openclaw/package.json
apt-get -q update
SCRIPT
    bed exec "$1" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${@:2}"
}

# --- a terminal over ssh --------------------------------------------------------------

furnish_terminal() {
    furnish folk tmux openssh-server bash-completion zsh fish /root/openclaw-oauth-sync.deb
    # what a system does that enables nothing by itself
    bed sh folk '
        systemctl disable --now oauth-sync.service oauth-sync-refresh.timer
        ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519
        cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
        systemctl start ssh
        ssh -o StrictHostKeyChecking=accept-new 127.0.0.1 true'
}

types() {
    bed exec folk tmux -L people kill-server 2>/dev/null || :
    bed exec folk tmux -L people -f /dev/null new-session -d -x 120 -y 120 \
        "ssh -tt 127.0.0.1 'trap : INT; $1; echo status=\$?'; sleep 600"
}

screen() {
    bed exec folk tmux -L people capture-pane -p
}

shown() {
    screen | grep -qF "$1"
}

shows() {
    wait_until 60 "shown $(printf %q "$1")" || { screen && return 1; }
}

answers() {
    shows "$1"
    bed exec folk tmux -L people send-keys -l "$2"
    bed exec folk tmux -L people send-keys Enter
}

interrupts() {
    shows "$1"
    bed exec folk tmux -L people send-keys C-c
    shows "status=130"
}

# Everything that setup may change.
state() {
    bed sh folk 'find /etc/oauth-sync /etc/systemd/system /home/claw /var/lib/systemd/linger \
        \( -type f -exec sha256sum {} + \) -o -print | sort; systemctl is-active oauth-sync.service oauth-sync-refresh.timer || :'
}

unchanged() {
    state >"$scratch/before"
    "$@"
    state | diff "$scratch/before" -
}

# The questions of a bare host, and those of one that is linked.
bare=("State directory of OpenClaw" "Folder of OpenClaw's compose project" "Claude's credentials file"
    "Claude CLI runs on the" "Write it?")
linked=("Install Claude CLI so?" "Sign in now?" "Set the primary model" "Enable and start")

# to_the_link ANSWER: takes all that is proposed, and answers so whether it is to be written.
to_the_link() {
    local question
    types "oauth-sync setup"
    for question in "${bare[@]:0:4}"; do answers "$question" ""; done
    answers "${bare[4]}" "$1"
}

says_no_when_bare() {
    to_the_link n
    shows "nothing is linked, so nothing is kept alive"
    shows "status=1"
}

says_no_when_linked() {
    local question
    types "oauth-sync setup"
    for question in "${linked[@]}"; do answers "$question" n; done
    shows "at any time"
    shows "status=3"
}

# stops_at ANSWER QUESTION...: Ctrl-C at each question, those before it answered so.
stops_at() {
    local answer=$1 at
    shift
    for ((at = 1; at <= $#; at++)); do
        types "oauth-sync setup"
        for question in "${@:1:at-1}"; do answers "$question" "$answer"; done
        interrupts "${!at}"
    done
}

writes_the_link() {
    to_the_link y
    answers "${linked[0]}" q
    shows "status=0"
    bed exec folk grep -q "CLAUDE_CREDENTIALS=\"$source\"" /etc/oauth-sync/default.conf
}


goes_all_the_way() {
    types "oauth-sync setup"
    answers "${linked[0]}" y
    answers "${linked[1]}" y
    answers "Paste code here" right
    answers "${linked[2]}" y
    answers "${linked[3]}" y
    answers "Try it?" y
    shows "it answered within"
    shows "at any time"
    shows "status=0"
}

token() {
    bed exec "$1" sed -n 's/.*"accessToken":"\([^"]*\)".*/\1/p' "$source"
}

in_step() {
    bed exec "$1" grep -qF "ANTHROPIC_OAUTH_TOKEN=$(token "$1")" /home/claw/.openclaw/.env
}

is_healthy() {
    bed exec folk systemctl is-active oauth-sync.service oauth-sync-refresh.timer
    bed exec folk systemctl is-enabled oauth-sync.service oauth-sync-refresh.timer
    wait_until 60 "in_step folk"
    wait_until 60 "bed exec folk oauth-sync check"
    says "nothing is wrong" bed exec folk oauth-sync doctor
    [ "$(bed exec folk stat -c %U "$source" /home/claw/.npm-global/bin/claude | sort -u)" = claw ]
}

# What a person knows of the sign-in is believed at once, in every answer.
believes_a_date() {
    bed sh folk 'oauth-sync login --signed-in "$(date -u -d "24 days ago" +%F)"'
    bed sh folk 'if said=$(oauth-sync check); then exit 1; fi; grep -F "ends in about" <<<"$said"'
    wait_until 60 "bed exec folk oauth-sync status | grep login-ends"
    bed sh folk 'oauth-sync login --signed-in "$(date -u -d "1 day ago" +%F)"'
    bed exec folk oauth-sync check
    bed sh folk '! oauth-sync status | grep login-ends'
}

# completes SHELL...: what is installed completes a command in an interactive shell.
completes() {
    bed exec folk tmux -L people kill-server 2>/dev/null || :
    bed exec folk tmux -L people -f /dev/null new-session -d -x 120 -y 50 "$*"
    wait_until 60 completed
}

completed() {
    shown "oauth-sync doctor" || {
        bed exec folk tmux -L people send-keys C-u
        bed exec folk tmux -L people send-keys -l "oauth-sync doc"
        bed exec folk tmux -L people send-keys Tab
        return 1
    }
}

complete_in_three_shells() {
    bed sh folk "echo 'autoload -U compinit; compinit' >/root/.zshrc"
    completes bash -l
    completes zsh
    completes fish
}

# --- a login that is lost -------------------------------------------------------------

loses_the_login() {
    bed sh folk 'printf "{\"claudeAiOauth\":{\"accessToken\":\"\",\"refreshToken\":\"\",\"expiresAt\":0}}" >/home/claw/.claude/.credentials.json'
    wait_until 60 "bed exec folk test -e /home/claw/.openclaw/REAUTH_NEEDED"
}

explained() {
    bed exec folk journalctl --sync
    bed exec folk journalctl --no-pager -xu oauth-sync.service MESSAGE_ID="$1" | tee "$scratch/explained"
    grep -q 'Defined-By: openclaw-oauth-sync' "$scratch/explained"
    grep -q 'the CLI has already thrown the tokens away' "$scratch/explained"
    grep -q 'hint: .*login' "$scratch/explained"
}

id_of() {
    sed -n "s/.*(\"$1\", \"\([0-9a-f]*\)\").*/\1/p" "$root/src/domain/messages.rs"
}

signs_in_again() {
    says "oauth-sync login --link default" bed sh folk 'oauth-sync doctor || [ $? = 3 ]'
    types "oauth-sync login"
    answers "Paste code here" right
    shows "signed in"
    shows "status=0"
    wait_until 60 "in_step folk"
    wait_until 60 "! bed exec folk test -e /home/claw/.openclaw/REAUTH_NEEDED"
    wait_until 60 "bed exec folk oauth-sync check"
}

says_why_without_a_terminal() {
    says "hint: ssh -t HOST oauth-sync login --link default" bed sh folk 'oauth-sync login 2>&1 </dev/null || [ $? = 2 ]'
}

# --- the original's scripts -----------------------------------------------------------

# As the original has them: a copier that waits for changes, and timers that run Claude.
furnish_original() {
    furnish moved inotify-tools
    bed sh moved <<'SCRIPT'
install -D -o claw -g claw -m 755 /usr/local/share/claude ~claw/.local/bin/claude
cat >/usr/local/bin/sync-oauth-token.sh <<'SYNC'
#!/bin/bash
cd /home/claw || exit 1
value() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" .claude/.credentials.json; }
copy() {
    [ -n "$(value accessToken)" ] || return
    printf '{"anthropic":{"access":"%s","refresh":"%s","expires":%s}}' \
        "$(value accessToken)" "$(value refreshToken)" "$(value expiresAt)" >.openclaw/credentials/oauth.json
    { grep -v ^ANTHROPIC_OAUTH_TOKEN= .openclaw/.env
        echo "ANTHROPIC_OAUTH_TOKEN=$(value accessToken)"; } >.openclaw/.env.tmp
    chown claw: .openclaw/.env.tmp .openclaw/credentials/oauth.json
    mv .openclaw/.env.tmp .openclaw/.env
}
copy
while inotifywait -qq -e close_write,moved_to,create .claude; do copy; done
SYNC
printf '#!/bin/sh\nexec runuser -u claw -- /home/claw/.local/bin/claude -p hi\n' >/usr/local/bin/trigger-claude-refresh.sh
chmod 755 /usr/local/bin/*.sh
cd /etc/systemd/system
printf '[Service]\nExecStart=/usr/local/bin/sync-oauth-token.sh\nRestart=always\n[Install]\nWantedBy=multi-user.target\n' >sync-oauth-token.service
printf '[Service]\nType=oneshot\nExecStart=/usr/local/bin/trigger-claude-refresh.sh\n' >trigger-claude-refresh.service
printf '[Timer]\nOnCalendar=*:0/30\n[Install]\nWantedBy=timers.target\n' >trigger-claude-refresh.timer
# a watcher of ours: for each new token the ms from when it was written until every place was seen with it
cat >/usr/local/bin/judge <<'JUDGE'
#!/bin/bash
cd /home/claw
last= since=
while sleep 0.1; do
    want=$(sed -n 's/.*"accessToken":"\([^"]*\)".*/\1/p' .claude/.credentials.json)
    [ -n "$want" ] || continue
    written=$(date -r .claude/.credentials.json +%s%3N)
    last=${last:-$want}
    [ "$want" = "$last" ] || since=${since:-$written}
    last=$want
    if [ -n "$since" ] && grep -qF "$want" .openclaw/.env && grep -qF "$want" .openclaw/credentials/oauth.json; then
        echo $(($(date +%s%3N) - since)) >>/run/gaps
        since=
    fi
    echo "${since:-in step}" >/run/state
done
JUDGE
chmod 755 /usr/local/bin/judge
systemctl daemon-reload
SCRIPT
    rotates
    bed exec moved systemctl enable --now sync-oauth-token.service trigger-claude-refresh.timer
    wait_until 60 "in_step moved"
    bed exec moved systemd-run -q --unit=judge /usr/local/bin/judge
}

# A login by hand: another token at every place within the time that the judge measures.
rotates() {
    bed exec moved runuser -u claw -- sh -c 'echo right | /usr/local/share/claude auth login' >/dev/null
}

rotates_and_arrives() {
    rotates
    wait_until 60 "in_step moved"
    wait_until 60 "bed exec moved grep -qF $(token moved) /home/claw/.openclaw/credentials/oauth.json"
}

# step NUMBER: the commands of one step of the document, as it has them.
step() {
    awk -v step="$1." '/^[0-9]+\./ { at = $1 } /```/ { inside = !inside; next } inside && at == step' \
        "$root/docs/moving-over.md" | sed 's/^ *//; s/^sudo //' >"$scratch/step"
    [ -s "$scratch/step" ] || { echo "step $1 has no command" && return 1; }
    cat "$scratch/step"
    { echo 'set -e'; cat "$scratch/step"; } | bed exec moved bash -s
}

installs_beside_it() {
    bed exec moved env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /root/openclaw-oauth-sync.deb
    wait_until 60 "bed exec moved systemctl is-active oauth-sync.service"
    bed exec moved systemctl is-active sync-oauth-token.service trigger-claude-refresh.timer
    rotates_and_arrives
}

agree_on_the_paths() {
    step 2
    says "$source" bed exec moved oauth-sync detect
    says "rival-unit" bed sh moved 'oauth-sync doctor || [ $? = 1 ]'
    rotates_and_arrives
}

switches_off() {
    step 3
    fails bed exec moved systemctl is-active sync-oauth-token.service trigger-claude-refresh.timer
    fails bed exec moved systemctl is-enabled sync-oauth-token.service
    fails bed exec moved systemctl is-enabled trigger-claude-refresh.timer
    rotates_and_arrives
}

stays_in_step() {
    local before
    before=$(token moved)
    step 4
    [ "$(token moved)" != "$before" ]
    wait_until 60 "in_step moved"
    rotates_and_arrives
    fails bed sh moved 'oauth-sync doctor 2>&1 | grep rival-unit'
}

ours_alone_after_a_boot() {
    bed exec moved systemctl stop judge
    bed reboot moved
    wait_until 60 "bed exec moved systemctl is-active oauth-sync.service oauth-sync-refresh.timer"
    fails bed exec moved systemctl is-active sync-oauth-token.service
    rotates_and_arrives
}

# A second and a half is what the fastest of them shows; what a busy machine adds to the slowest stays
# far below the minute that a person would call an outage.
never_long_out_of_step() {
    wait_until 60 "bed exec moved grep 'in step' /run/state"
    bed exec moved sort -n /run/gaps >"$scratch/gaps"
    echo "ms: $(tr '\n' ' ' <"$scratch/gaps")"
    [ "$(wc -l <"$scratch/gaps")" -ge 3 ]
    [ "$(head -n 1 "$scratch/gaps")" -le 1500 ]
    [ "$(tail -n 1 "$scratch/gaps")" -le 20000 ]
}

# --- the documents, as they are typed -------------------------------------------------

# A clone as somebody has it who builds without packages, a user, and stand-ins for what has an own test.
furnish_clone() {
    bed sh typed 'useradd --create-home --shell /bin/bash claw
        mkdir -p /root/clone/target/release /home/claw/.openclaw
        printf "#!/bin/sh\ncat >/root/pushed\n" >/usr/local/bin/etcdctl
        printf "#!/bin/sh\n:\n" >/usr/local/bin/make
        chmod 755 /usr/local/bin/*
        echo "{}" >/home/claw/.openclaw/openclaw.json
        chown -R claw: /home/claw/.openclaw'
    bed push typed "$root/docs" "$root/units" "$root/man" /root/clone
    bed push typed "$root/target/package/release/oauth-sync" /root/clone/target/release
}

# block FILE NUMBER: one block of commands of a document, typed by root in the clone.
block() {
    awk -v wanted="$2" '/^ *```sh/ { at++; inside = 1; next } /^ *```/ { inside = 0 } inside && at == wanted' \
        "$root/docs/$1.md" | sed 's/^sudo //' >"$scratch/block"
    [ -s "$scratch/block" ] || { echo "$1 has no block $2" && return 1; }
    cat "$scratch/block"
    { echo "set -e; cd /root/clone; export EDITOR=true" && cat "$scratch/block"; } | bed exec typed bash -s
}

installs_by_hand() {
    bed sh typed "install -d -o claw -m 700 /home/claw/.claude
        printf '{\"claudeAiOauth\":{\"accessToken\":\"%s\",\"refreshToken\":\"%s\",\"expiresAt\":%s000}}' \
            $(canary sk-ant-oat01-) $(canary sk-ant-ort01-) $(($(date +%s) + 28800)) >/home/claw/.claude/.credentials.json
        chown claw: /home/claw/.claude/.credentials.json"
    block without-packages 1
    bed exec typed systemctl is-active oauth-sync.service oauth-sync-refresh.timer
    says "$source" bed exec typed oauth-sync status
    bed exec typed journalctl --dump-catalog "$(id_of blanked)"
}

writes_the_link_by_hand() {
    block without-packages 2
    # all of it is comments, so there is nothing to be done yet
    fails bed exec typed grep -q '^[^#]' /etc/oauth-sync/default.conf
    block many-hosts 1
    bed exec typed oauth-sync sync --dry-run
}

runs_as_a_user() {
    bed user typed claw sh -c "$(awk '/^mkdir -p ~/, /watch$/' "$root/docs/without-packages.md" |
        sed 's/^oauth-sync .*watch/timeout 3 &/'); test \$? = 124 -o \$? = 0"
    block without-packages 4
}

hands_on() {
    bed sh typed 'mkdir -p /root/.config; touch /etc/oauth-sync/etcd.env'
    block many-hosts 3
    bed exec typed grep -q access_token /root/pushed
    bed exec typed systemctl is-active oauth-sync-push.path
    bed exec typed systemctl disable --now oauth-sync-push.path
    no_refresh_token_in_the_store
}

# The store gives what was put there, and nothing new comes.
follows() {
    bed sh typed '
        cp /etc/oauth-sync/default.conf /root/kept.conf
        cp /root/pushed /etc/pushed
        printf "#!/bin/sh\ncase \"\$*\" in *fields*) echo \"\\\"Revision\\\" : 5\" ;; get*) cat /etc/pushed ;; *) exec sleep infinity ;; esac\n" \
            >/usr/local/bin/etcdctl'
    # The look at its end may come before the first token: then it exits with 1.
    local status=0
    block many-hosts 4 || status=$?
    [ "$status" -le 1 ]
    wait_until 60 "bed exec typed test -s /var/lib/oauth-sync-follow/.credentials.json"
    bed exec typed systemctl is-active oauth-sync-follow.service
    says "setup-token  '/var/lib/oauth-sync-follow/.credentials.json'" bed exec typed oauth-sync status
    fails bed exec typed grep -q refreshToken /var/lib/oauth-sync-follow/.credentials.json
    # the machine is as it was
    bed sh typed '
        systemctl disable --now oauth-sync-follow.service
        rm -r /etc/systemd/system/oauth-sync-follow.service /usr/local/bin/oauth-sync-follow /var/lib/oauth-sync-follow
        systemctl daemon-reload
        mv /root/kept.conf /etc/oauth-sync/default.conf'
}

no_refresh_token_in_the_store() {
    fails bed exec typed grep -q sk-ant-ort01 /root/pushed
}

is_monitored() {
    # as Debian's node_exporter has it: its own user's folder, with root's in it
    bed sh typed 'mkdir -p /var/lib/prometheus/node-exporter; useradd --system prometheus; chown prometheus: /var/lib/prometheus'
    block monitoring 1
    block monitoring 2
    block monitoring 3
    block monitoring 4
    bed exec typed systemctl start oauth-sync-renew.service
    bed exec typed grep -q '^oauth_sync_up 1' /var/lib/prometheus/node-exporter/oauth-sync.prom
}

first_looks() {
    block troubleshooting 1
    bed exec typed env SYSTEMD_EDITOR=true script -qec \
        "$(grep -o 'systemctl edit oauth-sync.*' "$root/docs/troubleshooting.md")" /dev/null
    block troubleshooting 11
}

takes_it_away() {
    block without-packages 5
    bed sh typed '! find / -xdev \( -name "oauth-sync*" -o -name "*oauth-sync" \) -not -path "/root/*" -not -path "/proc/*" \
        -not -path "/home/claw/*" -not -path "*.service.d" -not -path "/var/lib/prometheus/*" -not -path "*oauth-sync-push*" \
        -not -path "/var/lib/systemd/timers/*" | grep .'
    fails bed exec typed systemctl is-active oauth-sync.service
}

need "the package is built" build deb
need "a bare machine boots" bed boot folk trixie -n nat
need "it has the package, a terminal and ssh" furnish_terminal
t "every question of setup answered no changes nothing" unchanged says_no_when_bare
t "Ctrl-C at each question of a bare host changes nothing" unchanged stops_at "" "${bare[@]}"
need "setup writes the link after a yes, and can be left" writes_the_link
t "every question that follows answered no changes nothing" unchanged says_no_when_linked
t "Ctrl-C at each of them changes nothing" unchanged stops_at n "${linked[@]}"
need "setup goes from there to the end, over ssh" goes_all_the_way
t "the link is healthy, and the doctor has nothing to say" is_healthy
t "a date that a person tells moves the login's end, in every answer" believes_a_date
t "bash, zsh and fish complete what the package installed" complete_in_three_shells
t "a login that is emptied calls a person" loses_the_login
t "journalctl -x explains what happened, by the package's catalog" explained "$(id_of blanked)"
t "login over ssh ends it" signs_in_again
t "the end of it is in the journal too" says "what was said before is over" bed sh folk "journalctl --sync; journalctl --no-pager -x MESSAGE_ID=$(id_of recovered) | tr A-Z a-z"
t "login without a terminal says how to get one" says_why_without_a_terminal
bed stop folk

need "a second machine boots" bed boot moved bookworm -n nat
need "it runs the original's scripts" furnish_original
t "the package is installed beside them" installs_beside_it
t "both agree on the paths, and the doctor names the rivals" agree_on_the_paths
t "the original is switched off as the document says" switches_off
t "a renewal and a new login reach OpenClaw without it" stays_in_step
t "every new token was everywhere, the fastest within a second and a half" never_long_out_of_step
t "after a boot only ours runs" ours_alone_after_a_boot
bed stop moved

need "a third machine boots" bed boot typed bookworm -n none
need "it has a clone" furnish_clone
t "what without-packages.md has people type installs it" installs_by_hand
t "and links it" writes_the_link_by_hand
t "what monitoring.md has people type is there and answers" is_monitored
t "what many-hosts.md has a leader type hands the token on" hands_on
t "and a follower take it up" follows
t "what troubleshooting.md begins with runs" first_looks
t "an ordinary user, and cron, run it without systemd" runs_as_a_user
t "what without-packages.md has people type takes it away again" takes_it_away
finished=yes
