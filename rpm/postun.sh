# $1: 0 when the last version is gone. At an upgrade posttrans does it, with the new version's text.
if [ "$1" -eq 0 ]; then
    [ ! -d /run/systemd/system ] || systemctl daemon-reload >/dev/null 2>&1 || :
    rm -rf /run/oauth-sync || :
    rmdir /etc/oauth-sync/hooks.d /etc/oauth-sync >/dev/null 2>&1 || :
fi
exit 0
