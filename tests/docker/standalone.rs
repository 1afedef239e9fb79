//! `docker-compose`, the program of its own, where Docker has no plugin of that name.

use std::fs;
use std::process::Command;

use crate::bed::Bed;
use crate::token;

/// Runs "$@" where the program stands on the usual path, and on no other host's.
const WITH_PROGRAM: &str =
    r#"set -e; mount --make-rprivate /; mount --bind "$1" /usr/local/sbin; shift; exec "$@""#;

#[test]
fn the_stand_alone_program_is_used_where_the_plugin_is_missing() {
    let mut bed = Bed::up();
    let shown = bed.docker().args(["info", "--format", "{{json .ClientInfo.Plugins}}"]).output();
    let plugins: serde_json::Value =
        serde_json::from_slice(&shown.expect("docker is there").stdout).expect("it is JSON");
    let compose = plugins.as_array().into_iter().flatten().find(|one| one["Name"] == "compose");
    let plugin = compose.and_then(|one| one["Path"].as_str()).expect("it tells its plugins");
    for name in ["bin", "no-plugins"] {
        fs::create_dir(bed.path(name)).expect("it is new");
    }
    fs::copy(plugin, bed.path("bin/docker-compose")).expect("it is a program");
    let none = bed.path("no-plugins");
    bed.set("DOCKER_CONFIG", &none.display().to_string());
    let missing = bed.docker().args(["compose", "version"]).output().expect("docker is there");
    assert!(!missing.status.success(), "a plugin of the host's is in the way: {missing:?}");
    bed.rotate(&token("new"));
    let program = bed.program(&["sync"]);
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", WITH_PROGRAM, "sh"]).arg(bed.path("bin"));
    command.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        command.env(name, value.expect("none is taken away"));
    }
    let output = command.output().expect("util-linux is there");
    assert!(output.status.success(), "{output:?}");
    bed.uses(&token("new"));
}
