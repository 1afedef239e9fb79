#!/usr/bin/env bash
# Scenario: the bed itself. What the other scenarios take for granted is shown here to take effect
# on these machines, above all that a sandbox refuses what it should.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"

docker_tests=$systems/../docker

# put_unit MACHINE NAME: a unit file from stdin.
put_unit() {
    bed sh "$1" 'cat >"/etc/systemd/system/$1"; systemctl daemon-reload' "$2"
}

# confined MACHINE PROPERTY... -- COMMAND...: runs under these service properties, in the
# foreground; its output and status come back.
confined() {
    local machine=$1 properties=()
    shift
    while [ "$1" != -- ]; do
        properties+=(--property="$1")
        shift
    done
    shift
    bed exec "$machine" systemd-run --quiet --wait --pipe --collect "${properties[@]}" "$@"
}

path_unit_serves_a_queue() {
    local machine=$1
    put_unit "$machine" queue.path <<'UNIT'
[Path]
DirectoryNotEmpty=/run/queue.d
MakeDirectory=yes
UNIT
    put_unit "$machine" queue.service <<'UNIT'
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'for request in /run/queue.d/*; do rm $request; echo served $request; done'
UNIT
    bed exec "$machine" systemctl start queue.path
    for request in first second; do
        bed exec "$machine" touch "/run/queue.d/$request"
        wait_until 60 "bed exec $machine journalctl -u queue | grep 'served .*$request'"
    done
}

timer_fires_again() {
    local machine=$1
    put_unit "$machine" tick.timer <<'UNIT'
[Timer]
OnActiveSec=200ms
OnUnitActiveSec=200ms
AccuracySec=10ms
UNIT
    put_unit "$machine" tick.service <<'UNIT'
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo tick >>/run/ticks'
UNIT
    bed exec "$machine" systemctl start tick.timer
    wait_until 60 "bed sh $machine '[ \$(wc -l </run/ticks) -ge 3 ]'"
}

lingering_user_runs_units() {
    local machine=$1
    bed sh "$machine" <<'SCRIPT'
useradd --create-home --shell /bin/bash alice
loginctl enable-linger alice
mkdir -p /home/alice/.config/systemd/user
cat >/home/alice/.config/systemd/user/hello.service <<'UNIT'
[Service]
ExecStart=/bin/sh -c 'echo hello from $USER; exec sleep infinity'
[Install]
WantedBy=default.target
UNIT
chown -R alice: /home/alice
SCRIPT
    wait_until 60 "bed user $machine alice systemctl --user is-system-running"
    bed user "$machine" alice systemctl --user daemon-reload
    bed exec "$machine" systemctl --user -M alice@ enable --now hello.service
    says active bed exec "$machine" systemctl --user -M alice@ is-active hello.service
    wait_until 60 "bed exec $machine journalctl _SYSTEMD_USER_UNIT=hello.service |
        grep 'hello from alice'"
}

strict_allows_only_its_paths() {
    local machine=$1 strict=(ProtectSystem=strict ReadWritePaths=/srv/open)
    bed exec "$machine" mkdir -p /srv/open /srv/shut
    confined "$machine" "${strict[@]}" -- touch /srv/open/file
    bed exec "$machine" test -e /srv/open/file
    fails confined "$machine" "${strict[@]}" -- touch /srv/shut/file
    fails confined "$machine" "${strict[@]}" -- touch /etc/file
    bed exec "$machine" touch /srv/shut/file
}

noexec_allows_only_its_program() {
    local machine=$1 noexec=(NoExecPaths=/ "ExecPaths=/usr/bin/bash /usr/lib")
    says inside confined "$machine" "${noexec[@]}" -- bash -c 'echo inside'
    fails says uid= confined "$machine" "${noexec[@]}" -- bash -c id
    says uid= confined "$machine" -- bash -c id
}

