# shellcheck shell=bash
# The kinds of installation that OpenClaw's own documents describe, made of the real OpenClaw that
# tests/real/fetch has brought. Each starts a gateway that has the token of $scratch/old in its `.env`.
# shellcheck disable=SC2016 # single-quoted scripts expand inside the machine
# shellcheck disable=SC2154 # lib.sh sets $systems and $scratch, the scenario $m

version=2026.9.6
real=${OAUTH_SYNC_REAL_DIR:-/var/cache/oauth-sync-real}

# boots SUITE [OPTION]...: a machine that has the package as `npm install --global` puts it there, and in
# /srv what stands for Anthropic's messages and keeps the token of each request.
boots() {
    bed boot "$m" "$@" -b "$real/openclaw-$version/node_modules:/usr/local/lib/node_modules:ro" \
        -b "$real/node/node_modules/node-linux-$(uname -m | sed s/x86_64/x64/):/opt/node:ro"
    bed push "$m" "$deb" "$systems/messages.mjs" /srv
    bed sh "$m" '
        ln -s /opt/node/bin/node ../lib/node_modules/openclaw/openclaw.mjs /usr/local/bin
        mv /usr/local/bin/openclaw.mjs /usr/local/bin/openclaw
        openclaw --version | grep "$1"' "$version"
}

# configures STATE_DIR BIND: OpenClaw's configuration, the workspace and the `.env`, as its setup writes them.
configures() {
    bed sh "$m" '
        mkdir -p "$1/workspace"
        cd "$1"
        cat >openclaw.json
        printf "OPENCLAW_GATEWAY_TOKEN=invented-gateway-token\nANTHROPIC_OAUTH_TOKEN=%s\n" "$2" >.env
        chmod 600 .env openclaw.json
        chown -R --reference=.. .' "$1" "$(<"$scratch/old")" <<JSON
{
  "gateway": {
    "mode": "local", "bind": "$2", "port": 18789,
    "auth": { "mode": "token", "token": "invented-gateway-token" },
    "controlUi": { "allowedOrigins": ["http://127.0.0.1:18789"] }
  },
  "agents": { "defaults": { "model": { "primary": "anthropic/claude-opus-4-6" }, "skipBootstrap": true } },
  "models": { "providers": { "anthropic": {
    "baseUrl": "http://127.0.0.1:8099", "api": "anthropic-messages", "models": []
  } } }
}
JSON
}

# person USER [BIND]: with a Claude directory and a configured OpenClaw.
person() {
    account "$m" "$1"
    configures "/home/$1/.openclaw" "${2:-loopback}"
}

# lingers USER: has a manager of services without a login.
lingers() {
    bed exec "$m" loginctl enable-linger "$1"
    wait_until 60 "bed user $m $1 systemctl --user is-active default.target"
}

lives() {
    wait_until 120 'bed exec "$m" node -e "
        fetch(\"http://127.0.0.1:18789/healthz\").then((one) => process.exit(one.ok ? 0 : 1), () => process.exit(1))"'
}

# What a person's unit looks like in OpenClaw's documents: ExecStart= and lines besides.
unit_of() {
    printf '%s\n' '[Service]' "ExecStart=$1 gateway --port 18789" Restart=always RestartSec=1 \
        RestartPreventExitStatus=78 TimeoutStopSec=20 'SuccessExitStatus=0 143' KillMode=mixed "${@:2}" \
        '[Install]' WantedBy=default.target
}

npm_global_in_a_terminal() {
    person anna
    bed user "$m" anna sh -c 'setsid sh -c "until openclaw gateway; do :; done" >gateway.log 2>&1 </dev/null &'
    lives
}

npm_global_with_its_user_unit() {
    person bert
    lingers bert
    bed user "$m" bert openclaw gateway install
    lives
}

npm_global_with_a_system_unit() {
    person dora
    unit_of /usr/local/bin/openclaw User=dora |
        bed sh "$m" 'cat >/etc/systemd/system/openclaw-gateway.service; systemctl daemon-reload
            systemctl start openclaw-gateway'
    lives
}

npm_per_user_with_a_user_unit() {
    person emil
    lingers emil
    bed sh "$m" '
        install -d ~emil/.npm-global ~emil/.npm-global/{lib,bin}
        cp -a /usr/local/lib/node_modules ~emil/.npm-global/lib
        ln -s ../lib/node_modules/openclaw/openclaw.mjs ~emil/.npm-global/bin/openclaw
        rm /usr/local/bin/openclaw
        mkdir -p ~emil/.config/systemd/user
        cat >~emil/.config/systemd/user/openclaw-gateway.service
        chown -R emil: ~emil' < <(unit_of '%h/.npm-global/bin/openclaw')
    bed user "$m" emil systemctl --user daemon-reload
    bed user "$m" emil systemctl --user start openclaw-gateway.service
    lives
}

# The role's user, its pnpm directories and the unit of its template; the package is emil's, moved.
ansible_role() {
    person openclaw
    bed sh "$m" '
        cd ~openclaw
        mkdir -p .cache .local/bin .local/share/pnpm/global/5
        mv /srv/node_modules .local/share/pnpm/global/5
        cat >.local/bin/openclaw <<"SHIM"
#!/bin/sh
exec node "$(dirname "$0")/../share/pnpm/global/5/node_modules/openclaw/openclaw.mjs" "$@"
SHIM
        chmod 755 .local/bin/openclaw
        chown -R openclaw: ~openclaw
        cat >/etc/systemd/system/openclaw.service
        systemctl daemon-reload
        systemctl start openclaw' < <(
        unit_of /home/openclaw/.local/bin/openclaw User=openclaw Group=openclaw WorkingDirectory=/home/openclaw \
            'Environment=PATH=/home/openclaw/.local/bin:/usr/local/bin:/usr/bin:/bin' \
            'Environment=PNPM_HOME=/home/openclaw/.local/share/pnpm' NoNewPrivileges=true PrivateTmp=true \
            ProtectSystem=strict ProtectHome=read-only 'ReadWritePaths=/home/openclaw/.openclaw /home/openclaw/.cache'
    )
    lives
}

