#!/bin/sh
# One archive of what portwright reads of a host, on standard output: a POSIX shell and tar are enough. Nothing of the host is changed.
#
#   sh collect.sh | gzip >host.tar.gz        as root, or less is seen
#   sh collect.sh --text                     packed, and written in letters: what a step of Ansible can hand back
#
# What holds only secrets (private keys, shadow, ...) is there as an empty file, values that have the name of a secret are crossed out,
# pipes and devices are not opened, mounts of the network are not entered, and what is left out is listed in .portwright/unread. The last
# member is .portwright/complete: an archive without it is not all of one.
# Environment: PORTWRIGHT_ROOT, a folder in place of / (for copies of hosts); PORTWRIGHT_SECONDS, after which it is given up.

set -u
umask 077
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:$PATH
export LC_ALL PATH
root=${PORTWRIGHT_ROOT:-}
root=${root%/}

# Whole folders; of others what the units and scripts in them name.
trees='./.portwright ./etc ./run/systemd ./run/sysctl.d ./run/tmpfiles.d ./run/sysusers.d ./run/modprobe.d ./run/containers/systemd
./run/NetworkManager ./usr/lib/systemd ./lib/systemd ./usr/local/lib/systemd ./usr/lib/sysctl.d ./lib/sysctl.d ./usr/local/lib/sysctl.d
./usr/lib/tmpfiles.d ./usr/lib/sysusers.d ./usr/lib/modprobe.d ./lib/modprobe.d ./usr/lib/NetworkManager ./usr/local/etc
./usr/share/dbus-1/system-services ./usr/share/containers ./usr/share/dpkg ./var/spool/cron ./var/lib/selinux/targeted/active ./var/service ./service ./opt/etc ./srv/etc'
# Single files: who is who, what is installed, what a firewall or a boot loader was told.
files='./boot/grub/grub.cfg ./boot/grub2/grub.cfg ./boot/cmdline.txt ./boot/firmware/cmdline.txt ./var/lib/dpkg/statoverride
./var/lib/dpkg/diversions ./var/lib/dpkg/arch ./var/lib/apt/extended_states ./usr/lib/os-release ./usr/sbin/init ./sbin/init ./init'

most_of_one=1048576
most_files=30000
most_bytes=67108864

work() {
    cd "$root/" || return 1
    lists=$stage/lists own=$stage/own
    mkdir "$lists" "$own" "$own/.portwright" "$own/etc" || return 1
    : >"$lists/unread"
    remote_mounts

    # ./* names the links and folders at the top: without them no path leads where it leads on the host.
    top >"$lists/top"
    for tree in $trees; do
        real=$(canonical "$tree") && [ -d "$real" ] && listed "$real"
    done >"$lists/found"
    for tree in ./opt ./srv ./var/lib ./var/kerberos ./usr/local ./usr/etc ./usr/lib/tuned ./usr/lib/userdb ./boot/loader; do
        configs "$tree" 4 4000
    done >>"$lists/found"
    # A distribution keeps some defaults there; of its data nothing is taken.
    configs ./usr/share 3 20000 | grep -e '\.\(conf\|ini\|cfg\|d\)$' -e '\.d/' >>"$lists/found"
    printf '%s\n' $files | named >>"$lists/found"
    # What units and scripts name is listed, then what these name in turn.
    round=1
    cp "$lists/found" "$lists/new"
    while [ $round -le 2 ]; do
        mentioned <"$lists/new" | sort -u >"$lists/names"
        named <"$lists/names" >"$lists/more"
        inside >"$lists/inside"
        cat "$lists/inside" >>"$lists/more"
        keep_new
        round=$((round + 1))
    done
    choose
    own_lists
    secrets
    # First who this is, so that nobody has to read on to know; last that this is all.
    for name in hostname machine-id; do
        [ -f "etc/$name" ] && [ ! -h "etc/$name" ] && cat "etc/$name" >"$own/etc/$name"
    done
    (
        cd "$own" || exit 1
        { echo .portwright/snapshot; find ./etc -type f -print; find ./.portwright -type f ! -name snapshot -print
          find . -type f -print | grep -v -e '^\./etc/' -e '^\./\.portwright/'; } | sed 's,^\./,,' | awk '!seen[$0]++' >../order
        find ./etc -type f -print | sed 's,^\./,,' | grep -v -x -e etc/hostname -e etc/machine-id >../rest
        printf '%s\n' .portwright/snapshot etc/hostname etc/machine-id | while read -r name; do [ -f "$name" ] && echo "$name"; done >../first
        awk 'FILENAME == ARGV[1] { seen[$0]; next } !($0 in seen)' ../first ../order >>../first
        tar -cf - -T ../first
    ) || return 1
    find "$own" -type f -print | awk -v cut="$own" '{ print "." substr($0, length(cut) + 1) }' >"$lists/staged"
    awk 'FILENAME == ARGV[1] { seen[$0]; next } !($0 in seen)' "$lists/staged" "$lists/chosen" >"$lists/rest"
    # GNU tar would take a backslash in a list as the beginning of another letter.
    plain=
    tar --version 2>/dev/null | grep -q GNU && plain=--no-unquote
    tar -cf - $plain --no-recursion -T "$lists/rest" 2>"$lists/said"
    # A file that went meanwhile is no failure; what tar could not read is said.
    sed -n 's/^tar: \(\.[^:]*\): Cannot \(open\|read\): \(.*\)/\1\t\3/p' "$lists/said" | sed 's/^\.//' >>"$lists/unread"
    mkdir "$stage/last" "$stage/last/.portwright"
    sort -u "$lists/unread" >"$stage/last/.portwright/unread"
    echo 1 >"$stage/last/.portwright/complete"
    tar -cf - -C "$stage/last" .portwright/unread .portwright/complete
}

