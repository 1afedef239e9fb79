# $1: 1 at the first installation, 2 at an upgrade. Presets decide what is switched on.
# A program that this host cannot run would be started again and again; so nothing is, and this is said once.
if ! said=$(oauth-sync --version 2>&1); then
    echo "openclaw-oauth-sync does not run on this host, no service is started: $(printf '%s\n' "$said" | head -n 1)" >&2
    exit 1
fi
mkdir -p /etc/oauth-sync/hooks.d || :
if [ -d /run/systemd/system ]; then
    systemd-tmpfiles --create oauth-sync.conf >/dev/null 2>&1 || :
fi
if [ "$1" -eq 1 ]; then
    systemctl --no-reload preset oauth-sync.service oauth-sync-refresh.timer >/dev/null 2>&1 || :
    timeout 60 oauth-sync detect --write --all </dev/null >&2 || :
fi
# What an earlier version took and this one refuses is listed; none of it is changed.
if [ "$1" -gt 1 ]; then
    timeout 60 oauth-sync doctor --upgrade </dev/null >&2 || :
fi
exit 0
