#!/usr/bin/env bash
# Scenario: the questions and what becomes of the answers, against a debconf database of our own.
# The program is a stand-in that keeps what it is told; the real one is used on booted machines.
# shellcheck source=tests/systems/lib.sh
. "$(dirname "$0")/../systems/lib.sh"

root=$(realpath "$systems/../..")
package=openclaw-oauth-sync
conf=$scratch/root/etc/oauth-sync/default.conf

# A database of our own, the maintainer scripts without what cargo-deb adds, and the stand-in.
fresh() {
    rm -rf "${scratch:?}"/{root,bin,debian,calls,told,found,waits,asked,agreed,steps,screens,perl}
    mkdir -p "$scratch"/{root/etc,root/db,bin,debian}
    # debconf looks below DPKG_ROOT for all of it; as on Debian, passwords lie apart, without backup
    cat >"$scratch/root/etc/debconf.conf" <<'CONF'
Config: both
Templates: templates

Name: config
Driver: File
Mode: 600
Reject-Type: password
Filename: /db/config.dat

Name: passwords
Driver: File
Mode: 600
Backup: false
Required: false
Accept-Type: password
Filename: /db/passwords.dat

Name: both
Driver: Stack
Stack: config, passwords

Name: templates
Driver: File
Mode: 644
Filename: /db/templates.dat
CONF
    cp "$root"/debian/{config,templates,postinst,postrm} "$scratch/debian/"
    sed -i '/^#DEBHELPER#$/d' "$scratch"/debian/post*
    cat >"$scratch/bin/oauth-sync" <<'PROGRAM'
#!/bin/sh
case "$*" in
    *"detect --check-answers"*) sed -n "s/^\([A-Z_]*\)=near.*/\1 must be an absolute path/p" ;;
    *"detect --print"*) cat "$SCRATCH/found" 2>/dev/null ;;
    *"detect --lacks-consent --set-stdin"*) cat >"$SCRATCH/link"; cat "$SCRATCH/waits" 2>/dev/null ;;
    *"gateway --consent --delegate"*) echo "$*" >>"$SCRATCH/agreed"; rm -f "$SCRATCH/waits" ;;
    *"detect --write --set-stdin"*) echo "$*" >>"$SCRATCH/calls"; cat >"$SCRATCH/told" ;;
esac
PROGRAM
    chmod +x "$scratch/bin/oauth-sync"
    debconf debconf-loadtemplate "$package" "$scratch/debian/templates"
}

debconf() {
    env DEBIAN_FRONTEND="${frontend:-noninteractive}" DEBIAN_PRIORITY="${priority:-medium}" EDITOR="$scratch/bin/person" LC_ALL=C \
        PATH="$scratch/bin:$PATH" PERL5LIB="$scratch/perl" SCRATCH="$scratch" DPKG_ROOT="$scratch/root" "$@"
}

preseed() {
    printf "$package $package/%s\n" "$@" | debconf debconf-set-selections
}

script() {
    local name=$1
    shift
    debconf debconf -o "$package" "$scratch/debian/$name" "$@"
}

install() {
    script config configure ""
    script postinst configure ""
}

upgrade() {
    script config configure 0.9
    script postinst configure 0.9
}

# dpkg-reconfigure asks also what was answered before.
reconfigure() {
    sed -n 's/^Template: \(.*\)/fset \1 seen false/p' "$scratch/debian/templates" |
        debconf debconf-communicate "$package" >/dev/null
    DEBCONF_RECONFIGURE=1 script config reconfigure 1.1.0
    DEBCONF_RECONFIGURE=1 script postinst configure 1.1.0
}

# person [QUESTION VALUE]: from now on somebody is asked, and changes this one answer.
person() {
    frontend=editor
    cat >"$scratch/bin/person" <<PERSON
#!/bin/sh
grep "^$package/" "\$1" >>"$scratch/asked"
sed -i 's,^$package/${1:-none}=.*,$package/${1:-none}="${2:-}",' "\$1"
PERSON
    chmod +x "$scratch/bin/person"
}

