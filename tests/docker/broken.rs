//! Broken on purpose: the old container stays where it can, the message says why, and what is mended
//! is found without help.

use std::fs;
use std::process::Command;

use crate::bed::{Bed, PLAIN};
use crate::token;

/// A new token that could not reach the gateway: what was said, and that nothing was touched.
#[track_caller]
fn refused(bed: &Bed, code: i32, why: &str, break_it: impl FnOnce()) {
    let before = bed.ids();
    bed.rotate(&token("new"));
    assert_eq!(bed.run(&["sync", "--delegate"]).code, Some(0));
    break_it();
    let ran = bed.run(&["gateway"]);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert!(ran.stderr.contains(why), "{ran:?}");
    assert!(!ran.stderr.contains("sk-ant"), "{ran:?}");
    assert_eq!(bed.ids(), before);
}

/// After it was mended, the next try works.
#[track_caller]
fn heals(bed: &Bed) {
    bed.hurry();
    let ran = bed.run(&["gateway"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    bed.uses(&token("new"));
}

#[test]
fn the_env_file_is_gone() {
    let bed = Bed::up();
    let file = bed.path("project/.env");
    let aside = bed.path("project/aside");
    refused(&bed, 75, ".env' is not there, so nothing is recreated", || {
        fs::rename(&file, &aside).expect("it was there");
    });
    bed.uses(&token("old"));
    fs::rename(&aside, &file).expect("it was there");
    heals(&bed);
}

#[test]
fn the_env_file_has_lost_the_key() {
    let bed = Bed::up();
    refused(&bed, 75, "does not set ANTHROPIC_OAUTH_TOKEN, so nothing is recreated", || {
        bed.write(".env", "OTHER=1\n");
    });
    bed.dotenv(&token("new"));
    heals(&bed);
}

#[test]
fn the_env_file_is_malformed() {
    let bed = Bed::up();
    refused(&bed, 1, "compose could not recreate the service", || {
        bed.write(".env", &format!("ANTHROPIC_OAUTH_TOKEN={}\nX=${{\n", token("new")));
    });
    bed.uses(&token("old"));
    bed.dotenv(&token("new"));
    heals(&bed);
}

#[test]
fn the_image_is_gone() {
    let bed = Bed::new();
    let tag = format!("openclaw:{}", bed.project);
    must(bed.docker().args(["tag", "openclaw:local", &tag]));
    bed.write("compose.yml", &PLAIN.replacen("openclaw:local", &tag, 1));
    bed.dotenv(&token("old"));
    bed.start();
    refused(&bed, 75, "is not there any more", || must(bed.docker().args(["rmi", "-f", &tag])));
    must(bed.docker().args(["tag", "openclaw:local", &tag]));
    heals(&bed);
    must(bed.docker().args(["rmi", "-f", &tag]));
}

#[test]
fn the_daemon_does_not_answer() {
    let mut bed = Bed::up();
    let before = bed.ids();
    bed.rotate(&token("new"));
    let host = "unix:///nonexistent/docker.sock";
    bed.configure(&format!("DOCKER_HOST=\"{host}\""));
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(75), "{ran:?}");
    assert!(ran.stderr.contains("docker does not answer"), "{ran:?}");
    bed.configure("");
    assert_eq!(bed.ids(), before);
    bed.set("LANG", "C");
    heals(&bed);
}

#[test]
fn the_compose_file_was_moved() {
    let bed = Bed::up();
    let (file, aside) = (bed.path("project/compose.yml"), bed.path("project/moved.yml"));
    refused(&bed, 75, "which the running project was made from, is not there", || {
        fs::rename(&file, &aside).expect("it was there");
    });
    fs::rename(&aside, &file).expect("it was there");
    heals(&bed);
}

#[test]
fn the_labels_disagree_with_the_configuration() {
    let bed = Bed::up();
    let other = bed.path("other");
    fs::create_dir(&other).expect("it is new");
    fs::write(other.join(".env"), format!("ANTHROPIC_OAUTH_TOKEN={}\n", token("old")))
        .expect("it is new");
    let text = fs::read_to_string(bed.path("etc/default.conf")).expect("it is there");
    let project = bed.path("project").display().to_string();
    fs::write(bed.path("etc/default.conf"), text.replace(&project, &other.display().to_string()))
        .expect("it is there");
    bed.rotate(&token("new"));
    let before = bed.ids();
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(75), "{ran:?}");
    assert!(
        ran.stderr.contains("but the container of service openclaw-gateway was made in"),
        "{ran:?}"
    );
    assert_eq!(bed.ids(), before);
}

#[test]
fn the_new_container_dies_at_start() {
    let bed = Bed::up();
    bed.rotate(&token("new"));
    let dying = PLAIN.replace("      ANTHROPIC", "      GATEWAY_MODE: die\n      ANTHROPIC");
    bed.write("compose.yml", &dying);
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("exit status 1"), "{ran:?}");
    assert!(ran.stderr.contains("gateway: told to die"), "{ran:?}");
    bed.write("compose.yml", PLAIN);
    heals(&bed);
}

#[test]
fn a_token_in_the_log_is_masked() {
    let bed = Bed::up();
    bed.rotate(&token("new"));
    let telling = PLAIN.replace(
        "    environment:",
        "    command: [sh, -c, 'echo it is $$ANTHROPIC_OAUTH_TOKEN; exit 3']\n    environment:",
    );
    bed.write("compose.yml", &telling);
    let ran = bed.run(&["sync"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("it is ***") && !ran.stderr.contains("invented"), "{ran:?}");
}

#[test]
fn root_does_not_run_what_others_can_write() {
    let bed = Bed::up();
    refused(&bed, 75, "root does not use it", || {
        let file = bed.path("project/compose.yml");
        std::os::unix::fs::chown(file, Some(1234), None).expect("the tests are root's");
    });
}

#[test]
fn a_users_project_is_run_with_that_users_rights_alone() {
    let bed = Bed::up();
    refused(&bed, 75, "usermod -aG docker", || {
        for name in ["project", "project/compose.yml", "project/.env"] {
            std::os::unix::fs::chown(bed.path(name), Some(1234), Some(1234)).expect("root's");
        }
        let folder = bed.path("");
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("root's");
    });
}

#[track_caller]
fn must(command: &mut Command) {
    let output = command.output().expect("docker is there");
    assert!(output.status.success(), "{command:?}: {output:?}");
}