# Mounts of the network, one a line: nobody answers for them.
remote_mounts() {
    : >"$lists/mounts"
    [ -n "$root" ] || awk '$3 ~ /^(nfs|cifs|smb|fuse|autofs|9p|ceph|glusterfs|lustre|afs|beegfs|gfs|ocfs)/ { print "." $2 }' \
        /proc/mounts >"$lists/mounts" 2>/dev/null
}

# Every name below a folder as `ls -lnd` has it, mounts of the network not entered.
listed() {
    set -- "$1"
    while read -r mount; do
        set -- "$@" -path "$mount" -prune -o
    done <"$lists/mounts"
    find "$@" ! -type s ! -type c ! -type b -exec ls -lnd {} + 2>>"$lists/errors"
}

top() {
    for name in ./*; do
        [ -h "$name" ] || [ -d "$name" ] && ls -lnd "$name"
    done 2>/dev/null
}

# The folder a name leads to, without links; nothing where that is outside.
canonical() {
    found=$(cd -P "$1" 2>/dev/null && pwd -P) || return 1
    case $found in
    "$root"/*) echo ".${found#"$root"}" ;;
    *) return 1 ;;
    esac
}

# Paths from standard input as `ls -lnd` has them, below their real folders; the links on the way are listed, too.
named() {
    sed 's,/*$,,' | awk -v mounts="$lists/mounts" '
        BEGIN { while ((getline line < mounts) > 0) remote[line] }
        {
            count = split($0, part, "/"); way = part[1]
            for (i = 2; i <= count; i++) { way = way "/" part[i]; if (way in remote) next; if (!(way in seen)) { seen[way]; print way } }
        }' | while read -r path; do
        if [ -h "$path" ] || [ -e "$path" ]; then
            folder=${path%/*}
            [ "$folder" = "$last" ] || { last=$folder; real=$(canonical "$folder" 2>/dev/null); [ "$folder" = . ] && real=.; }
            [ -n "$real" ] && echo "$real/${path##*/}"
        fi
    done | sort -u >"$lists/there"
    [ -s "$lists/there" ] && xargs ls -lnd <"$lists/there" 2>/dev/null
}
last=

