# The links of the configuration folder.
function __fish_oauth_sync_links
    set -l folder /etc/oauth-sync
    set -l words (commandline -opc)
    if set -l at (contains -i -- --config-dir $words)
        set folder $words[(math $at + 1)]
    end
    for file in $folder/*.conf
        basename $file .conf
    end
end

# Before a command, what clap makes does not know an option whose value is being typed.
function __fish_oauth_sync_at_link
    set -l words (commandline -opc)
    __fish_oauth_sync_needs_command >/dev/null
    test $status -gt 1; and test "$words[-1]" = --link
end

# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_oauth_sync_global_optspecs
    string join \n config-dir= state-dir= run-dir= link= v/verbose q/quiet h/help V/version
end

function __fish_oauth_sync_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_oauth_sync_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_oauth_sync_using_subcommand
    set -l cmd (__fish_oauth_sync_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -s V -l version -d 'Print version'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "watch" -d 'Run continuously and sync on changes'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "sync" -d 'Sync all links once'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "refresh" -d 'Renew due logins and verify the result'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "model" -d 'Show or set the models of Anthropic\'s that OpenClaw uses'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "gateway" -d 'Apply queued token updates to gateways'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "detect" -d 'Find Claude and OpenClaw on this host, and propose or write a link'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "notify" -d 'Run the hooks and post to the webhook for every event that waits'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "set" -d 'Set one key of a link\'s configuration; all else in the file stays'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "pause" -d 'Let a link\'s renewals and syncs rest, for two hours unless an end is given'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "resume" -d 'End a pause'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "status" -d 'Show sources, sinks and their states'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "setup" -d 'Set everything up, step by step, each change after confirmation'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "login" -d 'Sign in to Claude as the right user and in the right place, and carry the login on'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "check" -d 'Check for a monitor: exit 0 ok, 1 warning, 2 critical, 3 unknown'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "token" -d 'Print the current access token for a pipe'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "doctor" -d 'Look for every known cause of trouble, and print the command that fixes it'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "metrics" -d 'Print the state of all links in Prometheus\' text format'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l delegate -d 'Do not run external programs; queue for the units'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l dry-run -d 'Show what would be done; change nothing'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l force -d 'Pass on a login that ends before the one passed on last; write over mount points in place'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l delegate -d 'Do not run external programs; queue for the units'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -l dry-run -d 'Show what would be done and when; send and write nothing'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -l force -d 'Renew even if not due, backed off or rejected'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -l unattended -d 'Timer mode: link automatically if nothing is configured; exit quietly if nothing is found'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand refresh" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -l primary -d 'The model that agents use; instead of the usual one' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -l alias -d 'A model and the name that people see; instead of the usual two' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -l apply -d 'Set them in openclaw.json'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -l drop-provider -d 'Take out a models.providers.anthropic, which replaces the built-in models; by itself, set nothing'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand model" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -l consent -d 'Consent to the first paste, which removes the comments from openclaw.json; a copy is kept'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -l delegate -d 'Only note that, needed yet or not, and leave the paste to the services'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand gateway" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l root -d 'Look at the tree in DIR instead of the host' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l json -d 'Output JSON'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l print -d 'Print the best candidate as KEY=VALUE lines'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l write -d 'Write a link, default unless --link names one, if one candidate is the only best and one user controls all of it'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l all -d 'Write a link for each pair that belongs together unmistakably'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l set-stdin -d 'Read KEY=VALUE lines to be written from stdin; an empty value takes a key out'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -l switch-off-original -d 'Switch the original\'s units off'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand detect" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -l now -d 'Try also what failed a moment ago'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -l test -d 'Send a test instead, by each webhook and to each hook, and say what came back'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand notify" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand set" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand set" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand set" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand set" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand set" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand set" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand set" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -l until -d 'End at TIME: 18:00, 2026-11-30 or 2026-11-30T18:00:00Z' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -l for -d 'End after DURATION, as in 2h or 90m' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -l only -d 'Let only renewals or only syncs rest' -r -f -a "renew\t''
sync\t''"
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -l forever -d 'End when somebody resumes'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand pause" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand resume" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand resume" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand resume" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand resume" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand resume" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand resume" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand resume" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l json -d 'Output JSON'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l watch -d 'Refresh every 2 s'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l openclaw -d 'State directory of OpenClaw to propose, or \'none\' to only renew the login' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l claude -d 'Claude\'s credentials file to propose' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l container -d 'Container in which the Claude CLI runs' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l yes -d 'Take every proposal without asking; what costs or loses something is left out'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l no-install -d 'Do not install the Claude CLI'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l no-models -d 'Leave OpenClaw\'s models as they are'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l no-services -d 'Leave all units as they are'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -l test-call -d 'Propose a test call of the Claude CLI, which costs one short answer'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand setup" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -l signed-in -d 'Do not sign in; record that this login was signed in on DATE, as in 2026-11-30' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -l store -d 'Keep the setup-token in FILE instead of the state directory' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -l setup-token -d 'Take a setup-token from stdin or a hidden prompt, and use it for this link'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand login" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand check" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand check" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand check" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand check" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand check" -l json -d 'Output JSON'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand check" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand check" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand check" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -l json -d 'Output JSON, with the expiry'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -l force -d 'Allow printing to a terminal'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand token" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -l json -d 'Output JSON'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -l fix -d 'Apply safe fixes'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -l upgrade -d 'Show only what this version refuses, or runs as another user, unlike an earlier one'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand metrics" -l output -d 'Replace FILE by it, as `node_exporter`\'s textfile collector wants it' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand metrics" -l config-dir -d 'Directory of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand metrics" -l state-dir -d 'Directory of stored state [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand metrics" -l run-dir -d 'Directory of locks and queues [default: /run/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand metrics" -l link -d 'Work on this link only' -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand metrics" -s v -l verbose -d 'Say more'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand metrics" -s q -l quiet -d 'Print errors only'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand metrics" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "watch" -d 'Run continuously and sync on changes'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "sync" -d 'Sync all links once'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "refresh" -d 'Renew due logins and verify the result'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "model" -d 'Show or set the models of Anthropic\'s that OpenClaw uses'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "gateway" -d 'Apply queued token updates to gateways'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "detect" -d 'Find Claude and OpenClaw on this host, and propose or write a link'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "notify" -d 'Run the hooks and post to the webhook for every event that waits'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "set" -d 'Set one key of a link\'s configuration; all else in the file stays'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "pause" -d 'Let a link\'s renewals and syncs rest, for two hours unless an end is given'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "resume" -d 'End a pause'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "status" -d 'Show sources, sinks and their states'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "setup" -d 'Set everything up, step by step, each change after confirmation'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "login" -d 'Sign in to Claude as the right user and in the right place, and carry the login on'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "check" -d 'Check for a monitor: exit 0 ok, 1 warning, 2 critical, 3 unknown'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "token" -d 'Print the current access token for a pipe'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "doctor" -d 'Look for every known cause of trouble, and print the command that fixes it'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "metrics" -d 'Print the state of all links in Prometheus\' text format'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync refresh model gateway detect notify set pause resume status setup login check token doctor metrics help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauth-sync -n __fish_oauth_sync_at_link -x -a '(__fish_oauth_sync_links)'
complete -c oauth-sync -n '__fish_oauth_sync_using_subcommand set; and not __fish_seen_subcommand_from CLAUDE_CREDENTIALS MAX_CREDENTIALS_SIZE CLAUDE_CLI CLAUDE_CLI_PATH CLAUDE_CONTAINER CLAUDE_BASE_URL_OVERRIDE CONTAINER_ENGINE DOCKER_HOST REFRESH REFRESH_MARGIN RENEWED_BY PAUSE OPENCLAW_STATE_DIR OPENCLAW_CONFIG_PATH OPENCLAW_INCLUDE_ROOTS OPENCLAW_AGENT_DIR OPENCLAW_VERSION OPENCLAW_COMMAND OPENCLAW_COMMAND_USER SINKS MAX_AGENTS OAUTH_JSON ENV_FILE ENV_KEY SECRET_FILE GATEWAY CONTAINER_NAME COMPOSE_DIR COMPOSE_SERVICE COMPOSE_RECREATE GATEWAY_COMMAND GATEWAY_COMMAND_USER RECREATE_QUIET_HOURS RECREATE_IDLE_COMMAND RECREATE_IDLE_COMMAND_USER NOTIFY_WEBHOOK NOTIFY_FORMAT TOKEN_URL CLIENT_ID USER_AGENT' -f -a 'CLAUDE_CREDENTIALS MAX_CREDENTIALS_SIZE CLAUDE_CLI CLAUDE_CLI_PATH CLAUDE_CONTAINER CLAUDE_BASE_URL_OVERRIDE CONTAINER_ENGINE DOCKER_HOST REFRESH REFRESH_MARGIN RENEWED_BY PAUSE OPENCLAW_STATE_DIR OPENCLAW_CONFIG_PATH OPENCLAW_INCLUDE_ROOTS OPENCLAW_AGENT_DIR OPENCLAW_VERSION OPENCLAW_COMMAND OPENCLAW_COMMAND_USER SINKS MAX_AGENTS OAUTH_JSON ENV_FILE ENV_KEY SECRET_FILE GATEWAY CONTAINER_NAME COMPOSE_DIR COMPOSE_SERVICE COMPOSE_RECREATE GATEWAY_COMMAND GATEWAY_COMMAND_USER RECREATE_QUIET_HOURS RECREATE_IDLE_COMMAND RECREATE_IDLE_COMMAND_USER NOTIFY_WEBHOOK NOTIFY_FORMAT TOKEN_URL CLIENT_ID USER_AGENT'
