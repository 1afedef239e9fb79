#!/usr/bin/env bash
# Scenario: a gateway in the rootless podman of a lingering user is recreated by podman-compose for a new
# token, and spoken to by exec: by root's command and by the unit, whose sandbox podman cannot live in;
# with 1.0.0 first, which this version takes the place of.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/systems/furnish.bash
. "$systems/furnish.bash"

m=podman

# The limit of processes wants a cgroup controller that may be absent.
has_podman() {
    installs_podman $m podman-compose
    bed sh $m <<'SCRIPT'
useradd -m -s /bin/bash claw
loginctl enable-linger claw
grep '^claw:' /etc/subuid /etc/subgid
install -d -o claw -g claw -m 700 ~claw ~claw/.openclaw ~claw/.claude ~claw/project
install -d -o claw -g claw ~claw/.config ~claw/.config/containers
cd ~claw/.config/containers
printf '[storage]\ndriver = "vfs"\n' >storage.conf
printf '[containers]\npids_limit = 0\n' >containers.conf
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >policy.json
SCRIPT
}

podman() {
    bed user $m claw podman "$@"
}

# A gateway and another service, and a link to them. The image does not name its version.
has_project() {
    "$root/tests/docker/image" save "$scratch/gateway.tar"
    bed push $m "$scratch/gateway.tar" /srv
    podman load --quiet --input /srv/gateway.tar
    bed sh $m <<'SCRIPT'
cat >~claw/openclaw <<'OPENCLAW'
#!/bin/sh
# Stands for openclaw's command line: VERSION is its version, and it keeps what is pasted.
case $* in
    --version) echo "OpenClaw VERSION (stub)" ;;
    *paste-token*) cat >~/pasted ;;
    "models status --json")
        end=$(tail -c 9 ~/pasted)
        echo '{"auth":{"providers":[{"provider":"anthropic","profiles":{"labels":["anthropic:oauth-sync=token:..'"$end"'"]}}]}}'
        ;;
    *) exit 1 ;;
esac
OPENCLAW
cat >~claw/Containerfile <<'CONTAINERFILE'
FROM localhost/openclaw:local
COPY --chmod=755 program /bin/openclaw
LABEL org.opencontainers.image.version=
CONTAINERFILE
cat >~claw/project/compose.yml <<'COMPOSE'
services:
  openclaw-gateway:
    image: localhost/openclaw:cli
    environment:
      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN}
  second:
    image: localhost/openclaw:local
