net.ipv4.ip_local_port_range = 20000 50000
-net/ipv4/tcp_tw_reuse=1
# c
net.ipv4.ip_local_reserved_ports=1,2-3,0x50
net.*.rp_filter = 1
-net.core.somaxconn