# leaves USER: with all that the user has; what lies in /srv stays.
leaves() {
    bed sh "$m" '
        for unit in openclaw openclaw-gateway; do
            if [ -e "/etc/systemd/system/$unit.service" ]; then
                systemctl kill --signal=KILL "$unit"
                rm "/etc/systemd/system/$unit.service"
            fi
        done
        systemctl daemon-reload
        rm -f "/var/lib/systemd/linger/$1"
        # whoever is there starts another one
        until ! pgrep -u "$1" >/dev/null; do
            pkill -KILL -u "$1" || :
            systemctl stop "user@$(id -u "$1")"
        done
        [ ! -e "/home/$1/.npm-global" ] || mv "/home/$1/.npm-global/lib/node_modules" /srv' "$1"
    wait_until 60 "bed exec $m userdel --remove $1"
}

# image [node_modules]: what the package needs of a system, with the package or without it, for `docker import`.
image() {
    bed sh "$m" '
        mkdir -p /root/image/usr/local/{bin,lib} /root/image/{home/node,etc,tmp,proc,sys,dev}
        cd /root/image
        for name in bin lib lib64 sbin; do ln -s usr/$name $name; done
        chmod 1777 tmp
        chown 1000:1000 home/node
        echo root:x:0:0::/root:/bin/sh >etc/passwd
        echo node:x:1000:1000::/home/node:/bin/sh >>etc/passwd
        ln -s ../lib/node_modules/openclaw/openclaw.mjs usr/local/bin/openclaw
        ln -s usr/local/lib/node_modules/openclaw app
        tar -c --transform "s,^bin/node,usr/local/bin/node,;s,^node_modules,usr/local/lib/node_modules," \
            --exclude="*/perl*" --exclude=usr/bin/docker* --exclude=usr/bin/containerd* --exclude=openclaw/docs \
            -C /root/image . -C / usr/bin usr/lib/x86_64-linux-gnu usr/lib64 \
            -C /opt/node bin/node ${1:+-C /usr/local/lib "$1"}' "$@"
}

image_settings=(--change 'USER node' --change 'ENV HOME=/home/node' --change 'ENV PATH=/usr/local/bin:/usr/bin'
    --change 'WORKDIR /app' --change 'CMD ["node","dist/index.js","gateway","--bind","lan","--port","18789"]')

# project FOLDER STATE_DIR: OpenClaw's compose project, with what its setup writes into `.env`; up.
project() {
    bed sh "$m" '
        mkdir -p "$1"
        cd "$1"
        cat >docker-compose.yml
        printf "%s\n" "OPENCLAW_CONFIG_DIR=$2" "OPENCLAW_WORKSPACE_DIR=$2/workspace" \
            OPENCLAW_GATEWAY_TOKEN=invented-gateway-token "ANTHROPIC_OAUTH_TOKEN=$3" >.env
        chmod 600 .env
        chown --reference=.. . docker-compose.yml .env
        docker compose up -d' "$1" "$2" "$(<"$scratch/old")" <<'COMPOSE'
services:
  openclaw-gateway:
    image: ${OPENCLAW_IMAGE:-openclaw:local}
    env_file:
      - path: .env
        required: false
    environment:
      HOME: /home/node
      OPENCLAW_CONFIG_DIR: /home/node/.openclaw
      OPENCLAW_WORKSPACE_DIR: /home/node/.openclaw/workspace
      OPENCLAW_GATEWAY_TOKEN: ${OPENCLAW_GATEWAY_TOKEN}
    volumes:
      - ${OPENCLAW_CONFIG_DIR}:/home/node/.openclaw
      - ${OPENCLAW_WORKSPACE_DIR}:/home/node/.openclaw/workspace
    ports: ['127.0.0.1:18789:18789']
    init: true
    restart: unless-stopped
COMPOSE
    lives
}
