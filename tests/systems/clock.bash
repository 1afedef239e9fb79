# Runs inside the machine of clock.sh, and tells on its console which claims held.
set -uo pipefail
cd /root || exit 1
login=/home/claw/.claude/.credentials.json
state=/home/claw/.openclaw
exec 2>&1

# endpoint ORDER: gives the token endpoint an order and prints its answer.
endpoint() (
    exec 3<>/dev/tcp/127.0.0.1/444
    echo "$1" >&3
    cat <&3
)

access_token() {
    sed 's/.*"accessToken": *"\([^"]*\)".*/\1/' $login
}

in_step() {
    [ "$(access_token)" = "$1" ] && grep -rqF "$1" $state
}

# By the machine's own uptime: its clock is what is being set.
wait_until() {
    local deadline=$(($(cut -d . -f 1 /proc/uptime) + $1))
    shift
    until "$@"; do
        [ "$(cut -d . -f 1 /proc/uptime)" -lt $deadline ] || return 1
        sleep 0.2
    done
}

# sign_in: a login that lives for eight hours; its access token is in $token.
sign_in() {
    local refresh
    token=invented-access-$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
    refresh=invented-refresh-$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
    endpoint "accept $refresh" >/dev/null
    (
        umask 077
        printf '{"claudeAiOauth":{"accessToken":"%s","refreshToken":"%s","expiresAt":%s000,"scopes":["user:inference"]}}' \
            "$token" "$refresh" $(($(date +%s) + 28800)) >/home/claw/.claude/new
        chown claw: /home/claw/.claude/new
        mv /home/claw/.claude/new $login
    )
}

renewed() {
    [ "$(access_token)" != "$token" ] && in_step "$(access_token)"
}

set_clock() {
    date -s "$1" >/dev/null
}

installed() {
    useradd --create-home claw
    install -d -o claw -g claw -m 700 /home/claw/.claude $state
    echo '{}' >$state/openclaw.json
    chown claw: $state/openclaw.json
    mkdir /var/lib/endpoint
    systemd-run --quiet --unit=endpoint /usr/local/bin/endpoint /var/lib/endpoint
    wait_until 60 test -s /var/lib/endpoint/ca.pem
    wait_until 60 endpoint granted >/dev/null
    cat /var/lib/endpoint/ca.pem >>/etc/ssl/certs/ca-certificates.crt
    sign_in
    DEBIAN_FRONTEND=noninteractive dpkg -i openclaw-oauth-sync.deb
    wait_until 60 in_step "$token"
}

forward() {
    set_clock '+7 hours'
    wait_until 120 renewed
}

back() {
    set_clock '-3 days'
    sign_in
    wait_until 60 in_step "$token"
}

past() {
    set_clock '+9 hours'
    wait_until 120 renewed
}

# time_server SECONDS: tells over NTP (RFC 5905) that these had passed since 1970 when the machine had run for none.
time_server() {
    perl -MSocket -e '
        my $begun = 2208988800 + shift;
        socket(S, PF_INET, SOCK_DGRAM, 0) && bind(S, sockaddr_in(123, INADDR_LOOPBACK)) or die $!;
        while (my $who = recv(S, my $asked, 48, 0)) {
            open(my $file, "/proc/uptime") or die $!;
            my $now = $begun + (split " ", <$file>)[0];
            my $time = pack("NN", int $now, ($now - int $now) * 2**32);
            my $head = pack("CCCc NN a4", 0x24, 1, 6, -20, 0, 0, "LOCL");
            send(S, $head . $time . substr($asked, 40, 8) . $time . $time, 0, $who);
        }' "$1"
}

# in_time SECONDS: the clock is past that, and the doctor has nothing to say of it.
in_time() {
    [ "$(date +%s)" -ge "$1" ] && ! oauth-sync doctor | grep clock-skew
}

mended() {
    local now command
    timedatectl set-ntp false
    now=$(date +%s)
    time_server $((now - $(cut -d . -f 1 /proc/uptime))) &
    set_clock '-1 day'
    command=$(oauth-sync doctor | sed -n '/^warning clock-skew/{n;n;s/^ *//p}')
    echo "the doctor prints: $command"
    [ -n "$command" ] && bash -c "$command" && wait_until 120 in_time "$now"
}

over() {
    [ "$(endpoint granted)" = 2 ] && [ "$(endpoint refused)" = 0 ] &&
        systemctl is-active oauth-sync.service oauth-sync-refresh.timer oauth-sync-{refresh,gateway,notify}.path &&
        [ -z "$(systemctl --failed --no-legend)" ] &&
        ! journalctl --no-pager --output=export |
            grep -ao -e 'cannot set a timer' -e 'invented-access-' -e 'invented-refresh-' -e 'invented-granted-'
}

for claim in installed forward back past mended over; do
    echo "trying: $claim"
    if $claim; then
        echo "held: $claim"
    else
        journalctl --no-pager -n 20 -u 'oauth-sync*'
    fi
done
echo "the end"