# The listener is on the machine's loopback: with the property the service has another one.
private_network_is_refused() {
    local machine=$1 talk='exec 3<>/dev/tcp/127.0.0.1/7007 && cat <&3'
    put_unit "$machine" greet.socket <<'UNIT'
[Socket]
ListenStream=127.0.0.1:7007
Accept=yes
UNIT
    put_unit "$machine" greet@.service <<'UNIT'
[Service]
ExecStart=/bin/echo welcome
StandardInput=socket
StandardOutput=socket
UNIT
    bed exec "$machine" systemctl start greet.socket
    says welcome confined "$machine" -- bash -c "$talk"
    fails confined "$machine" PrivateNetwork=yes -- bash -c "$talk"
    fails confined "$machine" IPAddressDeny=any -- timeout 5 bash -c "$talk"
    fails confined "$machine" RestrictAddressFamilies=AF_UNIX -- bash -c "$talk"
}

search_finds_a_token() {
    local machine=$1 token
    token=$(canary canary-)
    no_token_in "journal:$machine" "argv:$machine" "$machine:/etc"
    bed exec "$machine" systemd-cat echo "refreshed ${token:8:40}"
    bed exec "$machine" journalctl --sync
    fails no_token_in "journal:$machine"
    bed sh "$machine" 'echo "$1" >/etc/leak' "$token"
    fails no_token_in "$machine:/etc"
    echo "key: $token" >"$scratch/leak"
    says '[token]' fails no_token_in "$scratch/leak"
    fails no_token_in "$machine:/nowhere"
    : >"$scratch/canaries"
}

leftovers_are_told() {
    local machine=$1
    bed mark "$machine"
    says clean bed left "$machine"
    bed exec "$machine" touch /etc/forgotten
    fails says clean bed left "$machine"
    bed exec "$machine" rm /etc/forgotten
    says clean bed left "$machine"
}

survives_a_reboot() {
    local machine=$1
    bed reboot "$machine"
    says running bed exec "$machine" systemctl is-system-running
    wait_until 60 "bed exec $machine systemctl --user -M alice@ is-active hello.service"
}

check_suite() {
    local suite=$1
    need "$suite boots" bed boot "$suite" "$suite" -n none
    t "$suite is running, no unit failed" says running bed exec "$suite" systemctl is-system-running
    t "$suite: DirectoryNotEmpty= serves request after request" path_unit_serves_a_queue "$suite"
    t "$suite: a timer fires again and again" timer_fires_again "$suite"
    t "$suite: a lingering user's unit is reached by -M alice@" lingering_user_runs_units "$suite"
    t "$suite: ProtectSystem=strict allows ReadWritePaths= only" \
        strict_allows_only_its_paths "$suite"
    t "$suite: NoExecPaths=/ allows ExecPaths= only" noexec_allows_only_its_program "$suite"
    t "$suite: network properties cut a service off loopback" private_network_is_refused "$suite"
    t "$suite: the search for tokens finds one" search_finds_a_token "$suite"
    t "$suite: leftovers are told" leftovers_are_told "$suite"
    t "$suite: user units come back after a reboot" survives_a_reboot "$suite"
    bed stop "$suite"
}

rpm_checks_requirements() {
    bed sh rpm <<'SCRIPT'
for need in systemd surely-missing; do
    printf '%s\n' "Name: needs-$need" 'Version: 1' 'Release: 1' 'Summary: s' 'License: none' \
        'BuildArch: noarch' "Requires: $need" '%description' '%files' >/tmp/needs.spec
    rpmbuild --quiet -bb --define '_rpmdir /tmp/rpms' /tmp/needs.spec
done
rpm -i /tmp/rpms/noarch/needs-systemd-1-1.noarch.rpm
if rpm -i /tmp/rpms/noarch/needs-surely-missing-1-1.noarch.rpm; then exit 1; fi
dnf -q -y --releasever=42 remove needs-systemd
dnf -q -y --releasever=42 install /tmp/rpms/noarch/needs-systemd-1-1.noarch.rpm
rpm -q needs-systemd
SCRIPT
}

# --- compose, on a machine's own Docker and on the engine of this host ---------------------

