# Debian packages without installing them: sourced by tools/drivers and tools/shader_tools, which set
# dir (where all of it lies) and say. apt's own state stays as it is, no root is needed; the archive is
# the one that this machine's apt is set to.

# apt-get with lists, cache and sources of its own under $dir/apt; reads only the system's settings
# (proxies, keys) and its list of installed packages. apt_options: more, for all of these calls.
apt_options=()
own_apt() {
    apt-get -q -o Dir::State="$dir/apt" -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$dir/apt/cache" -o Dir::Etc::SourceList="$dir/apt/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null -o Debug::NoLocking=1 -o APT::Sandbox::User= \
        -o APT::Get::List-Cleanup=0 -o Acquire::Languages=none \
        -o APT::Update::Post-Invoke-Success::= "${apt_options[@]}" "$@"
}

# Where this machine's apt takes the distribution's own packages from.
archive_uri() {
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v suite="$1" '$1 == suite && $2 == "main" { print $3; exit }'
}

# need_apt SUITE...: reads the lists of this release and of the suites named (%s is its codename).
need_apt() {
    [ -e "$dir/apt/ready" ] && return 0
    command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
        { say "needs apt-get and dpkg"; return 1; }
    local ID='' VERSION_CODENAME=''
    . /etc/os-release
    [ "$ID" = debian ] || { say "these packages are known for Debian only, this is $ID"; return 1; }
    local uri keys=/usr/share/keyrings/debian-archive-keyring.gpg by=''
    uri=$(archive_uri "$VERSION_CODENAME")
    [ -n "$uri" ] || { say "apt's sources name no $VERSION_CODENAME main"; return 1; }
    [ -r $keys ] && by="[signed-by=$keys] "
    mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
    local suite
    for suite in "$@"; do
        printf 'deb %s%s %s main\n' "$by" "$uri" "${suite//%s/$VERSION_CODENAME}"
    done >"$dir/apt/sources.list"
    say "reading package lists: ${*//%s/$VERSION_CODENAME}"
    own_apt update >&2
    printf '%s\n' "$VERSION_CODENAME" >"$dir/apt/ready"
}

# Unpacks every .deb of a folder into another and drops them.
unpack() {
    local deb
    for deb in "$1"/*.deb; do dpkg -x "$deb" "$2" && rm "$deb"; done
}

