# shellcheck shell=bash
# Hosts for the scenarios of the installed package: Anthropic's token endpoint on loopback under its real
# name, Claude logins, an OpenClaw in a container, and the package of this tree.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine

# shellcheck disable=SC2154 # lib.sh sets $systems and $scratch
root=$(realpath "$systems/../..")
deb=$root/target/debian/openclaw-oauth-sync.deb
units="oauth-sync.service oauth-sync-refresh.timer oauth-sync-refresh.path oauth-sync-gateway.path oauth-sync-notify.path"

build_deb() {
    build deb
    # the same content under a later version, to upgrade to
    dpkg-deb -R "$deb" "$scratch/next"
    sed -i 's/^Version: .*/&+next/' "$scratch/next/DEBIAN/control"
    dpkg-deb --root-owner-group -Zgzip -b "$scratch/next" "$scratch/next.deb"
    # what the endpoint grants counts as a canary too
    echo invented-granted- >>"$scratch/canaries"
}

build_endpoint() {
    cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --example endpoint
    strip -o "$scratch/endpoint" "$root/target/debug/examples/endpoint"
}

# serve_tokens MACHINE: from now on the machine takes loopback for Anthropic, and trusts it.
serve_tokens() {
    bed push "$1" "$scratch/endpoint" /usr/local/bin
    bed sh "$1" <<'SCRIPT'
echo '127.0.0.1 platform.claude.com console.anthropic.com api.anthropic.com' >>/etc/hosts
mkdir /var/lib/endpoint
cat >/usr/local/bin/trust-endpoint <<'TRUST'
#!/bin/sh
cd /etc/ssl/certs
[ -e before.pem ] || cp ca-certificates.crt before.pem
until bash -c ': >/dev/tcp/127.0.0.1/444'; do sleep 0.1; done 2>/dev/null
cat before.pem /var/lib/endpoint/ca.pem >ca-certificates.crt
TRUST
chmod 755 /usr/local/bin/trust-endpoint
cat >/etc/systemd/system/endpoint.service <<'UNIT'
[Service]
ExecStart=/usr/local/bin/endpoint /var/lib/endpoint
ExecStartPost=/usr/local/bin/trust-endpoint
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now --quiet endpoint
SCRIPT
}

# endpoint MACHINE ORDER: gives the endpoint an order and prints its answer.
endpoint() {
    bed exec "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/444; echo "$1" >&3; cat <&3' bash "$2"
}

# account MACHINE USER: a person with a Claude folder and an OpenClaw.
account() {
    bed sh "$1" '
        useradd --create-home --shell /bin/bash "$1"
        ! getent group docker >/dev/null || usermod --append --groups docker "$1"
        install -d -o "$1" -g "$1" -m 700 "/home/$1" "/home/$1/.claude" "/home/$1/.openclaw"
        echo "{}" >"/home/$1/.openclaw/openclaw.json"
        chown "$1:" "/home/$1/.openclaw/openclaw.json"' "$2"
}

# sign_in MACHINE USER SECONDS: a new login that lives so long, written as Claude's command line does it.
# The endpoint, where there is one, knows it. Leaves the access token in $token.
sign_in() {
    local refresh
    token=$(canary sk-ant-oat01-)
    refresh=$(canary sk-ant-ort01-)
    if bed exec "$1" test -e /var/lib/endpoint; then
        endpoint "$1" "accept $refresh"
    fi
    write_login "$1" "$2" "$3" "$token" "$refresh"
}

write_login() {
    bed sh "$1" '
        umask 077
        cd "$(getent passwd "$1" | cut -d : -f 6)/.claude"
        printf "{\"claudeAiOauth\":{\"accessToken\":\"%s\",\"refreshToken\":\"%s\",\"expiresAt\":%s000,\"scopes\":[\"user:inference\"]}}" \
            "$3" "$4" "$(($(date +%s) + $2))" >new
        chown "$1:" new
        mv new .credentials.json' "${@:2}"
}

# access_token MACHINE USER: the token that the login holds now.
access_token() {
    bed sh "$1" 'sed "s/.*\"accessToken\": *\"\([^\"]*\)\".*/\1/" "/home/$1/.claude/.credentials.json"' "$2"
}

# on_each_system LIFE: what LIFE SUITE claims, on Debian 12 and 13, and on Ubuntu where its archive can be
# reached; one machine at a time, named in $m.
on_each_system() {
    local suite
    for suite in bookworm trixie noble; do
        [ $suite != noble ] || reachable noble+docker || continue
        m=$scenario-$suite
        need "$suite: a machine with Docker boots" boot_docker "$suite"
        "$1" "$suite"
        bed stop "$m"
    done
}

# Debian 12 has no Compose v2 of its own; people take the plugin from elsewhere.
boot_docker() {
    bed boot "$m" "$1+docker" -n nat
    bed exec "$m" docker compose version || {
        bed fetch trixie docker-compose "$scratch/compose"
        bed push "$m" "$scratch/compose/usr/libexec/docker/cli-plugins/docker-compose" /usr/libexec/docker/cli-plugins
        bed exec "$m" docker compose version
    }
}