COMPOSE
echo ANTHROPIC_OAUTH_TOKEN=old >~claw/project/.env
chown claw: ~claw/project/* ~claw/project/.env ~claw/openclaw ~claw/Containerfile
install -d /etc/oauth-sync
SCRIPT
    becomes 2026.2.25
    links 'SINKS="env"'
    bed user $m claw bash -c 'cd ~/project && podman-compose up -d'
    wait_until 20 "uses old"
    ! bed exec $m podman ps -aq | grep .
}

# becomes VERSION: so the image's openclaw calls itself from now on.
becomes() {
    bed user $m claw bash -c 'cd && sed "s/VERSION/$1/" openclaw >program &&
        podman build --quiet --tag localhost/openclaw:cli .' bash "$1"
}

# links KEY="VALUE"...: writes the link.
links() {
    bed sh $m 'printf "%s\n" "$@" >/etc/oauth-sync/default.conf' \
        'CLAUDE_CREDENTIALS="/home/claw/.claude/.credentials.json"' \
        'OPENCLAW_STATE_DIR="/home/claw/.openclaw"' 'COMPOSE_DIR="/home/claw/project"' \
        'CONTAINER_ENGINE="podman"' "$@"
}

rotate() {
    bed sh $m '
        umask 077
        cd /home/claw/.claude
        printf "{\"claudeAiOauth\":{\"accessToken\":\"%s\",\"refreshToken\":\"r\",\"expiresAt\":%s000}}" \
            "$1" "$(($(date +%s) + $2))" >new
        chown claw: new
        mv new .credentials.json' "$1" "${2:-28800}"
}

# id SERVICE: its container, if it runs.
id() {
    podman ps --quiet --no-trunc --filter "label=com.docker.compose.service=$1"
}

# uses TOKEN: the running gateway was started with it.
uses() {
    podman exec "$(id openclaw-gateway)" wget -q -O - http://127.0.0.1:18789/env | grep -qF "$1"
}

# recreates TOKEN COMMAND...: the command brings the token to a new container of the gateway, and leaves
# the other service alone.
recreates() {
    local token=$1 gateway second recreated
    shift
    gateway=$(id openclaw-gateway)
    second=$(id second)
    recreated=$(recreations)
    rotate "$token"
    "$@"
    uses "$token"
    [ "$(id openclaw-gateway)" != "$gateway" ]
    [ -n "$second" ] && [ "$(id second)" = "$second" ]
}

by_root() {
    says "the gateway was recreated and uses the new token" bed exec $m oauth-sync sync
}

# How often the delivering unit has recreated the gateway.
recreations() {
    bed exec $m journalctl -b -o cat -u oauth-sync-deliver | grep -c 'recreated and uses the new token' || :
}

# Waits for the unit's end too: the container must outlive it.
by_unit() {
    wait_until 60 "[ \$(recreations) -gt $recreated ]"
    wait_until 20 "[ \"\$(bed exec $m systemctl show -P ActiveState oauth-sync-deliver)\" = inactive ]"
}

takes_it_all_down_and_up() {
    local second
    second=$(id second)
    links 'SINKS="env"' 'COMPOSE_RECREATE="project"'
    rotate "$1"
    by_root
    uses "$1"
    [ -n "$(id second)" ] && [ "$(id second)" != "$second" ]
}

# The version is asked of the program in the container, the token goes through its input.
pastes() {
    local gateway
    becomes 2026.9.6
    links 'SINKS="paste-token"' 'OPENCLAW_VERSION="2026.9.6"'
    bed user $m claw bash -c 'cd ~/project && podman-compose up -d --force-recreate --no-deps openclaw-gateway'
    gateway=$(id openclaw-gateway)
    rotate "$1"
    says "the token was handed to OpenClaw" bed exec $m oauth-sync sync
    [ "$(podman exec "$gateway" cat /home/node/pasted)" = "$1" ]
    [ "$(id openclaw-gateway)" = "$gateway" ]
}

# plain KEY="VALUE"...: writes the link of a gateway that no compose project made.
plain() {
    bed sh $m 'printf "%s\n" "$@" >/etc/oauth-sync/default.conf' \
        'CLAUDE_CREDENTIALS="/home/claw/.claude/.credentials.json"' \
        'OPENCLAW_STATE_DIR="/home/claw/.openclaw"' 'SINKS="paste-token"' \
        'OPENCLAW_VERSION="2026.9.6"' "$@"
}

# by_unit_into TOKEN KEY="VALUE"...: the unit hands the token to OpenClaw in the container that podman run made.
by_unit_into() {
    local token=$1
    shift
    plain "$@"
    bed exec $m systemctl start oauth-sync.service oauth-sync-gateway.path
    rotate "$token"
    wait_until 60 "[ \"\$(podman exec by-hand cat /home/node/pasted)\" = $token ]"
    # shellcheck disable=SC2086 # names, a word each
    bed exec $m systemctl stop $units
}

made_by_hand() {
    podman run --detach --name by-hand --volume /home/claw/.openclaw:/home/node/.openclaw localhost/openclaw:cli
    by_unit_into "$1" 'CONTAINER_ENGINE="podman"' 'CONTAINER_NAME="by-hand"'
}

# Claude's command line lives in a container of the user's, who is root in it.
renews_in_a_container() {
    bed sh $m <<'SCRIPT'
cat >~claw/claude <<'CLAUDE'
#!/bin/sh
# Stands for Claude's command line: it renews to what it finds.
cd "${CLAUDE_CONFIG_DIR:-$HOME/.claude}"
umask 077
printf '{"claudeAiOauth":{"accessToken":"%s","refreshToken":"r2","expiresAt":%s000}}' \
    "$(cat next)" "$(($(date +%s) + 28800))" >new
mv new .credentials.json
CLAUDE
printf 'FROM localhost/openclaw:local\nCOPY --chmod=755 claude /bin/claude\n' >~claw/Containerfile.claude
SCRIPT
    bed user $m claw bash -c 'cd && podman build --quiet --tag localhost/claude -f Containerfile.claude .'
    podman run --detach --name claude --volume /home/claw/.claude:/root/.claude localhost/claude
    links 'SINKS="env"' 'GATEWAY="none"' 'REFRESH="cli"' 'CLAUDE_CLI="container"' 'CLAUDE_CONTAINER="claude"'
    bed user $m claw bash -c 'echo "$1" >~/.claude/next' bash "$1"
    rotate "$(canary sk-ant-oat01-)" 200
    bed exec $m systemctl start oauth-sync-renew.service
    bed exec $m grep -qF "$1" /home/claw/.claude/.credentials.json || {
        bed exec $m journalctl -b -o cat -u oauth-sync-renew
        return 1
    }
}

# installed DEB: it runs as a package of the machine.
installed() {
    bed push $m "$1" /root
    install_deb $m "/root/$(basename "$1")"
    all_up $m
}

installed_of_before() {
    installed "$("$systems/released")"
    says 1.0.0 bed exec $m dpkg-query -W openclaw-oauth-sync
}

# What follows is root's own commands, with no unit beside them.
at_rest() {
    # shellcheck disable=SC2086 # names, a word each
    bed exec $m systemctl stop $units
}

knows_version() {
    bed exec $m grep -qF "\"version\":{\"text\":\"$1\"" /var/lib/oauth-sync/gateway/default.json
}

# podman-compose gives podman the environment as arguments, which journald notes beside podman's own
# messages; what anybody says is clean.
says_no_token() {
    bed exec $m journalctl --no-pager -o cat >"$scratch/said"
    no_token_in "$scratch/said"
}

need "the package is built" build_deb
need "a machine boots" bed boot $m trixie
need "it has Debian's podman, and a lingering user" has_podman
need "the user's own podman brings a project up, which root's does not see" has_project
need "1.0.0 is installed" installed_of_before
t "its unit recreates the gateway alone" recreates "$(canary sk-ant-oat01-)" by_unit
need "this version takes its place" installed "$deb"
t "and its unit goes on" recreates "$(canary sk-ant-oat01-)" by_unit
at_rest
t "root's sync recreates the gateway alone, as that user" recreates "$(canary sk-ant-oat01-)" by_root
t "its version was asked of the program in the container" knows_version 2026.2.25
t "COMPOSE_RECREATE=project takes it all down and up" takes_it_all_down_and_up "$(canary sk-ant-oat01-)"
links 'SINKS="env"'
bed exec $m systemctl start oauth-sync.service oauth-sync-gateway.path
t "so does the unit, whose end the container outlives" recreates "$(canary sk-ant-oat01-)" by_unit
bed exec $m systemctl stop oauth-sync.service oauth-sync-gateway.path
t "a token is pasted through exec" pastes "$(canary sk-ant-oat01-)"
t "the unit pastes it into a container by its name" made_by_hand "$(canary sk-ant-oat01-)"
t "and by a command that calls podman" by_unit_into "$(canary sk-ant-oat01-)" \
    'OPENCLAW_COMMAND="podman exec --interactive by-hand openclaw"'
t "the renewing unit has Claude's command line renew in the user's container" renews_in_a_container "$(canary sk-ant-oat01-)"
t "no message in the journal has a token" says_no_token
finished=yes
