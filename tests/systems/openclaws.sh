#!/usr/bin/env bash
# Scenario: the package comes to every kind of installation that OpenClaw's own documents describe and that
# can be had here. A table says of each whether it is linked by itself, which gateway is found, how it is
# proven, and how long that took. The gateways are OpenClaw's own, but for one of an older version.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/systems/furnish.bash
. "$systems/furnish.bash"
# shellcheck source=tests/systems/shapes.bash
. "$systems/shapes.bash"

question="oauth-sync --link default setup --yes --claude /root/.claude/.credentials.json --openclaw /opt/openclaw/data"

# token FILE: a new one of the length that OpenClaw wants.
token() {
    canary "sk-ant-oat01-$(printf 'x%.0s' {1..47})" >"$scratch/$1"
}

# comes_to USER: the user signs in anew, and the package is installed as on a host that never had it.
comes_to() {
    bed exec "$m" sh -c '! dpkg -s openclaw-oauth-sync || dpkg --purge openclaw-oauth-sync'
    bed exec "$m" rm -rf /etc/oauth-sync
    token new
    bed exec "$m" install -d -o "$1" -g "$1" -m 700 "$(home_of "$1")/.claude"
    write_login "$m" "$1" 28800 "$(<"$scratch/new")" "$(canary sk-ant-ort01-)"
    begins
    install_deb "$m" /srv/openclaw-oauth-sync.deb >"$scratch/apt" 2>&1
    cat "$scratch/apt"
}

begins() {
    date +%s%N >"$scratch/began"
}

home_of() {
    bed exec "$m" getent passwd "$1" | cut -d : -f 6
}

# finds STATE_DIR GATEWAY: what detection says that the OpenClaw there runs as; nothing for "none".
finds() {
    bed exec "$m" oauth-sync detect >"$scratch/detected"
    cat "$scratch/detected"
    grep -A 1 -F "openclaw  '$1'" "$scratch/detected" | sed -n 's/^ *runs as //p' >"$scratch/gateway"
    [ "$(<"$scratch/gateway")" = "${2#none}" ]
}

links() {
    comes_to "$1"
    bed exec "$m" grep -x "OPENCLAW_STATE_DIR=\"$(home_of "$1")/.openclaw\"" /etc/oauth-sync/default.conf
    finds "$(home_of "$1")/.openclaw" "$2"
}

# checks_ok: `check` says OK; kept with the time since the installation began.
checks_ok() {
    bed exec "$m" oauth-sync check >"$scratch/check" || return
    echo $((($(date +%s%N) - $(<"$scratch/began")) / 1000000000)) >"$scratch/seconds"
}

# proven COMMAND...: with the first OK, the running gateway's turn has the new token.
proven() {
    wait_until 180 checks_ok
    "$@"
}

# asks COMMAND...: has a turn. OpenClaw refuses one that meets its own loading of plugins, before it asks for
# anything; such a turn is asked for again.
asks() {
    for _ in {1..40}; do
        if "$@" >"$scratch/turn" 2>&1; then return; fi
        grep -q 'generation was superseded' "$scratch/turn" || break
    done
    cat "$scratch/turn"
    return 1
}

# on_the_host USER: a turn, asked of the gateway by that user.
on_the_host() {
    bed exec "$m" sh -c 'systemctl is-active messages || systemd-run --unit=messages node /srv/messages.mjs'
    asks bed user "$m" "$1" env PATH="/home/$1/.npm-global/bin:/home/$1/.local/bin:/usr/local/bin:/usr/bin:/bin" \
        openclaw agent --agent main --message hi
    bed exec "$m" tail -n 1 /tmp/bearers | grep -xF "Bearer $(<"$scratch/new")"
}

# in_container COMMAND...: a turn inside the container that `COMMAND... exec` reaches.
in_container() {
    bed exec "$m" cat /srv/messages.mjs | "$@" exec -i "$(<"$scratch/container")" sh -c 'cat >/tmp/messages.mjs'
    "$@" exec -d "$(<"$scratch/container")" node /tmp/messages.mjs
    asks "$@" exec "$(<"$scratch/container")" openclaw agent --agent main --message hi
    "$@" exec "$(<"$scratch/container")" tail -n 1 /tmp/bearers | grep -xF "Bearer $(<"$scratch/new")"
}

docker_turn() {
    container "$m" openclaw-gateway >"$scratch/container"
    in_container bed exec "$m" docker
}

podman_turn() {
    echo openclaw >"$scratch/container"
    in_container bed user "$m" claw podman
}

# told KIND LINKED GATEWAY PROOF: a row of the table; what failed is not in it.
told() {
    printf '| %-34s | %-15s | %-36s | %-33s | %4s s |\n' "$@" "$(<"$scratch/seconds")" >>"$scratch/table"
}