# compose_project MACHINE USER: the user's gateway in a container, beside another service.
compose_project() {
    "$root/tests/docker/image" save "$scratch/gateway.tar"
    bed push "$1" "$scratch/gateway.tar" /tmp
    bed exec "$1" docker load --quiet --input /tmp/gateway.tar
    bed exec "$1" rm /tmp/gateway.tar
    bed sh "$1" '
        install -d -o "$1" -g "$1" -m 700 "/home/$1/openclaw"
        cd "/home/$1/openclaw"
        cat >compose.yml
        echo "ANTHROPIC_OAUTH_TOKEN=" >.env
        chmod 600 .env
        chown "$1:" compose.yml .env' "$2" <<COMPOSE
services:
  openclaw-gateway:
    image: openclaw:local
    environment:
      ANTHROPIC_OAUTH_TOKEN: \${ANTHROPIC_OAUTH_TOKEN}
    volumes: ['/home/$2/.openclaw:/home/node/.openclaw']
    restart: unless-stopped
  other:
    image: openclaw:local
COMPOSE
    bed user "$1" "$2" docker compose --project-directory "/home/$2/openclaw" up -d
}

# gateway_host MACHINE: a user claw with a login, a gateway in a container and the token endpoint; the
# packages are in /root.
gateway_host() {
    account "$1" claw
    build_endpoint
    serve_tokens "$1"
    sign_in "$1" claw 28800
    compose_project "$1" claw
    bed push "$1" "$deb" "$scratch/next.deb" /root
}

container() {
    bed sh "$1" 'docker ps -q --filter "label=com.docker.compose.service=$1"' "$2"
}

# gateway_uses MACHINE TOKEN: holds if the running gateway was started with the token.
gateway_uses() {
    bed sh "$1" 'docker exec "$(docker ps -q --filter label=com.docker.compose.service=openclaw-gateway)" \
        wget -q -O - http://127.0.0.1:18789/env | grep -qF "$1"' "$2"
}

# in_step MACHINE USER TOKEN: holds if the login and what OpenClaw reads have the token.
in_step() {
    [ "$(access_token "$1" "$2")" = "$3" ] &&
        bed exec "$1" grep -rqF "$3" "/home/$2/.openclaw"
}

# arrives MACHINE TOKEN: holds if claw's login, OpenClaw and the running gateway come to have the token.
arrives() {
    wait_until 60 "in_step $1 claw $2 && gateway_uses $1 $2"
}

# granted MACHINE COUNT: the endpoint has given so many pairs, and nobody has shown it a spent token.
granted() {
    [ "$(endpoint "$1" granted)" = "$2" ]
    [ "$(endpoint "$1" refused)" = 0 ]
}

# renewed_from MACHINE TOKEN: claw's login gets another token, which is the endpoint's; it is in $token.
renewed_from() {
    wait_until "${3:-90}" "[ \"\$(access_token $1 claw)\" != $2 ]" || {
        bed exec "$1" journalctl --no-pager -o short-precise -n 40 -u 'oauth-sync*'
        return 1
    }
    token=$(access_token "$1" claw)
    [[ $token == *invented-granted-* ]]
    arrives "$1" "$token"
}

install_deb() {
    bed exec "$1" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${@:2}"
}

all_active() {
    local unit
    for unit in $units; do
        wait_until 60 "bed exec $1 systemctl is-active $unit"
    done
}

all_up() {
    all_active "$1"
    bed exec "$1" systemctl --failed --no-legend | diff /dev/null -
}

# spy MACHINE COMMAND...: keeps in /run/seen what the run folder holds and the argument lists and
# environments of all processes, but those of containers and the test's own, while the command runs.
spy() {
    bed sh "$1" '
        cat >/usr/local/bin/spy <<"SPY"
#!/bin/bash
# Whose a process is comes first: one that ended meanwhile cannot be told from the test itself.
look() {
    local record
    mapfile -t cgroup <"$1/cgroup" || return
    case "${cgroup[*]}" in *docker-* | *init.scope* | "") return ;; esac
    for record in cmdline environ; do
        mapfile -d "" -t words <"$1/$record" || continue
        [ ${#words[@]} = 0 ] || printf "%s\n" "${words[@]/#/$1/$record:}"
    done
}
while :; do
    for process in /proc/[0-9]*; do look "$process"; done
    grep -ra "" /run/oauth-sync
    sleep 0.02
done >>/run/seen 2>/dev/null
SPY
        chmod 755 /usr/local/bin/spy
        systemd-run --quiet --unit=spy /usr/local/bin/spy'
    "${@:2}"
    bed exec "$1" systemctl stop spy
}

# installs_podman MACHINE [PACKAGE]...: Debian's podman, and what a real host has and a machine in a container has not:
# /dev/net/tun for everybody, /proc/sys for podman's network namespaces.
installs_podman() {
    bed sh "$1" '
        export DEBIAN_FRONTEND=noninteractive
        for try in 1 2 3; do
            if apt-get update -q && apt-get install -q -y --no-install-recommends \
                podman uidmap passt netavark aardvark-dns nftables crun catatonit "$@"; then break; fi
            [ $try != 3 ]
            sleep $((try * 5))
        done >/dev/null
        chmod 666 /dev/net/tun
        mount -o remount,bind,rw /proc/sys' "${@:2}"
}