# The project's folder is the working folder of all that follows.
start_gateway() {
    cat >compose.yaml <<'COMPOSE'
services:
  openclaw-gateway:
    image: openclaw:local
    environment:
      ANTHROPIC_OAUTH_TOKEN: ${ANTHROPIC_OAUTH_TOKEN:?}
  other:
    image: openclaw:local
COMPOSE
    echo ANTHROPIC_OAUTH_TOKEN=invented-one >.env
    docker compose up -d
    gateway_has invented-one
}

id_of() {
    docker compose ps --quiet "$1"
}

gateway_has() {
    docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' \
        "$(id_of openclaw-gateway)" | grep -x "ANTHROPIC_OAUTH_TOKEN=$1"
    for _ in {1..300}; do
        ! docker compose exec -T openclaw-gateway \
            wget -qO- http://127.0.0.1:18789/healthz || break
        sleep 0.1
    done
    docker compose exec -T openclaw-gateway wget -qO- http://127.0.0.1:18789/env |
        grep " environment .* $1\$"
}

restart_keeps_the_old() {
    echo ANTHROPIC_OAUTH_TOKEN=invented-two >.env
    docker compose restart openclaw-gateway
    gateway_has invented-one
}

up_gives_the_new() {
    local other gateway
    other=$(id_of other)
    gateway=$(id_of openclaw-gateway)
    docker compose up -d
    gateway_has invented-two
    [ "$(id_of other)" = "$other" ]
    [ "$(id_of openclaw-gateway)" != "$gateway" ]
}

forced_recreation_leaves_others_alone() {
    local other gateway
    other=$(id_of other)
    gateway=$(id_of openclaw-gateway)
    docker compose up -d --no-deps --no-build --pull never --force-recreate openclaw-gateway
    gateway_has invented-two
    [ "$(id_of other)" = "$other" ]
    [ "$(id_of openclaw-gateway)" != "$gateway" ]
}

dying_and_slow_gateways() {
    local died began=$SECONDS
    docker run --name dies --env GATEWAY_MODE=die openclaw:local || died=$?
    [ "$died" = 1 ]
    docker run --detach --name slow --env GATEWAY_STOP_SECONDS=2 openclaw:local
    docker stop slow
    [ $((SECONDS - began)) -ge 2 ]
    [ "$(docker inspect --format '{{.State.ExitCode}}' slow)" = 0 ]
}

# A function and those it calls, run where the Docker is.
in_machine() {
    bed sh docker "mkdir -p /root/gateway; cd /root/gateway
$(declare -f id_of gateway_has "$1")
$1"
}

on_host() (
    eval "$("$docker_tests/engine" env)"
    mkdir -p "$scratch/gateway"
    cd "$scratch/gateway"
    "$1"
)

check_compose() {
    local place=$1 run=$2
    need "$place: compose starts a gateway, its environment has the token" "$run" start_gateway
    t "$place: restart keeps the old environment" "$run" restart_keeps_the_old
    t "$place: up -d gives the new one, to the one service" "$run" up_gives_the_new
    t "$place: a forced recreation leaves other services alone" \
        "$run" forced_recreation_leaves_others_alone
    t "$place: a gateway dies at start, one ends slowly" "$run" dying_and_slow_gateways
}

load_into_machine() {
    "$docker_tests/image" save "$scratch/image.tar"
    bed push docker "$scratch/image.tar" /tmp
    bed exec docker docker load --input /tmp/image.tar
}

load_into_engine() {
    eval "$("$docker_tests/engine" env)"
    "$docker_tests/image" load
}

check_suite bookworm
check_suite trixie

need "bookworm+rpm boots with an rpm database" boot_rpm rpm
t "rpm checks what a package requires" rpm_checks_requirements
bed stop rpm

need "trixie+docker boots behind nat" bed boot docker trixie+docker -n nat
need "its own dockerd takes an image" load_into_machine
check_compose "in the machine" in_machine
bed stop docker

at_end "$docker_tests/engine" stop
need "an engine starts on this host" "$docker_tests/engine" start
need "it takes an image" load_into_engine
check_compose "on this host" on_host
t "the engine stops" "$docker_tests/engine" stop
