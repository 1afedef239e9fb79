# After the old version's files and scripts are gone. Never the oneshots: a renewal is not to be torn.
# What cannot run is not started anew: post has said so.
oauth-sync --version >/dev/null 2>&1 || exit 0
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    systemctl try-restart oauth-sync.service oauth-sync-refresh.timer oauth-sync-refresh.path \
        oauth-sync-gateway.path oauth-sync-notify.path >/dev/null 2>&1 || :
fi
exit 0
