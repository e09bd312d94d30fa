"""SELinux's targeted policy: which types of port the domain of a service may bind, and which ports are of that type."""

from portwright._start.records import dataclass
from portwright.facts import Protocol
from portwright.ports import PortSet, union
from portwright.system.host_files.selinux import Enforced

# fedora-selinux/selinux-policy: corenetwork.te.in (network_port) and the corenet_tcp_bind_*_port of each domain's module.
_TCP: dict[str, str] = {
    "amqp_port_t": "5671-5672,15672",
    "commplex_main_port_t": "5000",
    "couchdb_port_t": "5984,6984",
    "dns_port_t": "53,853",
    "epmd_port_t": "4369",
    "http_cache_port_t": "8080,8118,8123,10001-10010",
    "http_port_t": "80-81,443,488,8008-8009,8443,9000",
    "jboss_management_port_t": "4447,4712,7600,9123,9990,9999,18001",
    "jboss_messaging_port_t": "5445,5455",
    "jabber_client_port_t": "5222-5223",
    "jabber_interserver_port_t": "5269,5280",
    "ldap_port_t": "389,636,3268-3269,7389",
    "lmtp_port_t": "24,2003",
    "mail_port_t": "2000,3905",
    "memcache_port_t": "11211",
    "mongod_port_t": "27017-27019,28017-28019",
    "mysqld_port_t": "1186,3306,63132-63164",
    "ntop_port_t": "3000-3001",
    "openvpn_port_t": "1194",
    "pop_port_t": "106,109-110,143,220,993,995,1109,10993",
    "postgresql_port_t": "5432,9898",
    "puppet_port_t": "8140",
    "rabbitmq_port_t": "25672",
    "redis_port_t": "6379,16379,26379",
    "rndc_port_t": "953,8953",
    "rsh_port_t": "514",
    "sieve_port_t": "4190",
    "smtp_port_t": "25,465,587",
    "snmp_port_t": "161-162,199,1161,10161-10162",
    "agentx_port_t": "705",
    "ssh_port_t": "22",
    "syslog_tls_port_t": "6514,10514",
    "syslogd_port_t": "601,20514",
    "tangd_port_t": "7406",
    "tram_port_t": "4567",
    "varnishd_port_t": "6081-6082",
    "websm_port_t": "9090",
    "vnc_port_t": "5900-5983,5985-5999",
    "xserver_port_t": "6000-6020",
    "zabbix_agent_port_t": "10050",
    "zabbix_port_t": "10051",
}
# Other types that have ports of their own: `semanage port -a` refuses such a port, `-m` changes it.
_OTHERS = (
    "1,9,13,19-21,37,60,67-70,79,88,113,135-139,179,194,427,445,500,512-515,543,546-548,631,636,647,749-750,754,783,847,873,"
    "891-892,901,989-990,1720,1782,1863,2049,2105,2207-2208,2273,2605,2610,3052,3128,3198,3260,3310,3389,3401,3551,3632,3636,"
    "4330,4379,4444,4827,5004-5005,5060-5061,5345,5347,5353,5357,5546,5666,5985,6633,6653,6667,6697,6767,6969,7890,7911,8000,"
    "8081-8083,8099,8610-8614,8890-8891,8893,8952,9001,9030,9050-9051,9090,9100-9102,9150,9418,9433,9875,10026-10027,10031,16001,"
    "18120-18121,50000,50002"
)
# By domain: the types it may bind with TCP, the first of them the one that an administrator gives to a port for it, and the boolean
# that lets it bind any. Domains that may bind what nobody else has (named_t with UDP, postfix_master_t, stunnel_t) are left out.
_DOMAINS: dict[str, tuple[str, str]] = {
    "cockpit_ws_t": ("websm_port_t", ""),
    "couchdb_t": ("couchdb_port_t", ""),
    "dovecot_t": ("pop_port_t lmtp_port_t mail_port_t sieve_port_t smtp_port_t", ""),
    "haproxy_t": ("http_port_t http_cache_port_t commplex_main_port_t", "haproxy_connect_any"),
    "httpd_t": (
        "http_port_t http_cache_port_t jboss_management_port_t jboss_messaging_port_t ntop_port_t puppet_port_t",
        "",
    ),
    "memcached_t": ("memcache_port_t", ""),
    "mongod_t": ("mongod_port_t", ""),
    "mysqld_t": ("mysqld_port_t tram_port_t", ""),
    "named_t": ("dns_port_t rndc_port_t", ""),
    "openvpn_t": ("openvpn_port_t http_port_t", ""),
    "postgresql_t": ("postgresql_port_t", ""),
    "privoxy_t": ("http_cache_port_t", ""),
    "rabbitmq_t": ("rabbitmq_port_t amqp_port_t epmd_port_t jabber_client_port_t jabber_interserver_port_t", ""),
    "redis_t": ("redis_port_t", ""),
    "slapd_t": ("ldap_port_t", ""),
    "snmpd_t": ("snmp_port_t agentx_port_t", ""),
    "sshd_t": ("ssh_port_t vnc_port_t xserver_port_t", ""),
    "syslogd_t": ("syslogd_port_t rsh_port_t syslog_tls_port_t", ""),
    "tangd_t": ("tangd_port_t http_port_t", ""),
    "varnishd_t": ("http_port_t http_cache_port_t varnishd_port_t", "varnishd_connect_any"),
    "zabbix_agent_t": ("zabbix_agent_port_t", ""),
    "zabbix_t": ("zabbix_port_t", ""),
}


@dataclass(frozen=True, slots=True)
class Mislabelled:
    """A port that a domain is not permitted to bind, the type that would let it, and the command that gives it to the port."""

    domain: str
    port: int
    wanted: str
    command: str


def mislabelled(domains: tuple[str, ...], protocol: Protocol, ports: PortSet, policy: Enforced) -> Mislabelled | None:
    """The first of the ports that none of a daemon's domains may bind, None where one may bind all, or nobody can tell."""
    domain = next((each for each in domains if each in _DOMAINS), None)
    if domain is None or protocol != "tcp" or domain in policy.permissive:
        return None
    types, boolean = _DOMAINS[domain]
    if boolean in policy.booleans:
        return None
    permitted = [PortSet.parse(_TCP[each]) for each in types.split()]
    permitted += [added for each, added in policy.ports if each in types.split()]
    if domain == "named_t" and "named_tcp_bind_http_port" in policy.booleans:
        permitted.append(PortSet.parse(_TCP["http_port_t"]))
    left = ports.minus(union(permitted))
    if left.low is None:
        return None
    labelled = PortSet.parse(_OTHERS).union(*(PortSet.parse(each) for each in _TCP.values()))
    labelled = labelled.union(*(added for _, added in policy.ports))
    wanted = types.split()[0]
    change = "-m" if PortSet.of(left.low).overlaps(labelled) else "-a"
    return Mislabelled(domain, left.low, wanted, f"semanage port {change} -t {wanted} -p tcp {left.low}")