# steps LINE...: from now on somebody sees screen after screen, and does on each what a line says: back,
# next, or QUESTION=VALUE, and then next. With no line left it is always next. What each screen shows is kept.
steps() {
    frontend=steps
    printf '%s\n' "$@" >"$scratch/steps"
    mkdir -p "$scratch/perl/Debconf/FrontEnd"
    cat >"$scratch/perl/Debconf/FrontEnd/Steps.pm" <<'PERL'
package Debconf::FrontEnd::Steps;
use strict;
use base qw(Debconf::FrontEnd);

sub init {
    my $this = shift;
    $this->SUPER::init(@_);
    $this->interactive(1);
    $this->capb('backup');
}

# What is asked is what the editor would show.
sub elementtype { 'Editor' }

sub go {
    my $this = shift;
    $_->value($_->question->value // '') for @{$this->elements};
    my %shown = map { $_->question->name =~ s,.*/,,r => $_ } grep { $_->visible } @{$this->elements};
    return 1 unless %shown;
    open(my $kept, '>>', "$ENV{SCRATCH}/screens") or die;
    print $kept join(' ', sort keys %shown), "\n";
    open(my $steps, '<', "$ENV{SCRATCH}/steps") or die;
    my ($step, @left) = <$steps>;
    open($steps, '>', "$ENV{SCRATCH}/steps") or die;
    print $steps @left;
    return '' if ($step // '') eq "back\n";
    $shown{$1}->value($2) if ($step // '') =~ /^([a-z-]+)=(.*)$/;
    return 1;
}

1;
PERL
}

# asked QUESTION: holds if a person was asked that, and forgets all that was asked.
asked() {
    cat "$scratch/asked"
    grep -q "^$package/$1=" "$scratch/asked" && mv "$scratch/asked" "$scratch/asked_before"
}

value() {
    echo "get $package/$1" | debconf debconf-communicate "$package" | sed 's/^0 \{0,1\}//'
}

write_conf() {
    mkdir -p "$(dirname "$conf")"
    cat >"$conf"
}

# Its own words, and those of the loader, are many lines; one of them is enough.
what_cannot_run_is_refused() {
    fresh
    printf '#!/bin/sh\necho "libc.so.6: too old" >&2\necho more >&2\nexit 1\n' >"$scratch/bin/oauth-sync"
    fails install >"$scratch/said" 2>&1
    cat "$scratch/said"
    [ "$(grep -c "does not run on this host, no service is started: libc.so.6: too old\$" "$scratch/said")" = 1 ]
    [ ! -e "$scratch/root/etc/oauth-sync" ]
}

nothing_is_asked_by_itself() {
    fresh
    printf 'CLAUDE_CREDENTIALS=/home/a/.claude/.credentials.json\nOPENCLAW_STATE_DIR=/home/a/.openclaw\n' >"$scratch/found"
    install
    # what was found but shown to nobody is not passed on as if somebody had said so
    [ "$(cat "$scratch/told")" = "" ]
    [ "$(cat "$scratch/calls")" = "--config-dir $scratch/root/etc/oauth-sync detect --write --set-stdin --root $scratch/root --all" ]
    [ -d "$scratch/root/etc/oauth-sync/hooks.d" ]
}

preseeds_are_passed_on() {
    fresh
    preseed "claude-credentials string /srv/a/.credentials.json" "claude-cli select none" \
        "refresh select api" "notify-webhook password https://chat.example.org/hooks/canary"
    install
    diff - "$scratch/told" <<'TOLD'
CLAUDE_CREDENTIALS=/srv/a/.credentials.json
CLAUDE_CLI=none
REFRESH=api
NOTIFY_WEBHOOK=https://chat.example.org/hooks/canary
TOLD
    fails grep -rq canary "$scratch/root/db"
    fails grep -q canary "$scratch/calls"
}

not_before_unpacking() {
    fresh
    rm "$scratch/bin/oauth-sync"
    preseed "claude-credentials string /srv/a/.credentials.json"
    script config configure ""
    [ "$(value claude-credentials)" = /srv/a/.credentials.json ]
}

upgrade_leaves_the_file() {
    fresh
    printf '# mine\nCLAUDE_CREDENTIALS = "/srv/b/x"  # comment\r\nREFRESH=off\n' | write_conf
    cp "$conf" "$scratch/before"
    preseed "claude-credentials string /srv/a/.credentials.json"
    upgrade
    cmp "$conf" "$scratch/before"
    [ ! -e "$scratch/calls" ]
}

deleted_stays_deleted() {
    fresh
    upgrade
    [ ! -e "$scratch/calls" ]
}

file_is_the_truth() {
    fresh
    write_conf <<'CONF'
# a link
export CLAUDE_CREDENTIALS = "/srv/two  blanks/#x.json" # the login
OPENCLAW_STATE_DIR='/srv/state'
  COMPOSE_SERVICE=gateway # its name
REFRESH="api cli"
CONF
    preseed "claude-credentials string /srv/stale" "compose-dir string /srv/stale"
    upgrade
    [ "$(value claude-credentials)" = "/srv/two blanks/#x.json" ] # debconf knows single blanks only
    [ "$(value openclaw-state-dir)" = /srv/state ]
    [ "$(value compose-service)" = gateway ]
    [ "$(value compose-dir)" = "" ]
    [ "$(value refresh)" = "api cli" ]
    [ "$(value claude-cli)" = automatic ]
}

reconfigure_says_all() {
    fresh
    printf 'CLAUDE_CREDENTIALS="/srv/a"\nCLAUDE_CLI="host"\n' | write_conf
    preseed "notify-webhook password none"
    reconfigure
    diff - "$scratch/told" <<'TOLD'
CLAUDE_CREDENTIALS=/srv/a
OPENCLAW_STATE_DIR=
COMPOSE_DIR=
COMPOSE_SERVICE=
ENV_FILE=
CLAUDE_CLI=host
CLAUDE_CONTAINER=
REFRESH=
NOTIFY_WEBHOOK=
TOLD
    [ "$(value notify-webhook)" = "" ]
}

waits() {
    echo "the first paste waits for a consent" >"$scratch/waits"
}

consent_where_it_waits() {
    fresh
    person
    install
    fails asked rewrite-openclaw-json
    asked claude-credentials
    fresh
    person
    waits
    printf 'CLAUDE_CREDENTIALS=/home/a/.claude/.credentials.json\nOPENCLAW_STATE_DIR=/home/a/.openclaw\n' >"$scratch/found"
    install
    asked rewrite-openclaw-json
    # of the link that the answers make
    diff "$scratch/found" "$scratch/link"
}

yes_is_noted() {
    fresh
    person rewrite-openclaw-json yes
    waits
    install
    [ "$(cat "$scratch/agreed")" = "--config-dir $scratch/root/etc/oauth-sync --state-dir $scratch/root/var/lib/oauth-sync gateway --consent --delegate --link default" ]
    [ "$(value rewrite-openclaw-json)" = false ]
    # neither asked nor noted again
    rm "$scratch/asked"
    reconfigure
    fails asked rewrite-openclaw-json
    [ "$(wc -l <"$scratch/agreed")" = 1 ]
}

no_changes_nothing() {
    fresh
    person
    waits
    install
    asked rewrite-openclaw-json
    [ ! -e "$scratch/agreed" ]
    # asked once, until somebody asks for it
    upgrade
    fails asked rewrite-openclaw-json
    [ ! -e "$scratch/agreed" ]
}

agreed_on_reconfigure() {
    fresh
    printf 'CLAUDE_CREDENTIALS="/srv/a"\nOPENCLAW_STATE_DIR="/srv/state"\nREFRESH="api"\n' | write_conf
    waits
    person
    reconfigure
    grep -qx "$package/rewrite-openclaw-json=\"no\"" "$scratch/asked"
    grep -qx "$package/claude-credentials=\"/srv/a\"" "$scratch/asked"
    diff "$scratch/link" - <<'LINK'
CLAUDE_CREDENTIALS=/srv/a
OPENCLAW_STATE_DIR=/srv/state
REFRESH=api
LINK
    [ ! -e "$scratch/agreed" ]
    person rewrite-openclaw-json yes
    reconfigure
    [ "$(wc -l <"$scratch/agreed")" = 1 ]
}

agreed_on_upgrade() {
    fresh
    printf 'CLAUDE_CREDENTIALS="/srv/a"\nOPENCLAW_STATE_DIR="/srv/state"\n' | write_conf
    person rewrite-openclaw-json yes
    waits
    upgrade
    [ "$(wc -l <"$scratch/agreed")" = 1 ]
    [ ! -e "$scratch/calls" ]
}

agreed_beforehand() {
    fresh
    preseed "rewrite-openclaw-json boolean true"
    waits
    install
    [ "$(wc -l <"$scratch/agreed")" = 1 ]
    # it does not fire again, though it should wait again
    waits
    reconfigure
    upgrade
    [ "$(wc -l <"$scratch/agreed")" = 1 ]
}

# Somebody who answers wrongly first, and rightly when asked again.
bad_answer_is_asked_again() {
    fresh
    frontend=editor
    cat >"$scratch/bin/person" <<PERSON
#!/bin/sh
cat "\$1" >>"$scratch/asked"
value=near/by
! grep -q "must be" "\$1" || value=/srv/a
sed -i "s,^$package/claude-credentials=.*,$package/claude-credentials=\"\$value\"," "\$1"
PERSON
    chmod +x "$scratch/bin/person"
    install
    cat "$scratch/asked"
    grep -q "CLAUDE_CREDENTIALS must be an absolute path" "$scratch/asked"
    grep -qx CLAUDE_CREDENTIALS=/srv/a "$scratch/told"
}

# The first screen, where there is nothing to go back to; the second; the first again; and on to the end.
go_back_works() {
    fresh
    steps back claude-cli=container back claude-credentials=/srv/b claude-container=cli next
    waits
    priority=low
    install
    cat "$scratch/screens"
    [ "$(cut -d ' ' -f 1 "$scratch/screens" | uniq | tr '\n' ' ')" = "claude-cli claude-container claude-cli claude-container rewrite-openclaw-json " ]
    grep -qx CLAUDE_CREDENTIALS=/srv/b "$scratch/told"
    grep -qx CLAUDE_CONTAINER=cli "$scratch/told"
}

# From the error, to the screen that it is about.
back_from_an_error() {
    fresh
    steps claude-credentials=near/by back claude-credentials=/srv/b
    install
    cat "$scratch/screens"
    [ "$(sed -n 2p "$scratch/screens")" = "bad-answer claude-credentials" ]
    [ "$(sed -n 3p "$scratch/screens")" = "claude-credentials openclaw-state-dir" ]
    grep -qx CLAUDE_CREDENTIALS=/srv/b "$scratch/told"
}

never_ends_without_a_check() {
    fresh
    mapfile -t lines < <(yes back | head -n 200)
    steps claude-credentials=near/by "${lines[@]}"
    install 2>"$scratch/said"
    fails grep near/by "$scratch/told"
    grep -q 'an answer is left out: CLAUDE_CREDENTIALS must be' "$scratch/said"
}

# Somebody who insists on what cannot be used keeps the link that there is.
valid_link_stays() {
    fresh
    printf 'CLAUDE_CREDENTIALS="/srv/a"\nOPENCLAW_STATE_DIR="/srv/state"\n' | write_conf
    mapfile -t lines < <(yes claude-credentials=near/by | head -n 10)
    steps "${lines[@]}"
    reconfigure 2>"$scratch/said"
    cat "$scratch/said"
    grep -qx CLAUDE_CREDENTIALS=/srv/a "$scratch/told"
    grep -q 'an answer is left out: CLAUDE_CREDENTIALS must be' "$scratch/said"
}

# Nobody is asked: it is left out, which is said, and all else is used.
bad_answer_is_left_out() {
    fresh
    preseed "claude-credentials string near/by" "refresh select api" \
        "notify-webhook password near-canary"
    install 2>"$scratch/said"
    cat "$scratch/said"
    diff "$scratch/told" <(echo REFRESH=api)
    grep -q 'an answer is left out: CLAUDE_CREDENTIALS must be an absolute path' "$scratch/said"
    grep -q 'an answer is left out: NOTIFY_WEBHOOK must be ' "$scratch/said"
    fails grep -rq canary "$scratch/root/db" "$scratch/said"
}

# So it is with what is no choice of a question: debconf itself would take the first one in silence.
no_choice_is_left_out() {
    fresh
    preseed "refresh select sometimes" "claude-cli select cli" "rewrite-openclaw-json boolean perhaps" \
        "switch-off-original boolean 1" "openclaw-state-dir string /srv/state"
    install 2>"$scratch/said"
    cat "$scratch/said"
    diff "$scratch/told" <(echo OPENCLAW_STATE_DIR=/srv/state)
    diff - <(grep 'left out' "$scratch/said") <<SAID
openclaw-oauth-sync: an answer is left out: CLAUDE_CLI must be one of: automatic, host, container, none
openclaw-oauth-sync: an answer is left out: REFRESH must be one of: automatic, cli api, api cli, cli, api, off
openclaw-oauth-sync: an answer is left out: switch-off-original must be true or false
openclaw-oauth-sync: an answer is left out: rewrite-openclaw-json must be true or false
SAID
    fails grep -q switch-off "$scratch/calls"
    [ ! -e "$scratch/agreed" ]
    [ "$(value refresh)" = automatic ]
}

# Where nobody is asked, a reconfiguration keeps to the file, and names the answers that are not used.
unasked_reconfiguration_says_what_it_ignores() {
    fresh
    printf 'CLAUDE_CREDENTIALS="/srv/a"\nREFRESH="cli  api"\n' | write_conf
    preseed "claude-credentials string /srv/other" "refresh select cli api" "claude-cli select none"
    reconfigure 2>"$scratch/said"
    cat "$scratch/said"
    diff - <(grep ignored "$scratch/said") <<SAID
openclaw-oauth-sync: nobody was asked: other answers of debconf's are ignored, $conf stays as it is: CLAUDE_CREDENTIALS CLAUDE_CLI; to change it, run: oauth-sync set --link default KEY VALUE
SAID
    grep -qx CLAUDE_CREDENTIALS=/srv/a "$scratch/told"
    grep -qx CLAUDE_CLI= "$scratch/told"
    reconfigure 2>"$scratch/said"
    fails grep ignored "$scratch/said"
    # a person sees what the file says, and answers
    preseed "claude-credentials string /srv/other"
    person
    reconfigure 2>"$scratch/said"
    fails grep ignored "$scratch/said"
}

# What is preseeded for an installed package is said to be ignored, by its keys alone.
new_preseeds_are_said_to_be_ignored() {
    fresh
    printf 'CLAUDE_CREDENTIALS="/srv/a"\nREFRESH="cli  api"\n' | write_conf
    upgrade 2>"$scratch/said"
    fails grep ignored "$scratch/said"
    preseed "claude-credentials string /srv/other" "refresh select cli api" \
        "notify-webhook password https://chat.example.org/hooks/canary"
    upgrade 2>"$scratch/said"
    cat "$scratch/said"
    grep -q "default.conf stays as it is: CLAUDE_CREDENTIALS NOTIFY_WEBHOOK; to answer anew, run: dpkg-reconfigure $package\$" "$scratch/said"
    fails grep -rq canary "$scratch/root/db" "$scratch/said"
    [ ! -e "$scratch/calls" ]
    upgrade 2>"$scratch/said"
    fails grep ignored "$scratch/said"
}

original_only_when_asked() {
    fresh
    install
    fails grep -q switch-off "$scratch/calls"
    fresh
    preseed "switch-off-original boolean true"
    install
    grep -q -- --switch-off-original "$scratch/calls"
    [ "$(value switch-off-original)" = false ]
}

survives_a_failing_program() {
    fresh
    printf '#!/bin/sh\n[ "$*" = --version ] || { echo no such command >&2; exit 2; }\n' >"$scratch/bin/oauth-sync"
    preseed "notify-webhook password https://chat.example.org/hooks/canary" "rewrite-openclaw-json boolean true"
    install
    fails grep -rq canary "$scratch/root/db"
}

purge_takes_ours_alone() {
    local mark
    mark=$(sed -n 's/^const NAMED: &str = "# \(.*\)\\n";$/\1/p' "$root/src/app/setup/detect/write.rs")
    [ -n "$mark" ]
    fresh
    install
    echo KEY= | write_conf
    touch "$conf~" "$conf.dpkg-old"
    # one of detection's naming, as the program writes it, and one of the administrator's
    printf '# %s\nKEY=\n' "$mark" >"${conf%/*}/claw.conf"
    printf '#%s\nKEY="# %s"\n' "$mark" "$mark" >"${conf%/*}/other.conf"
    touch "${conf%/*}/claw.conf~"
    mkdir -p "$scratch"/root/{var/lib,run}/oauth-sync/deep
    script postrm remove
    [ -e "$conf" ]
    for _ in once again; do
        script postrm purge
        [ "$(cd "$scratch/root" && find . -type f -path "*oauth-sync*")" = ./etc/oauth-sync/other.conf ]
        [ ! -e "$scratch/root/var/lib/oauth-sync" ]
        fails grep -q "$package" "$scratch/root/db/config.dat"
    done
    rm "$scratch/root/etc/oauth-sync/other.conf"
    script postrm purge
    [ ! -e "$scratch/root/etc/oauth-sync" ]
}

unknown_arguments_fail() {
    fresh
    for name in postinst postrm; do
        fails script "$name" frobnicate
    done
    fails sh "$root/debian/prerm" frobnicate
}

t "a program that cannot run here fails postinst" what_cannot_run_is_refused
t "a noninteractive installation answers nothing" nothing_is_asked_by_itself
t "preseeded answers reach the program, and the webhook stays nowhere else" preseeds_are_passed_on
t "without the program nothing is asked, and preseeds survive" not_before_unpacking
t "an upgrade leaves the file as it is" upgrade_leaves_the_file
t "a file that was deleted stays deleted on upgrade" deleted_stays_deleted
t "the file is the truth, debconf follows" file_is_the_truth
t "a reconfiguration passes on every answer" reconfigure_says_all
t "the consent is asked for only where the first paste waits for it" consent_where_it_waits
t "a yes is noted, once, and not asked for again" yes_is_noted
t "a no changes nothing" no_changes_nothing
t "a reconfiguration asks for the consent, and shows what was answered" agreed_on_reconfigure
t "so does an upgrade, and leaves the file" agreed_on_upgrade
t "a preseeded yes is noted by a noninteractive installation, once" agreed_beforehand
t "an answer that cannot be used is asked for again" bad_answer_is_asked_again
t "Go Back shows the screen before, with its answers" go_back_works
t "and from an error the screen that it is about" back_from_an_error
t "and who only goes back leaves no answer that cannot be used" never_ends_without_a_check
t "a valid link outlives answers that cannot be used" valid_link_stays
t "where nobody is asked, it is left out, and all else is used" bad_answer_is_left_out
t "an answer that is no choice is left out, and said" no_choice_is_left_out
t "a reconfiguration at which nobody is asked says which new answers it ignores" unasked_reconfiguration_says_what_it_ignores
t "new preseeds on an installed package are said to be ignored" new_preseeds_are_said_to_be_ignored
t "the original's units are switched off only when asked" original_only_when_asked
t "a program that fails does not fail the installation" survives_a_failing_program
t "purge takes ours by name, twice, and nothing of others" purge_takes_ours_alone
t "unknown arguments fail" unknown_arguments_fail
