# shellcheck shell=bash
# The harness of the system tests. A scenario sources it, then says what must hold:
#
#     . "$(dirname "$0")/lib.sh"
#     need "a trixie machine boots" bed boot a trixie
#     t "the timer is enabled" bed exec a systemctl is-enabled oauth-sync-refresh.timer
#
# Machines that the scenario booted are stopped at its end, and the last line tells the sums.
set -euo pipefail

systems=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scenario=$(basename "$0" .sh)
scratch=$(mktemp -d)
passed=0
failed=0
finished=
: >"$scratch/canaries"
: >"$scratch/machines"
endings=()
trap 'close_scenario $?' EXIT
trap 'exit 130' INT TERM

bed() {
    [ "$1" != boot ] || echo "$2" >>"$scratch/machines"
    "$systems/bed" "$@"
}

# build TARGET...: has make build packages, unless the run that this scenario belongs to has done so.
build() {
    [ -n "${SYSTEMS_BUILT:-}" ] || make -C "$systems/../.." "$@"
}

# reachable SPEC: holds if a machine of that kind can be built; Ubuntu's archive is not to be had everywhere.
reachable() {
    bed build "$1" || {
        echo "# $1: its archive cannot be reached, so nothing is shown of it"
        return 1
    }
}

# at_end COMMAND...: runs it when the scenario ends, however it ends.
at_end() {
    endings+=("$(printf '%q ' "$@")")
}

# t SENTENCE COMMAND...: one claim. The command may be a function; it runs in a subshell where
# any failing line fails it, and its output is shown only then.
t() {
    local sentence=$1 status
    shift
    set +e
    (
        set -e
        "$@"
    ) >"$scratch/output" 2>&1 </dev/null
    status=$?
    set -e
    if [ $status = 0 ]; then
        passed=$((passed + 1))
        echo "ok - $sentence"
        return
    fi
    failed=$((failed + 1))
    echo "not ok - $sentence (status $status)"
    tail -n 40 "$scratch/output" | sed 's/^/    /'
}

# Like t, for what all that follows stands on: if it fails, the scenario ends here.
need() {
    local before=$failed
    t "$@"
    [ "$failed" = "$before" ] || {
        echo "not ok - the rest of $scenario (could not run)"
        failed=$((failed + 1))
        finished=early
        exit 1
    }
}

# fails COMMAND...: holds if the command fails.
fails() {
    ! "$@" || {
        echo "this went through: $*"
        return 1
    }
}

# says TEXT COMMAND...: holds if the command succeeds and its output contains the text.
says() {
    local text=$1 output
    shift
    output=$("$@" 2>&1) || {
        echo "$output"
        return 1
    }
    [[ $output == *"$text"* ]] || {
        printf 'no "%s" in:\n%s\n' "$text" "$output"
        return 1
    }
}

# wait_until SECONDS CONDITION: polls a line of shell until it is true.
wait_until() {
    local seconds=$1 deadline=$((SECONDS + $1 + 1))
    shift
    until (eval "$*") >"$scratch/condition" 2>&1; do
        if [ $SECONDS -ge $deadline ]; then
            echo "not within $seconds s: $*"
            cat "$scratch/condition"
            return 1
        fi
        sleep 0.1
    done
}

# canary PREFIX: prints a new invented token and remembers it for no_token_in.
canary() {
    local token
    token=$1$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
    echo "$token" >>"$scratch/canaries"
    echo "$token"
}

# Prints pieces of every canary, so that a shortened token is found too.
canary_pieces() {
    sed -E 's/.*(.{16})(.{16})(.{16})$/\1\n\2\n\3/' "$scratch/canaries"
}

# no_token_in PLACE...: holds if no canary is there. A place is a file or folder, one inside a
# machine (NAME:/path), its whole journal (journal:NAME) or all its argument lists (argv:NAME).
# An empty place fails: a search that saw nothing proves nothing. Tokens are not printed.
no_token_in() {
    local place status=0
    [ -s "$scratch/canaries" ] || {
        echo "no canary was made"
        return 1
    }
    canary_pieces >"$scratch/pieces"
    for place in "$@"; do
        show_place "$place" >"$scratch/place" || status=1
        if [ ! -s "$scratch/place" ]; then
            echo "nothing to search in $place"
            status=1
        elif grep -qaFf "$scratch/pieces" "$scratch/place"; then
            echo "a token in $place:"
            grep -anFf "$scratch/pieces" "$scratch/place" | cut -c 1-300 |
                sed -E "$(sed 's/.*/s|&|[token]|g/' "$scratch/pieces")"
            status=1
        fi
    done
    return $status
}

# Prints a place with the file names in front of its lines, binary files as they are.
show_place() {
    case $1 in
        journal:*) bed exec "${1#*:}" journalctl --no-pager --output=export ;;
        argv:*) bed exec "${1#*:}" sh -c 'cat /proc/[0-9]*/cmdline | tr "\0" "\n"' ;;
        [!/.]*:/*) bed exec "${1%%:*}" grep -ra '' "${1#*:}" ;;
        *) grep -ra '' "$1" ;;
    esac
}

# boot_rpm NAME: a machine where rpm and dnf work as on a system of their own.
boot_rpm() {
    bed boot "$1" bookworm+rpm
    bed push "$1" "$systems/stubs.spec" /tmp
    bed sh "$1" <<'SCRIPT'
mkdir -p /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
rpm --initdb
# Debian enables what has no preset, an RPM system does not
mkdir -p /usr/lib/systemd/system-preset
echo 'disable *' >/usr/lib/systemd/system-preset/99-default-disable.preset
rpmbuild --quiet -bb --define '_rpmdir /tmp/rpms' /tmp/stubs.spec
rpm -i /tmp/rpms/x86_64/bed-stubs-1-1.x86_64.rpm
SCRIPT
}

close_scenario() {
    local status=$1 name ending
    trap - EXIT
    set +e
    if [ "$status" != 0 ] && [ -z "$finished" ]; then
        echo "not ok - $scenario ran to its end (status $status)"
        failed=$((failed + 1))
    fi
    while read -r name; do
        "$systems/bed" stop "$name" >/dev/null 2>&1
    done <"$scratch/machines"
    for ending in "${endings[@]}"; do
        eval "$ending" >/dev/null 2>&1
    done
    rm -rf "$scratch"
    if [ $((passed + failed)) = 0 ]; then
        echo "not ok - $scenario tests something"
        failed=1
    fi
    # the runner adds up what the scenarios leave there
    if [ -n "${SYSTEMS_SUMS:-}" ]; then
        echo "$passed $failed" >>"$SYSTEMS_SUMS"
        echo "$scenario: $passed passed, $failed failed"
    else
        echo "systems: $passed passed, $failed failed"
    fi
    # a bare exit in a trap gives the status from before it
    exit $((failed > 0))
}
