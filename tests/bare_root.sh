#!/usr/bin/env bash
# Does a fresh clone build and run on a machine that has nothing but Debian's base system? Makes
# such a root with debootstrap, clones this repository into it and runs ./quickstart and ./check quick
# inside, with apt as the only way out; then makes Debian packages, installs them there and runs what
# they brought. Takes some minutes and 2 GB; needs root, debootstrap and git.
# Not part of the tests that ./check runs.
#
#   tests/bare_root.sh [--suite NAME] [--dir DIR] [--keep] [--no-check]
#
#   --suite NAME a release (default: bookworm, Debian 12; trixie is 13)
#   --dir DIR    where the root is made (default: a folder in /var/tmp, which may hold devices)
#   --keep       leave it there; with --dir, a root that is there is used again, with a fresh clone
#   --no-check   ./quickstart alone
#
# Packages come from where this machine's apt takes its own. Foreign models are not in the clone:
# goldens that need them are skipped and say so. Ubuntu is not tried: its archive is not among apt's
# sources on the machines that this was written on.
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
suite=bookworm dir='' keep='' check=1

die() { printf 'bare_root: %s\n' "$*" >&2; exit 2; }
say() { printf '\n== %s\n' "$*"; }
while [ $# -gt 0 ]; do
    case $1 in
    --suite) suite=${2:?--suite needs a name}; shift ;;
    --dir) dir=${2:?--dir needs a folder}; shift ;;
    --keep) keep=1 ;;
    --no-check) check='' ;;
    *) sed -n '2,/^set -/p' "$0" | sed -n 's/^# \{0,1\}//p'; exit 2 ;;
    esac
    shift
done
[ "$(id -u)" -eq 0 ] || die 'needs root, for chroot and debootstrap'
command -v debootstrap >/dev/null || die 'debootstrap: not found; apt-get install debootstrap'

. /etc/os-release
uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v suite="$VERSION_CODENAME" '$1 == suite && $2 == "main" { print $3; exit }')
[ -n "$uri" ] || die "apt's sources name no $VERSION_CODENAME main"

[ -n "$dir" ] || dir=$(mktemp -d /var/tmp/godwit-bare.XXXXXX)
root=$dir/root
mounted=()
# Lazily: a process left behind inside must not keep them.
leave() {
    local i
    for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount --lazy "${mounted[i]}" || true; done
    if [ -z "$keep" ]; then
        # Never through a mount that is still there.
        if findmnt -rn -o TARGET | grep -q "^$root/"; then
            printf 'bare_root: %s: something is still mounted in it; left there\n' "$root" >&2
        else
            rm -rf --one-file-system "$dir"
        fi
    fi
}
trap leave EXIT

started=$SECONDS
if [ ! -x "$root/usr/bin/apt-get" ]; then
    say "The base system of $suite (debootstrap)"
    mkdir -p "$dir"
    script=/usr/share/debootstrap/scripts/$suite
    [ -e "$script" ] || script=${script%/*}/sid # younger than this debootstrap
    debootstrap --variant=minbase "$suite" "$root" "$uri" "$script" >"$dir/debootstrap.log" 2>&1 ||
        { tail -n 20 "$dir/debootstrap.log" >&2; die 'debootstrap failed'; }
    # How this machine's apt gets out (proxies) and how strictly it reads dates, nothing else.
    apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-)' >"$root/etc/apt/apt.conf.d/90machine" || true
    printf 'made in %d s, %d packages\n' $((SECONDS - started)) \
        "$(chroot "$root" dpkg-query -W | wc -l)"
fi

mount -t proc proc "$root/proc" && mounted+=("$root/proc")
mount --bind /dev "$root/dev" && mounted+=("$root/dev")
mount --bind /dev/pts "$root/dev/pts" && mounted+=("$root/dev/pts")
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
rm -rf "$root/work"
mkdir "$root/work"
git clone -q --no-hardlinks "$repository" "$root/work/godwit"
# A clone has committed files only; a build from other files would prove nothing.
git -C "$repository" diff --quiet HEAD || printf 'bare_root: note: changes that are not committed are left out\n'

# As a fresh machine's root would: no variables of this one, no caches.
inside() {
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c 'cd /work/godwit && exec "$@"' bash "$@"
}

step() { # a command of the clone: its output, then its time and result
    local rc=0 begin=$SECONDS
    say "$*"
    inside "$@" || rc=$?
    results+=("$(printf '| `%s` | %d s | %s |' "$*" $((SECONDS - begin)) \
        "$([ $rc = 0 ] && echo passed || echo "failed, exit code $rc")")")
    [ $rc = 0 ] || failed=1
}

results=() failed=0
step ./quickstart
[ -z "$check" ] || [ $failed = 1 ] || step ./check quick
# Packages say nothing of a test that failed, but they need its build.
if [ -n "$check" ] && [ -e "$root/work/godwit/build/release/libgodwit.a" ]; then
    step bash -c 'cd build/release && cpack -G DEB >/dev/null && apt-get -q -y install ./packages/*.deb >/dev/null'
    step bash -c 'cd / && mv /work/godwit /work/gone && godwit run -n 8 --temp 0 && dpkg -L godwit | grep LICENSE'
fi
say "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' "$root/etc/os-release"), base system only"
printf '| command | time | result |\n|---|---|---|\n'
printf '%s\n' "${results[@]}"
exit $failed
