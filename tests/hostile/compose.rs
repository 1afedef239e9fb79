//! Compose as root: only on files that nobody else can change, however they are reached.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::lab::{ALICE, Lab, Ran};

/// Plays docker: one container of the project in `oc`, and writes down with what compose is run.
const DOCKER: &str = r#"#!/bin/sh
case "$*" in
"ps "*) echo abc123def456abc123def456 ;;
"inspect "*) sed "s|FILES|$(cat LAB/files)|; s|MOUNTS|$(cat LAB/mounts 2>/dev/null)|" LAB/inspect.json ;;
"image inspect"*) echo "sha256:1 $(cat LAB/labels 2>/dev/null || echo '{}')" ;;
"compose version"*) echo 2.30.0 ;;
"compose "*) { id -u; cat LAB/home/a/*.y*ml LAB/home/a/*.env; echo "$@"; } >>LAB/ran 2>/dev/null; exit 1 ;;
*) exit 1 ;;
esac
"#;

const INSPECT: &str = r#"[{"Id":"abc123def456abc123def456","Image":"sha256:1","Config":{"Image":"oc:1","Env":["ANTHROPIC_OAUTH_TOKEN=old"],"Labels":{"com.docker.compose.project":"oc","com.docker.compose.service":"openclaw-gateway","com.docker.compose.project.working_dir":"LAB/oc","com.docker.compose.project.config_files":"FILES"}},"Mounts":[MOUNTS],"State":{"Running":true,"Status":"running","ExitCode":0,"StartedAt":"2026-11-30T00:00:00Z"},"NetworkSettings":{"Ports":{}}}]"#;

/// A compose project of root's in `oc`, for a login of Alice's.
fn lab() -> Lab {
    let lab = Lab::new();
    let root = lab.at(".").to_str().unwrap().trim_end_matches("/.").to_owned();
    lab.login(ALICE, "home/a/.claude", "1", 20_000);
    lab.sh("mkdir -m 755 fake oc oc/sub");
    for (path, text) in [("fake/docker", DOCKER), ("inspect.json", INSPECT)] {
        std::fs::write(lab.at(path), text.replace("LAB", &root)).unwrap();
    }
    lab.sh("chmod 755 fake/docker; echo ANTHROPIC_OAUTH_TOKEN=x > oc/.env; chmod 600 oc/.env");
    lab.sh("echo 'services: {openclaw-gateway: {image: oc:1}}' > oc/compose.yaml");
    lab.as_user(
        ALICE,
        "mkdir home/a/oc; for f in over.yaml more.env .env; do echo A=1 > home/a/$f; done",
    );
    lab.as_user(ALICE, "echo 'services: {}' > home/a/over.yaml");
    files(&lab, "oc/compose.yaml");
    lab.configuration(
        "a",
        &format!(
            "CLAUDE_CREDENTIALS=\"{root}/home/a/.claude/.credentials.json\"\nCLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nOPENCLAW_VERSION=\"2026.2.25\"\nENV_FILE=\"{root}/oc/.env\"\nSINKS=\"env\"\nCOMPOSE_DIR=\"{root}/oc\"\n"
        ),
    );
    lab
}

/// The files that the container was made from.
fn files(lab: &Lab, list: &str) {
    let root = lab.at(".").to_str().unwrap().trim_end_matches("/.").to_owned();
    let paths: Vec<String> = list.split(',').map(|path| format!("{root}/{path}")).collect();
    std::fs::write(lab.at("files"), paths.join(",")).unwrap();
}

/// A sync with a new token, in a mount namespace where the docker of the lab is the host's.
fn sync(lab: &Lab) -> Ran {
    static COUNT: AtomicU32 = AtomicU32::new(2);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    lab.login(ALICE, "home/a/.claude", &count.to_string(), 20_000 + 60 * u64::from(count));
    lab.sh("rm -rf ran state/*");
    lab.inside(&["sync"])
}

#[test]
fn a_project_of_roots_alone_is_recreated_as_root() {
    let lab = lab();
    lab.sh("printf 'DIR=sub\\nEMPTY=\\n' >>oc/.env");
    for text in [
        "services: {openclaw-gateway: {image: oc:1}, x: {env_file: '${DIR}/one.env'}}",
        "services: {openclaw-gateway: {image: oc:1}, x: {env_file: '${NOT_SET:-sub/one.env}'}}",
        "services: {openclaw-gateway: {image: oc:1}, x: {env_file: '${EMPTY:-sub}/one.env'}}",
        "services: {openclaw-gateway: {image: oc:1, env_file: .env, volumes: [/home/a/x:/x]}}",
        "include: [sub/one.yaml]\nservices: {openclaw-gateway: {env_file: [{path: none.env, required: false}]}}",
        "services: {openclaw-gateway: {extends: {file: sub/one.yaml, service: x}}}",
    ] {
        std::fs::write(lab.at("oc/compose.yaml"), text).unwrap();
        lab.sh("echo 'services: {x: {image: oc:1, env_file: one.env}}' > oc/sub/one.yaml; touch oc/sub/one.env");
        let said = sync(&lab);
        assert!(lab.read("ran").starts_with("0\n"), "{text}: {}", said.stderr);
    }
}

/// Ways to a user's file, or to what nobody can resolve: what is done to the project, and which files its
/// labels name then.
const REACHED: &[(&str, &str)] = &[
    // Named on the command line, given to root or not, by a link or below the user's directory.
    (":", "oc/compose.yaml,home/a/over.yaml"),
    ("chown 0 home/a/over.yaml", "oc/compose.yaml,home/a/over.yaml"),
    (
        "chown 0:0 home/a/oc; echo 'services: {}' > home/a/oc/o.yaml",
        "oc/compose.yaml,home/a/oc/o.yaml",
    ),
    ("ln -s ../home/a/over.yaml oc/over.yaml", "oc/compose.yaml,oc/over.yaml"),
    ("ln -s ../home/a oc/far", "oc/compose.yaml,oc/far/over.yaml"),
    // Included, nested, extended, merged; in each spelling.
    ("echo 'include: [../home/a/over.yaml]' > oc/compose.yaml", ""),
    ("echo 'include: [{path: [sub/one.yaml, HOME/over.yaml]}]' > oc/compose.yaml", ""),
    (
        "echo 'include: [sub/one.yaml]' > oc/compose.yaml; echo 'include: [HOME/over.yaml]' > oc/sub/one.yaml",
        "",
    ),
    (
        "echo 'include: [{path: sub/one.yaml, project_directory: HOME}]' > oc/compose.yaml; touch oc/sub/one.yaml",
        "",
    ),
    (
        "echo 'include: [{path: sub/one.yaml, env_file: HOME/more.env}]' > oc/compose.yaml; touch oc/sub/one.yaml",
        "",
    ),
    ("echo 'services: {a: {extends: {file: HOME/over.yaml, service: x}}}' > oc/compose.yaml", ""),
    ("echo 'services: {a: {env_file: HOME/more.env}}' > oc/compose.yaml", ""),
    (
        "echo 'services: {a: {env_file: [{path: HOME/more.env, format: raw}]}}' > oc/compose.yaml",
        "",
    ),
    (
        "echo 'services: {a: {env_file: [{path: HOME/not-there.env, required: false}]}}' > oc/compose.yaml",
        "",
    ),
    ("printf 'x: &x {env_file: HOME/more.env}\\nservices: {a: {<<: *x}}\\n' > oc/compose.yaml", ""),
    (
        "ln -s ../home/a/more.env oc/linked.env; echo 'services: {a: {env_file: linked.env}}' > oc/compose.yaml",
        "",
    ),
    // In words that compose reads otherwise: after a byte order mark, below another project's directory,
    // as a program, in Base64.
    ("printf '\\357\\273\\277include: [HOME/over.yaml]\\n' > oc/compose.yaml", ""),
    (
        "mkdir oc/d; ln -s HOME/over.yaml oc/d/y.yaml; echo 'include: [{path: sub/one.yaml, project_directory: d}]' > oc/compose.yaml
         echo 'services: {openclaw-gateway: {extends: {file: y.yaml, service: s}}}' > oc/sub/one.yaml",
        "",
    ),
    (
        "echo 'services: {openclaw-gateway: {provider: {type: HOME/over.yaml}}}' > oc/compose.yaml",
        "",
    ),
    (
        "echo 'services: {openclaw-gateway: {!!binary ZXh0ZW5kcw==: {file: HOME/over.yaml, service: s}}}' > oc/compose.yaml",
        "",
    ),
    // Not there yet, where everybody can put it.
    (
        "mkdir -m 1777 tmp; echo \"services: {a: {env_file: [{path: $PWD/tmp/none.env, required: false}]}}\" > oc/compose.yaml",
        "",
    ),
    ("mkdir -m 1777 tmp; echo \"include: [$PWD/tmp/none/more.yaml]\" > oc/compose.yaml", ""),
    ("echo 'COMPOSE_FILE=compose.yaml:HOME/over.yaml' >> oc/.env", ""),
    // By a variable, set or not.
    (
        "echo DIR=HOME >>oc/.env; echo 'services: {a: {env_file: \"${DIR}/more.env\"}}' > oc/compose.yaml",
        "",
    ),
    (
        "echo DIR=sub >>oc/.env; echo 'services: {a: {env_file: \"${OTHER:-HOME}/more.env\"}}' > oc/compose.yaml",
        "",
    ),
    // What nobody can resolve: compose's own environment, a variable of variables, another file's.
    ("echo 'services: {a: {env_file: \"${PATH:-sub}/more.env\"}}' > oc/compose.yaml", ""),
    ("echo 'services: {a: {env_file: \"${DOCKER_HOST:-sub}/more.env\"}}' > oc/compose.yaml", ""),
    (
        "echo 'DIR=${HOME}' >>oc/.env; echo 'services: {a: {env_file: \"${DIR:-sub}/more.env\"}}' > oc/compose.yaml",
        "",
    ),
    (
        "echo COMPOSE_ENV_FILES=more.env >>oc/.env; echo 'services: {a: {env_file: \"${DIR:-sub}/more.env\"}}' > oc/compose.yaml",
        "",
    ),
    (
        "echo 'include: [sub/one.yaml]' > oc/compose.yaml; echo 'services: {a: {env_file: \"${DIR:-x}/more.env\"}}' > oc/sub/one.yaml",
        "",
    ),
    ("echo 'services: {a: {env_file: \"${WHERE}/more.env\"}}' > oc/compose.yaml", ""),
    ("echo 'include: [\"https://example.invalid/x.git\"]' > oc/compose.yaml", ""),
    ("echo 'include: [\"oci://example.invalid/x\"]' > oc/compose.yaml", ""),
    ("echo 'services: [' > oc/compose.yaml", ""),
    // What a container writes is root's to the host, where it is root in there.
    (
        "mkdir -p volumes/x/_data; echo 'services: {}' > volumes/x/_data/more.yaml",
        "oc/compose.yaml,volumes/x/_data/more.yaml",
    ),
    (
        "mkdir -p volumes/x/_data/y; touch volumes/x/_data/y/more.env; ln -s ../volumes/x/_data/y oc/far; echo 'services: {a: {env_file: far/more.env}}' > oc/compose.yaml",
        "",
    ),
    // An access control list: the group has no members, and is not who may write.
    ("setfacl -m u:61421:rw oc/compose.yaml", ""),
    ("setfacl -m u:61421:rwx oc", ""),
    ("setfacl -m u:61421:rw oc/.env", ""),
    // Root's own directory, in which others can write.
    ("chmod 777 oc", ""),
    (
        "chmod 757 oc/sub; echo 'include: [sub/one.yaml]' > oc/compose.yaml; touch oc/sub/one.yaml",
        "",
    ),
    (
        "chmod 1777 oc/sub; echo 'include: [sub/one.yaml]' > oc/compose.yaml; touch oc/sub/one.yaml",
        "",
    ),
    ("chmod 666 oc/compose.yaml", ""),
];

/// Root in a container is root to what it has mounted: the mounts, and whether compose is still run.
const MOUNTED: &[(&str, bool)] = &[
    (r#"{"Source":"LAB/oc","Destination":"/oc","RW":true}"#, false),
    (r#"{"Source":"LAB/oc/compose.yaml","Destination":"/c","RW":true}"#, false),
    (r#"{"Source":"LAB","Destination":"/c"}"#, false),
    // An optional file that is not there yet.
    (r#"{"Source":"LAB/oc/sub","Destination":"/c","RW":true}"#, false),
    (r#"{"Source":"LAB/oc","Destination":"/oc","RW":false}"#, true),
    (r#"{"Source":"LAB/oc/data","Destination":"/oc","RW":true}"#, true),
    (r#"{"Source":"LAB/o","Destination":"/oc","RW":true}"#, true),
    // Root on the host anyway.
    (
        r#"{"Source":"LAB/oc","RW":true},{"Source":"/run/docker.sock","Destination":"/s","RW":false}"#,
        true,
    ),
];

#[test]
fn no_file_is_read_that_a_container_can_write() {
    for (mounts, is_run) in MOUNTED {
        let lab = lab();
        let root = lab.at(".").to_str().unwrap().trim_end_matches("/.").to_owned();
        std::fs::write(lab.at("mounts"), mounts.replace("LAB", &root)).unwrap();
        let other = "{env_file: [{path: sub/none.env, required: false}]}";
        let text = format!("services: {{openclaw-gateway: {{image: oc:1}}, x: {other}}}");
        std::fs::write(lab.at("oc/compose.yaml"), text).unwrap();
        let said = sync(&lab);
        assert_eq!(lab.at("ran").exists(), *is_run, "{mounts}: {}", said.stderr);
        assert!(*is_run || said.stderr.contains("which container"), "{mounts}: {}", said.stderr);
    }
}

/// An image can carry any label, and every container of it has them.
#[test]
fn a_container_whose_image_claims_to_be_a_projects_is_none() {
    for (labels, is_run) in [
        (r#"{"com.docker.compose.project.working_dir":"x"}"#, false),
        (r#"{"com.docker.compose.project.config_files":"x"}"#, false),
        (r#"{"com.docker.compose.project.environment_file":""}"#, false),
        // Compose gives those to what it builds.
        (r#"{"com.docker.compose.project":"oc","com.docker.compose.service":"x"}"#, true),
        ("null", true),
    ] {
        let lab = lab();
        std::fs::write(lab.at("labels"), labels).unwrap();
        let said = sync(&lab);
        assert_eq!(lab.at("ran").exists(), is_run, "{labels}: {}", said.stderr);
        assert!(is_run || said.stderr.contains("does not count"), "{labels}: {}", said.stderr);
    }
}

#[test]
fn no_file_of_a_users_is_read_however_it_is_reached() {
    let users = |lab: &Lab, path: &str| lab.at("home/a").join(path).display().to_string();
    for (script, list) in REACHED {
        let lab = lab();
        lab.sh(&script.replace("HOME", users(&lab, "").trim_end_matches('/')));
        if !list.is_empty() {
            files(&lab, list);
        }
        let said = sync(&lab);
        assert!(!lab.at("ran").exists(), "{script}: compose was run as {}", lab.read("ran"));
        assert!(!said.stderr.contains("chown root"), "{script}: {}", said.stderr);
        let check = lab.inside(&["check"]);
        assert_eq!(check.code, Some(2), "{script}: {}{}", check.stdout, said.stderr);
        let doctor = lab.inside(&["doctor"]);
        assert!(doctor.stdout.contains("root "), "{script}: {}", doctor.stdout);
        assert!(!doctor.stdout.contains("chown"), "{script}: {}", doctor.stdout);
    }
}

/// The engine that root asks is a program of root's like any other.
#[test]
fn an_engine_that_others_can_change_is_not_run() {
    for (engine, script) in [
        ("docker", "chmod 777 fake/docker"),
        ("docker", "chown 61421 fake/docker"),
        ("docker", "setfacl -m u:61421:rwx fake/docker"),
        ("docker", "mv fake/docker home/a/docker; ln -s \"$PWD/home/a/docker\" fake/docker"),
        ("podman", "chmod 757 fake/podman"),
        ("podman", "chown 61421 fake/podman"),
    ] {
        let lab = lab();
        let text = lab.read("etc/a.conf");
        lab.configuration("a", &format!("{text}CONTAINER_ENGINE=\"{engine}\"\n"));
        lab.sh(&format!("sed -i '2i echo asked >>{}' fake/docker", lab.at("asked").display()));
        lab.sh("cp -p fake/docker fake/podman");
        let said = sync(&lab);
        assert!(lab.at("asked").exists(), "{engine}: {}", said.stderr);
        lab.sh(&format!("rm asked; rm -f ran; {script}"));
        let said = sync(&lab);
        let was_run = lab.at("asked").exists() || lab.at("ran").exists();
        assert!(!was_run && said.stderr.contains("root does not run it"), "{script}: {said:?}");
        let doctor = lab.inside(&["doctor"]);
        assert!(doctor.stdout.contains("root does not run it"), "{script}: {}", doctor.stdout);
        assert_eq!(lab.inside(&["check"]).code, Some(2), "{script}");
    }
}
