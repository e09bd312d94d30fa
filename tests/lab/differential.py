"""What systemd says of every unit of a booted host, held against what portwright says from the same files: merged values must be equal."""

from tests.lab import machine

PACKAGES = (
    *machine.PACKAGES,
    "apache2", "avahi-daemon", "bind9", "chrony", "cron", "cups", "dnsmasq", "dovecot-imapd", "fail2ban", "freeradius", "haproxy",
    "isc-dhcp-server", "lighttpd", "mariadb-server", "memcached", "monit", "mosquitto", "munin-node", "nfs-kernel-server", "openbsd-inetd",
    "openvpn", "php8.2-fpm", "polkitd", "postfix", "postgresql", "prometheus-node-exporter", "redis-server", "rpcbind", "rsync", "samba",
    "slapd", "snmpd", "squid", "strongswan", "stubby", "supervisor", "systemd-container", "systemd-journal-remote", "systemd-resolved",
    "systemd-timesyncd", "tftpd-hpa", "tinyproxy", "tor", "udev", "unbound", "uwsgi", "varnish", "vsftpd", "xymon-client",
)  # fmt: skip
