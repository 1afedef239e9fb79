# After the old version's files and scripts are gone. Never the oneshots: a renewal is not to be torn.
# What cannot run is not started anew: post has said so.
oauth-sync --version >/dev/null 2>&1 || exit 0
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    # The timer starts with the service since 1.1.0, by a link that enabling makes.
    ! systemctl --quiet is-enabled oauth-sync-refresh.timer 2>/dev/null ||
        systemctl --no-reload enable oauth-sync-refresh.timer >/dev/null 2>&1 || :
    # A program that could not start is no reason to keep out the one that is there now.
    failed=
    ! systemctl --quiet is-failed oauth-sync.service || failed=yes
    systemctl reset-failed 'oauth-sync*' >/dev/null 2>&1 || :
    [ -z "$failed" ] || systemctl start oauth-sync.service >/dev/null 2>&1 || :
    systemctl try-restart oauth-sync.service oauth-sync-refresh.timer oauth-sync-refresh.path \
        oauth-sync-gateway.path oauth-sync-notify.path >/dev/null 2>&1 || :
fi
exit 0