# shape KIND USER GATEWAY BEGIN TURN...: all claims about one that is linked by itself.
shape() {
    local kind=$1 user=$2 gateway=$3 begin=$4 before=$failed
    shift 4
    t "$kind: a real gateway runs" "$begin"
    t "$kind: is linked by itself, its gateway found: $gateway" links "$user" "$gateway"
    t "$kind: with the first OK the running gateway's turn has the new token" proven "$@"
    [ $failed != $before ] || told "$kind" yes "$gateway" 'pasted; the next turn has it'
}

# on_hosts: what needs no container, one after the other.
on_hosts() {
    m=claws-hosts
    need "a machine without a network boots" boots trixie -n none
    shape 'npm, global, in a terminal' anna none npm_global_in_a_terminal on_the_host anna
    t "she goes" leaves anna
    shape 'npm, global, its user unit' bert 'user unit openclaw-gateway.service' npm_global_with_its_user_unit on_the_host bert
    t "he goes" leaves bert
    shape 'npm, global, a system unit' dora 'unit openclaw-gateway.service' npm_global_with_a_system_unit on_the_host dora
    t "she goes" leaves dora
    shape 'npm, per user, a user unit' emil 'user unit openclaw-gateway.service' npm_per_user_with_a_user_unit on_the_host emil
    t "he goes" leaves emil
    shape "the Ansible role's layout" openclaw 'unit openclaw.service' ansible_role on_the_host openclaw
    t "no token is in its journal" no_token_in "journal:$m"
    bed stop "$m"
}

image_for_docker() {
    image node_modules | bed exec "$m" docker import "${image_settings[@]}" - openclaw:local
    bed exec "$m" docker run --rm openclaw:local openclaw --version | grep "$version"
    "$root/tests/docker/image" save "$scratch/gateway.tar" openclaw:old
    bed push "$m" "$scratch/gateway.tar" /srv
    bed exec "$m" docker load --quiet --input /srv/gateway.tar
}

# The host of many guides: root's project, and data of the container's uid, which has no account.
roots_project() {
    configures /opt/openclaw/data lan
    bed exec "$m" chown -R 1000:1000 /opt/openclaw/data
    project /opt/openclaw /opt/openclaw/data
}

waits_with_a_question() {
    comes_to root
    bed sh "$m" '! ls /etc/oauth-sync/*.conf && ! oauth-sync check'
    grep -F "the OpenClaw in '/opt/openclaw/data' is not linked: uid 1000 has no account here" "$scratch/apt"
    grep -F "$question" "$scratch/apt"
    finds /opt/openclaw/data "openclaw-gateway of '/opt/openclaw'"
}

# As 1.0.0 left it.
is_critical_without_its_project() {
    bed sh "$m" 'umask 077
        printf "%s\n" CLAUDE_CREDENTIALS=\"/root/.claude/.credentials.json\" OPENCLAW_STATE_DIR=\"/opt/openclaw/data\" \
            >/etc/oauth-sync/default.conf
        status=0
        until [ $status = 2 ]; do
            [ $SECONDS -lt 120 ]
            status=0
            said=$(oauth-sync check) || status=$?
            [ $status != 0 ]
        done
        echo "$said"
        rm /etc/oauth-sync/default.conf'
}

answered() {
    local words
    begins
    read -r -a words <<<"${question/NAME/default}"
    bed exec "$m" "${words[@]}"
    bed exec "$m" grep -x 'COMPOSE_DIR="/opt/openclaw"' /etc/oauth-sync/default.conf
}

# The same host before 2026.6: an OpenClaw that takes the token from its environment: it is recreated with the new one.
of_before() {
    older_project
    waits_with_a_question
    answered
}

older_project() {
    bed sh "$m" '
        dpkg --purge openclaw-oauth-sync
        cd /opt/openclaw
        docker compose down --timeout 1
        rm -r data
        install -d -o 1000 -g 1000 data
        echo "{\"meta\":{\"lastTouchedVersion\":\"2026.2.25\"}}" >data/openclaw.json
        chown 1000:1000 data/openclaw.json
        sed -i "s/^ANTHROPIC_OAUTH_TOKEN=.*/ANTHROPIC_OAUTH_TOKEN=old/" .env
        echo OPENCLAW_IMAGE=openclaw:old >>.env
        docker compose up -d'
    wait_until 60 "gateway_uses $m old"
}

