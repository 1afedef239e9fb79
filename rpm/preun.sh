# $1: 0 when the last version goes, 1 at an upgrade, where this is the old version's and touches nothing.
if [ "$1" -eq 0 ]; then
    now=
    [ ! -d /run/systemd/system ] || now=--now
    systemctl --no-reload disable $now oauth-sync.service oauth-sync-refresh.timer >/dev/null 2>&1 || :
    if [ -n "$now" ]; then
        systemctl stop oauth-sync-refresh.path oauth-sync-gateway.path oauth-sync-notify.path \
            oauth-sync-renew.service oauth-sync-deliver.service oauth-sync-tell.service >/dev/null 2>&1 || :
    fi
    timeout 60 oauth-sync withdraw </dev/null >&2 || :
fi
exit 0