# The absolute paths that the units, scripts and links of a list name.
mentioned() {
    awk -v links="$lists/links" '
        /^l/ { at = index($0, " ./"); line = substr($0, at + 1); arrow = index(line, " -> ")
               from = substr(line, 1, arrow - 1); to = substr(line, arrow + 4)
               if (to ~ /^\//) print "." to; else { sub(/\/[^\/]*$/, "", from); print from "/" to } next }
        /^-/ && $5 < 262144 { at = index($0, " ./"); print substr($0, at + 1) > links }' >"$lists/targets"
    # `a/b/../c` of a link, as far as words tell it.
    sed -e ':again' -e 's,/[^/][^/]*/\.\.\(/\|$\),/,' -e 't again' -e 's,/\./,/,g' "$lists/targets" |
        grep '^\./[A-Za-z0-9_./@:+-]*$'
    [ -f "$lists/links" ] || return 0
    grep -e '^\./etc/systemd/' -e '/systemd/system/' -e '/systemd/user/' -e '^\./run/systemd/' -e '^\./etc/init' -e '^\./etc/cron' \
        -e '^\./etc/default/' -e '^\./etc/sysconfig/' -e '^\./var/spool/cron/' -e '/bin/' -e '/sbin/' -e '^\./opt/' -e '^\./srv/' \
        -e '^\./etc/runit/' -e '^\./etc/sv/' -e '^\./etc/supervisor' -e '^\./etc/inittab$' -e '^\./etc/rc' -e '^\./etc/conf\.d/' \
        -e '^\./usr/lib/' -e '^\./lib/' "$lists/links" | grep '^\./[A-Za-z0-9_./@:+-]*$' | xargs grep -I -h -o '/[A-Za-z0-9_./@:+-]*' 2>/dev/null |
        sed -e 's/[.:]*$//' -e 's,//*,/,g' | grep '^/[a-z]' | grep -v -e '^/proc' -e '^/sys' -e '^/dev' -e '^/tmp' -e '/\.\.' \
            -e '^/usr/share/[a-z-]*doc' -e '^/usr/share/\(man\|info\|locale\|zoneinfo\|perl\|i18n\|terminfo\|common-licenses\)' -e '^/usr/include' -e '^/usr/src' \
            -e '^/var/\(log\|cache\)' -e '^/usr/lib/python' | sort -u | sed 's,^,.,'
    rm -f "$lists/links"
}

# Of the folders of programs that were named: what looks like a config or a script there, and links, not deep.
inside() {
    awk '/^d/ { at = index($0, " ./"); print substr($0, at + 1) }' "$lists/more" | grep '^\./[A-Za-z0-9_./@:+-]*$' |
        grep -e '^\./\(home\|app\|root\)/.' -e '^\./var/www/.' | head -n 200 | while read -r folder; do configs "$folder" 3 2000; done
}

# What looks like a config or a script in a folder, and folders of such: as `ls -lnd` has them, so deep and so many.
configs() {
    awk -v folder="$1/" 'index($0 "/", folder) == 1 { found = 1 } END { exit !found }' "$lists/mounts" && return
    [ -d "$1" ] && [ ! -h "$1" ] || return
    find "$1" -maxdepth "$2" \( -name .git -o -name node_modules -o -name '*-packages' -o -name overlay2 -o -name doc -o -name man -o -name info \
        -o -name locale -o -name icons -o -name themes -o -name fonts -o -name zoneinfo -o -name i18n -o -name dpkg -o -name apt \) -prune -o \
        \( -type l -o -type d -name '*.d' -o -name '*.conf' -o -name '*.cfg' -o -name '*.cnf' -o -name '*.ini' -o -name '*.y*ml' -o -name '*.json' \
        -o -name '*.toml' -o -name '*.xml' -o -name '*.properties' -o -name '*.env' -o -name '.env' -o -name '*.py' -o -name '*.js' \
        -o -name '*.mjs' -o -name '*.rb' -o -name '*.ru' -o -name '*.pl' -o -name '*.php' -o -name '*.sh' -o -name '*.lua' -o -name '*.acl' \
        -o -name Caddyfile -o -name Procfile -o -path '*/protocols.d/*' \) -exec ls -lnd {} + 2>/dev/null | head -n "$3"
}

keep_new() {
    awk 'FILENAME == ARGV[1] { seen[$0]; next } !($0 in seen)' "$lists/found" "$lists/more" >"$lists/new"
    cat "$lists/new" >>"$lists/found"
}

# Which of the files are taken: names in $lists/chosen, programs (of which a beginning is enough) and what is too large apart.
choose() {
    awk -v most_of_one=$most_of_one -v most_files=$most_files -v most_bytes=$most_bytes -v unread="$lists/unread" '
        { at = index($0, " ./"); if (!at) next
          name = substr($0, at + 1); kind = substr($0, 1, 1)
          if (kind == "l") name = substr(name, 1, index(name, " -> ") - 1)
          if (name in seen) next
          seen[name]
          if (kind == "-" && $5 > most_of_one) { print name > (unread ".large"); next }
          if (++count > most_files) { if (count == most_files + 1) print "/\tmore than " most_files " files: the rest is left out" > unread; next }
          if (kind == "-" && (sum += $5) > most_bytes) { if (!said++) print "/\tmore than 64 MiB of files: the rest is left out" > unread; next }
          print name }' "$lists/top" "$lists/found" >"$lists/taken"
    # A program is known by its first bytes; of other large files nothing is taken.
    : >"$lists/programs"
    elf=$(printf '\177ELF')
    grep -e '/bin/' -e '/sbin/' -e '/lib/' -e '/libexec/' -e '/opt/' "$lists/taken" | grep '^\./[A-Za-z0-9_./@:+-]*$' >"$lists/perhaps"
    [ -f "$lists/unread.large" ] && grep '^\./[A-Za-z0-9_./@:+-]*$' "$lists/unread.large" >>"$lists/perhaps"
    while read -r name; do
        [ -f "$name" ] && [ ! -h "$name" ] && echo "$name"
    done <"$lists/perhaps" | xargs grep -l -e "^$elf" 2>/dev/null >"$lists/programs"
    if [ -f "$lists/unread.large" ]; then
        awk 'FILENAME == ARGV[1] { seen[$0]; next } !($0 in seen) { print substr($0, 2) "\tlarger than 1 MiB" }' "$lists/programs" "$lists/unread.large" \
            >>"$lists/unread"
        rm -f "$lists/unread.large"
    fi
    awk 'FILENAME == ARGV[1] { seen[$0]; next } !($0 in seen)' "$lists/programs" "$lists/taken" >"$lists/chosen"
    while read -r name; do
        stub "$name" && dd if="$name" of="$own/$name" bs=64 count=1 2>/dev/null
        mode "$name"
    done <"$lists/programs"
}

# An empty file in the stage, in place of one of the host.
stub() {
    case $1 in */*) mkdir -p "$own/${1%/*}" ;; esac
    : >"$own/$1"
}

mode() {
    [ -x "$1" ] && chmod 755 "$own/$1"
    [ -u "$1" ] && chmod u+s "$own/$1"
}

# What no file holds, each as the usual command prints it.
own_lists() {
    to=$own/.portwright
    echo 1 >"$to/snapshot"
    if [ -f var/lib/dpkg/status ]; then
        mkdir -p "$own/var/lib/dpkg"
        awk '/^(Package|Status|Version): / || /^$/' var/lib/dpkg/status >"$own/var/lib/dpkg/status"
    fi
    [ -z "$root" ] || return 0
    uname -r >"$to/kernel"
    cat /proc/cmdline >"$to/cmdline" 2>/dev/null
    asked addresses ip -o addr
    asked sysctl sysctl -a
    [ -f "$to/sysctl" ] && { grep -e '^net\.' -e '^fs\.' -e '^kernel\.' -e '^vm\.' -e '^user\.' "$to/sysctl" | grep -v -e fastopen_key -e stable_secret -e '\.random\.' >"$lists/x"; cat "$lists/x" >"$to/sysctl"; }
    asked sockets ss -H -tulpne
    if [ ! -f var/lib/dpkg/status ]; then
        if command -v rpm >/dev/null 2>&1; then asked packages rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\n'
        elif command -v pacman >/dev/null 2>&1; then asked packages pacman -Q
        elif [ -f lib/apk/db/installed ]; then sed -n -e 's/^P:/P /p' -e 's/^V:/V /p' lib/apk/db/installed | awk '$1 == "P" { name = $2 } $1 == "V" { print name, $2 }' >"$to/packages"; fi
    fi
    command -v getenforce >/dev/null 2>&1 && asked selinux getenforce
    command -v getcap >/dev/null 2>&1 && {
        sed 's/^\.//' "$lists/programs" | xargs getcap 2>/dev/null
        for folder in /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin; do getcap -r "$folder" 2>/dev/null; done
    } | sort -u >"$to/filecaps"
    find /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin -xdev -type f -perm -4000 -print >"$to/setuid" 2>/dev/null
}

asked() {
    list=$1
    shift
    command -v "$1" >/dev/null 2>&1 && "$@" >"$to/$list" 2>/dev/null && return
    rm -f "$to/$list"
}

# The list of trees/tree.py: a test holds them equal.
secret_files='(/etc/(g?shadow-?|security/opasswd|krb5\.keytab)|/etc/ssh/ssh_host_[^/]+_key|/etc/ssl/private/.+|.*/\.ssh/[^/]+|.*/((chap|pap|srp|l2tp)-secrets|[^/]+\.secrets|davfs2?/secrets|\.my(login)?\.cnf|userlist\.txt|sasl_passwd|smbpasswd|[^/]*\.?htpasswd|htdigest|\.?pgpass(\.conf)?|[._]?netrc|tacacs\.secret|hostapd\.(wpa_psk|eap_user)|passwd\.client|mosquitto/(passwd|pwfile)|deluge/auth|psk\.txt|authkeys?|(chrony|ntp)\.keys|\.erlang\.cookie|token\.csv|jmxremote\.password|pool_passwd|pcp\.conf|ocpasswd|\.?passwd-s3fs|\.git-credentials|\.aws/credentials|\.smbcredentials|\.vault-token|collectd/auth(_file)?|\.vnc/passwd)|.*\.(key|p12|pfx|jks|keystore|keytab|kdbx|KEY|P12|PFX|JKS)|(.*[/._-])?priv(ate)?[._-]?key[^/]*\.pem|.*[._-]key[0-9]{0,3}\.pem|.*/key\.pem)(\.(j2|erb|epp|tmpl|tpl|in|bak|backup|old|orig|save|rpmsave|rpmnew|dpkg-[a-z]+)|~)?'

# Files of nothing but secrets become empty ones; in the others values of secrets and keys are crossed out, each letter by an x.
secrets() {
    grep -E "^\.$secret_files\$" "$lists/chosen" | grep -v '/\.ssh/\(config\|known_hosts\)$' | while read -r name; do
        [ -f "$name" ] && [ ! -h "$name" ] && stub "$name"
    done
    while read -r name; do
        [ -f "$name" ] && [ ! -h "$name" ] && [ ! -e "$own/$name" ] && printf '%s\n' "$name"
    done <"$lists/chosen" >"$lists/plain"
    grep '[^A-Za-z0-9_./@:+-]' "$lists/plain" | while read -r name; do
        grep -q -i -E "$secret" "$name" 2>/dev/null && echo "$name"
    done >"$lists/secret"
    grep '^\./[A-Za-z0-9_./@:+-]*$' "$lists/plain" | xargs grep -l -i -E "$secret" /dev/null 2>/dev/null >>"$lists/secret"
    grep -i -e '\(secret\|credential\|passw\|token\)[^/]*$' -e '^\./etc/group-*$' "$lists/plain" >>"$lists/secret"
    sort -u "$lists/secret" | while read -r name; do
        case $name in ./etc/nsswitch.conf | ./etc/pam.d/* | ./etc/services | ./etc/login.defs) continue ;; esac
        stub "$name"
        awk "$cross_out" "$name" >"$own/$name" 2>/dev/null
        mode "$name"
    done
}

secret='pass(word|wd|phrase)?|secret|token|api_?key|requirepass|masterauth|community|credential|psk|pw|key|jwt|hmac|auth|pat[=:]|unseal|nonce|licen[cs]e|salt|pin[=: ]|encrypt|-----begin|://[^ /]*:[^ /]*@'
cross_out='
    function crossed(count,   text) { text = ""; while (count-- > 0) text = text "x"; return text }
    function hide(pattern, group, careful,   low, out, rest, start, quote, value, count) {
        out = ""; rest = $0; low = tolower(rest)
        while (match(low, pattern)) {
            start = RSTART + RLENGTH; quote = substr(rest, start - 1, 1)
            out = out substr(rest, 1, start - 1); rest = substr(rest, start); low = substr(low, start)
            if (quote == "\"" || quote == "\047") { count = index(rest, quote) - 1; if (count < 0) count = length(rest) }
            else {
                count = match(rest, group) ? RLENGTH : 0
                # user:"a b"
                if (match(substr(rest, 1, count), /[:=]["\047]/) && !index(substr(rest, RSTART + 2, count - RSTART - 1), substr(rest, RSTART + 1, 1))) {
                    quote = substr(rest, RSTART + 1, 1); out = out crossed(RSTART) quote; low = substr(low, RSTART + 2); rest = substr(rest, RSTART + 2)
                    count = index(rest, quote) - 1; if (count < 0) count = length(rest)
                }
                while (count > 0 && index("@;,)}]\"\047", substr(rest, count, 1))) count--
            }
            # Where a line ends in a backslash the next one belongs to it. An option is the value of no other one.
            if (count && count == length(rest) && substr(rest, count) == "\\") count--
            value = tolower(substr(rest, 1, count))
            if (value ~ /^(--[a-z].*|auth[_-]pass)$/) count = 0
            # Under a name that may be another thing, a path, a variable, a word like yes and a number as short as a port stay, and so does
            # what is itself the name of a secret: "key": "PASSWORD", "value": ...
            if (careful && value ~ /^([0-9]?[0-9]?[0-9]?[0-9]?[0-9]|[\/$%@].*|true|false|yes|no|on|off|none|required|optional)$/) count = 0
            if (careful && value ~ /^[a-z0-9_.-]*(pass|password|passwd|passphrase|pwd|secret|token|key|credentials?)$/) count = 0
            out = out crossed(count); rest = substr(rest, count + 1); low = substr(low, count + 1)
        }
        $0 = out rest
    }
    # Of users and groups nothing but a hash of old days is one.
    FILENAME ~ /^\.\/etc\/(passwd|group)-?$/ {
        start = index($0, ":"); count = index(substr($0, start + 1), ":") - 1
        if (count > 1) $0 = substr($0, 1, start) crossed(count) substr($0, start + count + 1)
        print
        next
    }
    # A word alone in a file that is called as a secret is.
    FNR == 1 { called = tolower(FILENAME) ~ /(secret|credential|passw|token)[^\/]*$/ && FILENAME !~ /\.(service|socket|timer|target|path)$/ }
    called && NF == 1 && $1 !~ /[=:]|^[[\]{}()<#;$\/]/ { $0 = crossed(length($0)) }
    inside { if (tolower($0) ~ /-----end /) inside = 0; else $0 = crossed(length($0)) }
    tolower($0) ~ /-----begin [a-z0-9 ]*private key/ { inside = 1 }
    {
        hide("(pass|password|passwd|passphrase|secret|token|api_?key|requirepass|masterauth|community|credentials?|psk|secret_?key|access_?key|secret_key_base)[\"\047]?[ \t]*(=>|:=|::=|<<<|[+?!=]=|[=:])[ \t]*[\"\047]?", "^[^ \t]+")
        hide("(^|[ \t])(--?)?(pass|password|passphrase|auth_pass|auth-pass|requirepass|masterauth|secret|community|rocommunity|rwcommunity|psk)[ \t]+[\"\047]?", "^[^ \t=:][^ \t]*")
        hide("(pwd|pw|authtok|jwt|hmac|private[-_]?key|preshared[-_]?key|auth[-_]?key|account[-_]?key|app[-_]?key|api-key|wep[-_]?key[0-9]?|authorization|pat|unseal|nonce|license|salt|pin|auth|auth_users|encrypt|secret[-_]id|registration-token|key)[\"\047\\]]?[ \t]*(=>|:=|::|=|:)[ \t]*[\"\047]?", "^[^ \t]+", 1)
        hide("(^|[ \t])(rootpw|bindpw|r[ow]community6|trapcommunity|authorization|[a-z0-9_.-]*password|insecure-password|authtoken|wpa-psk|wireless-key[0-9]?|setenv [a-z_]*password|--?[a-z.0-9-]*(token|secret|secret-key|password|passwd|pass|psk|pin|jwt|otp|hmac|authkey|storepass|keypass|encrypt|encryption-key|key-id))[ \t=]+[\"\047]?", "^[^ \t=:][^ \t]*", 1)
        hide("<[a-z:.-]*(password|secret|token|passphrase|auth-user-pass)>", "^[^<]+")
        hide("://[^ /:@\"]*:", "^[^ /@]*@")
        print
    }'

letters() {
    if command -v base64 >/dev/null 2>&1; then base64; else openssl base64; fi
}

out() {
    if [ "${1:-}" = --text ]; then gzip -c | letters; else cat; fi
}

stage=$(mktemp -d "${TMPDIR:-/tmp}/portwright.XXXXXX") || exit 1
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM
# What hangs on a dead disk is given up. It holds nothing open for which somebody waits.
work >"$stage/archive" 2>"$stage/said" </dev/null &
pid=$!
( sleep "${PORTWRIGHT_SECONDS:-120}" & sleeping=$!; trap 'kill $sleeping' TERM; wait $sleeping && kill -9 $pid ) >/dev/null 2>&1 </dev/null &
dog=$!
wait $pid
status=$?
kill $dog 2>/dev/null
if [ $status != 0 ]; then
    tail -n 3 "$stage/said" >&2
    echo "the collector ended with $status" >&2
    exit 1
fi
out "$@" <"$stage/archive"
