#!/bin/sh
# What a daemon's own command says of a config: in namespaces of its own, without network, with this machine's programs and another
# host's files, nothing of which can be written. `portwright fix --verify` runs it, as
#   unshare --user --map-root-user --mount --net --ipc --pid --fork --kill-child sh check_config.sh ROOT WORK PAIRS [CANDIDATE PATH]... COMMAND...
# ROOT: the host's files; WORK: an empty folder; PAIRS: how many candidates stand in the places of files. It ends as the command does, and
# with 125 where there is no such room here.
set -eu
copy=$1 work=$2 pairs=$3
shift 3
trap 'exit 125' EXIT
quiet() { "$@" 2>/dev/null; }

# A daemon that checks its config may bind its ports: here each may be bound, on whichever address.
for key in ipv4/ip_unprivileged_port_start=0 ipv4/ip_nonlocal_bind=1 ipv6/ip_nonlocal_bind=1; do
  quiet sh -c 'printf %s "$1" > "/proc/sys/net/$2"' sh "${key#*=}" "${key%=*}" || :
done

mount --make-rprivate /
mount -t tmpfs -o mode=755 portwright "$work"
cd -- "$work"
mkdir usr dev proc tmp run var old

# This machine's programs.
mount --bind /usr usr
mount -o remount,bind,ro usr
for folder in /bin /sbin /lib /lib32 /lib64 /libx32; do
  if [ -L "$folder" ]; then
    cp -P "$folder" ".$folder"
  elif [ -d "$folder" ]; then
    mkdir ".$folder"
    mount --bind "$folder" ".$folder"
    mount -o remount,bind,ro ".$folder"
  fi
done

# The host's files: nothing of them is a program here, and nothing can be written. What is mounted below a folder comes along where the
# folder may not be had without it, as on the machine itself.
here=$(pwd -P)
closed() {
  mkdir -p "./$2"
  quiet mount --bind "$1" "./$2" || mount --rbind "$1" "./$2"
  cut -d ' ' -f 5 /proc/self/mountinfo | while read -r place; do
    case $place in "$here/$2" | "$here/$2"/*) mount -o remount,bind,ro,nosuid,nodev,noexec "$place" ;; esac
  done
}
for each in "$copy"/* ; do
  name=${each##*/}
  case $name in usr | bin | sbin | lib | lib32 | lib64 | libx32 | dev | proc | sys | tmp | run | var | old | boot | media | mnt | '*') continue ;; esac
  if [ -L "$each" ]; then
    cp -P "$each" "./$name"
  elif [ -d "$each" ]; then
    closed "$each" "$name"
  fi
done
for each in "$copy"/var/*; do
  name=${each##*/}
  case $name in log | cache | lib | spool | tmp | run | lock | '*') continue ;; esac
  if [ -d "$each" ] && [ ! -L "$each" ]; then closed "$each" "var/$name"; fi
done

# Folders in which a daemon leaves something: empty ones, as they are there and here.
mkdir -p var/log var/cache var/lib var/spool var/tmp
ln -s ../run var/run
ln -s ../run/lock var/lock
for top in "$copy" ''; do
  for folder in var/log var/cache var/lib var/spool run; do
    [ -d "$top/$folder" ] || continue
    quiet find "$top/$folder" -xdev -mindepth 1 -maxdepth 3 -type d -printf '%P\0' | head -c 65536 |
      (cd "$folder" && quiet xargs -0 -r mkdir -p --) || :
  done
done
chmod -R 777 tmp run var/log var/cache var/lib var/spool var/tmp

for device in null zero full random urandom; do
  : > "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
quiet mount -t proc proc proc || :
# Nobody has files to give away; a command that gives one to its daemon's user goes on as if it had.
mkdir tmp/bin
ln -s /usr/bin/true tmp/bin/chown

# A candidate stands where its file does.
while [ "$pairs" -gt 0 ]; do
  mount --bind "$1" "./$2"
  mount -o remount,bind,ro,nosuid,nodev,noexec "./$2"
  shift 2
  pairs=$((pairs - 1))
done

pivot_root . old
cd /
umount -l /old
ulimit -t 20
ulimit -c 0
trap - EXIT
# Nobody: a daemon that is not root does not want to become another user.
exec env -i PATH=/tmp/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/tmp \
  unshare --user --map-user=65534 --map-group=65534 -- "$@" </dev/null
