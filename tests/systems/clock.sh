#!/usr/bin/env bash
# Scenario: the installed units on a machine whose clock is really set, forward and back. Booted machines
# share their host's clock, so this one has a kernel of its own, in an emulator.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/systems/furnish.bash
. "$systems/furnish.bash"

tree=$scratch/tree

# What is pushed into a booted machine lies on this one's disk from the beginning.
furnished() {
    mkdir "$tree"
    tar -C "$tree" --zstd -xpf "$("$systems/bed" built trixie+kernel)"
    build_endpoint
    # what clock.bash makes up there counts as a canary too
    printf '%s\n' invented-access- invented-refresh- >>"$scratch/canaries"
    cp "$deb" "$root/tests/systems/clock.bash" "$tree/root"
    cp "$scratch/endpoint" "$tree/usr/local/bin"
    echo clock >"$tree/etc/hostname"
    printf '127.0.0.1 localhost %s\n' 'platform.claude.com console.anthropic.com api.anthropic.com' >"$tree/etc/hosts"
    cat >"$tree/etc/systemd/system/clock.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=idle
ExecStart=/bin/bash /root/clock.bash
StandardOutput=tty
TTYPath=/dev/ttyS0
UNIT
    mkdir "$tree/etc/systemd/timesyncd.conf.d"
    printf '[Time]\nNTP=127.0.0.1\n' >"$tree/etc/systemd/timesyncd.conf.d/clock.conf"
    ln -s /dev/null "$tree/etc/systemd/system/serial-getty@ttyS0.service"
    ln -s ../clock.service "$tree/etc/systemd/system/multi-user.target.wants"
}

# Emulated, not virtualized: that works on any host, and half a minute is all that it costs.
runs() {
    mke2fs -q -t ext4 -d "$tree" "$scratch/disk" 2G
    qemu-system-x86_64 -accel tcg -cpu max -m 1024 -smp 2 -display none -nic none -no-reboot \
        -kernel "$tree"/boot/vmlinuz-* -initrd "$tree"/boot/initrd.img-* \
        -append 'root=/dev/vda rw console=ttyS0 quiet' -serial "file:$scratch/console" \
        -drive "file=$scratch/disk,if=virtio,format=raw,cache=unsafe" &
    echo $! >"$scratch/emulator"
    at_end kill -9 $!
    wait_until 600 "grep -q '^the end' '$scratch/console'" || {
        tail -n 30 "$scratch/console"
        return 1
    }
    kill "$(cat "$scratch/emulator")"
}

# held CLAIM: the machine found that it holds; what it saw otherwise is shown.
held() {
    grep -qx "held: $1"$'\r*' "$scratch/console" || {
        sed -n "/^trying: $1/,/^trying: /p" "$scratch/console"
        return 1
    }
}

need "the package is built" build_deb
need "a machine with a kernel of its own is there" "$systems/bed" build trixie+kernel
need "it has a login, an OpenClaw, a token endpoint and the package" furnished
need "it runs to its end" runs
t "the package is installed, and a login is passed on" held installed
t "a clock that is set forward makes a login due, which is renewed and passed on" held forward
t "one that is set back by days keeps no new login away" held back
t "one that is set past the end of a token has it renewed" held past
t "the doctor sees that the clock is wrong, and what it prints sets it by the network's time" held mended
t "in the end all units are up, nothing was spent twice, and the journal tells no trouble and no token" held over
t "no token is on its console" no_token_in "$scratch/console"
finished=yes
