#!/bin/sh
# Install the sign-on service on a machine of its own.
set -eu

PORT=443
useradd --system --no-create-home signon

cat > /etc/systemd/system/signon.service <<UNIT
[Unit]
Description=Sign-on

[Service]
User=signon
ExecStart=/usr/bin/python3 -m http.server $PORT

[Install]
WantedBy=multi-user.target
UNIT

echo 'net.ipv4.tcp_tw_reuse = 1' >> /etc/sysctl.d/80-signon.conf
systemctl daemon-reload
systemctl enable --now signon.service