in_docker() {
    local before
    m=claws-docker
    need "a machine with Docker boots" boots trixie+docker -n nat
    need "an image is built of the npm package" image_for_docker
    before=$failed
    t "root's project in /opt, data of uid 1000: a real gateway runs" roots_project
    t "it is not linked: the question is printed, and check is not OK" waits_with_a_question
    t "linked without its project it is critical, and never OK" is_critical_without_its_project
    t "the answer links it to the project that the labels name" answered
    t "with the first OK the running gateway's turn has the new token" proven docker_turn
    [ $failed != $before ] || told "compose, root's /opt, data of 1000" 'asks' 'openclaw-gateway of /opt/openclaw' 'pasted; the next turn has it'
    before=$failed
    t "the same of an older version, a stand-in, is linked by the answer" of_before
    t "its container is made anew with the new token, and check is OK" made_anew
    [ $failed != $before ] || told '  the same, 2026.2.25 (a stand-in)' 'asks' 'openclaw-gateway of /opt/openclaw' 'recreated; in its environment'
    t "it goes" bed sh "$m" 'dpkg --purge openclaw-oauth-sync
        cd /opt/openclaw
        docker compose down --timeout 1
        rm -r /opt/openclaw /root/.claude'
    shape "compose, a user's" claw "openclaw-gateway of '/home/claw/openclaw'" users_project docker_turn
    t "no token is in its journal" no_token_in "journal:$m"
    bed stop "$m"
}

made_anew() {
    wait_until 120 gateway_has_it
    wait_until 120 checks_ok
}

gateway_has_it() {
    container "$m" openclaw-gateway >"$scratch/container"
    bed exec "$m" docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$(<"$scratch/container")" |
        grep -xF "ANTHROPIC_OAUTH_TOKEN=$(<"$scratch/new")"
}

users_project() {
    person claw lan
    project /home/claw/openclaw /home/claw/.openclaw
}

has_podman() {
    installs_podman "$m"
    bed sh "$m" <<'SCRIPT'
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' >/etc/containers/storage.conf
mkdir -p /etc/containers/containers.conf.d
printf '[containers]\npids_limit = 0\n' >/etc/containers/containers.conf.d/bed.conf
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
SCRIPT
    person claw lan
    lingers claw
    # the package is mounted, for podman copies an image for each container here
    image | bed user "$m" claw podman import --quiet "${image_settings[@]}" - localhost/openclaw:local
}

# OpenClaw's openclaw.container.
quadlet() {
    bed sh "$m" '
        mkdir -p ~claw/.config/containers/systemd
        printf "%s\n" "[Container]" Image=localhost/openclaw:local ContainerName=openclaw UserNS=keep-id User=%U:%G \
            Volume=/home/claw/.openclaw:/home/node/.openclaw EnvironmentFile=/home/claw/.openclaw/.env \
            Volume=/usr/local/lib/node_modules:/usr/local/lib/node_modules:ro Environment=HOME=/home/node \
            Environment=OPENCLAW_NO_RESPAWN=1 PublishPort=127.0.0.1:18789:18789 Pull=never \
            "Exec=node dist/index.js gateway --bind lan --port 18789" \
            "[Service]" TimeoutStartSec=300 Restart=on-failure >~claw/.config/containers/systemd/openclaw.container
        chown -R claw: ~claw/.config'
    bed user "$m" claw systemctl --user daemon-reload
    bed user "$m" claw systemctl --user start openclaw.service
    lives
}

# OpenClaw's script that launches a container by hand; its command line is on the host too.
launched() {
    bed user "$m" claw systemctl --user stop openclaw.service
    bed user "$m" claw rm -r .config/containers .openclaw
    bed user "$m" claw systemctl --user daemon-reload
    bed exec "$m" install -d -o claw -g claw -m 700 /home/claw/.openclaw
    configures /home/claw/.openclaw lan
    bed user "$m" claw podman run --detach --name openclaw --init --userns=keep-id --user 1000:1000 \
        --env HOME=/home/node --env OPENCLAW_GATEWAY_TOKEN=invented-gateway-token --env OPENCLAW_NO_RESPAWN=1 \
        --volume /home/claw/.openclaw:/home/node/.openclaw --restart unless-stopped \
        --volume /usr/local/lib/node_modules:/usr/local/lib/node_modules:ro --publish 127.0.0.1:18789:18789 \
        localhost/openclaw:local
    lives
}

in_podman() {
    m=claws-podman
    need "a machine for Podman boots" boots trixie -n nat
    need "it has Debian's podman, and a lingering user" has_podman
    shape 'Podman, Quadlet' claw 'user unit openclaw.service' quadlet podman_turn
    shape 'Podman, launched by hand' claw none launched podman_turn
    t "no token is in its journal" no_token_in "journal:$m"
    bed stop "$m"
}

need "the real OpenClaw is there" "$root/tests/real/fetch" "$version"
need "the package is built" build_deb
token old
: >"$scratch/table"
on_hosts
in_docker
in_podman
printf '\n| %-34s | %-15s | %-36s | %-33s | %-6s |\n' installation 'linked by itself' 'gateway found' proof time
cat "$scratch/table"
finished=yes
