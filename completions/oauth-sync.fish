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

complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -l config-dir -d 'Folder of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -l state-dir -d 'Folder of what is remembered [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -l run-dir -d 'Folder of locks and queues' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -l link -d 'Work on this link only' -r
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -s v -l verbose -d 'Say more; twice says everything'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -s q -l quiet -d 'Say only what went wrong'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -s V -l version -d 'Print version'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "watch" -d 'Stay and bring the sinks in step on every change of a source'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "sync" -d 'Bring the sinks in step once'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "status" -d 'Show sources, sinks and their states'
complete -c oauth-sync -n "__fish_oauth_sync_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l config-dir -d 'Folder of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l state-dir -d 'Folder of what is remembered [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l run-dir -d 'Folder of locks and queues' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l link -d 'Work on this link only' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -l delegate -d 'Queue for other units what needs the network or other programs'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -s v -l verbose -d 'Say more; twice says everything'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -s q -l quiet -d 'Say only what went wrong'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand watch" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l config-dir -d 'Folder of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l state-dir -d 'Folder of what is remembered [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l run-dir -d 'Folder of locks and queues' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l link -d 'Work on this link only' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l dry-run -d 'Show what would be done, and do nothing'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -l force -d 'Pass on a login that ends before the one passed on last'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -s v -l verbose -d 'Say more; twice says everything'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -s q -l quiet -d 'Say only what went wrong'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand sync" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l config-dir -d 'Folder of the links\' configuration files' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l state-dir -d 'Folder of what is remembered [default: $STATE_DIRECTORY or /var/lib/oauth-sync]' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l run-dir -d 'Folder of locks and queues' -r -F
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l link -d 'Work on this link only' -r
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -l json -d 'Write JSON'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -s v -l verbose -d 'Say more; twice says everything'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -s q -l quiet -d 'Say only what went wrong'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand status" -s h -l help -d 'Print help'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync status help" -f -a "watch" -d 'Stay and bring the sinks in step on every change of a source'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync status help" -f -a "sync" -d 'Bring the sinks in step once'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync status help" -f -a "status" -d 'Show sources, sinks and their states'
complete -c oauth-sync -n "__fish_oauth_sync_using_subcommand help; and not __fish_seen_subcommand_from watch sync status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
