//! Compose projects of one user: the gateway takes what its labels name, and `doctor` looks at the same.

use crate::lab::{ALICE, Lab, Ran};

/// Plays docker: one container of the service, which `up` makes anew with what `LAB/up` puts into `token`.
const DOCKER: &str = r#"#!/bin/sh
echo "$*" >>LAB/log
case "$*" in
"ps -a -q"*) echo 1111111111111111111111111111111111111111111111111111111111111111 ;;
"inspect "*) sed -e "s|VARIABLE|$(cat LAB/token)|" -e "s|STARTED|$(cat LAB/started)|" LAB/inspect.json ;;
"image inspect"*) echo "sha256:1 {}" ;;
"compose version"*) echo 2.30.0 ;;
"compose "*" up "*) sh LAB/up && date -u +%FT%TZ >LAB/started ;;
*) exit 1 ;;
esac
"#;

const INSPECT: &str = r#"[{"Name":"/oc-gateway-1","Id":"1111111111111111111111111111111111111111111111111111111111111111","Image":"sha256:1","Config":{"Image":"oc:1","Env":["VARIABLE"],"Labels":{"com.docker.compose.project":"NAME","com.docker.compose.service":"openclaw-gateway","com.docker.compose.project.working_dir":"FOLDER","com.docker.compose.project.config_files":"FILES"ENV_FILES}},"State":{"Running":true,"Status":"running","ExitCode":0,"StartedAt":"STARTED"},"NetworkSettings":{"Ports":{}}}]"#;

/// A compose file that puts the variable in.
const HANDS: &str = "services: {openclaw-gateway: {environment: {ANTHROPIC_OAUTH_TOKEN: \"${ANTHROPIC_OAUTH_TOKEN}\"}}}";

/// One that does not.
const PLAIN: &str = "services: {openclaw-gateway: {image: \"oc:1\"}}";

/// What the labels say of the project of Alice's in `home/a/oc`.
struct Labels<'a> {
    name: &'a str,
    folder: &'a str,
    files: &'a str,
    env_files: &'a str,
}

const LABELS: Labels<'static> = Labels {
    name: "oc",
    folder: "LAB/home/a/oc",
    files: "LAB/home/a/oc/compose.yaml",
    env_files: "",
};

fn root(lab: &Lab) -> String {
    lab.at("etc").parent().unwrap().to_str().unwrap().to_owned()
}

/// A lab with a link of Alice's to such a project; its files are given with their texts.
fn lab(labels: &Labels<'_>, files: &[(&str, &str)]) -> Lab {
    let lab = Lab::new();
    let root = root(&lab);
    lab.sh("mkdir -m 755 fake");
    let env_files = match labels.env_files {
        "" => String::new(),
        list => format!(r#","com.docker.compose.project.environment_file":"{list}""#),
    };
    let inspect = INSPECT
        .replace("NAME", labels.name)
        .replace("FOLDER", labels.folder)
        .replace("ENV_FILES", &env_files)
        .replace("FILES", labels.files);
    for (path, text) in
        [("fake/docker", DOCKER), ("inspect.json", &inspect), ("up", ""), ("log", "")]
    {
        std::fs::write(lab.at(path), text.replace("LAB", &root)).unwrap();
    }
    lab.sh("echo ANTHROPIC_OAUTH_TOKEN=old >token; echo 2026-11-30T00:00:00Z >started");
    // The host's own podman is nobody's business here.
    lab.sh("printf '#!/bin/sh\\n' >fake/podman; chmod 755 fake/docker fake/podman; chmod 666 log token started");
    lab.login(ALICE, "home/a/.claude", "1", 20_000)
        .as_user(ALICE, "mkdir home/a/oc home/a/.openclaw");
    for (name, text) in files {
        std::fs::write(lab.at(&format!("home/a/oc/{name}")), format!("{text}\n")).unwrap();
    }
    lab.sh(&format!(
        "chown -R {ALICE}:{ALICE} home/a/oc; find home/a/oc -name '*env*' -exec chmod 600 {{}} +"
    ));
    lab.link(
        "a",
        &format!(
            "CLAUDE_CLI=\"none\"\nREFRESH=\"off\"\nOPENCLAW_VERSION=\"2026.2.25\"\nSINKS=\"env\"\nGATEWAY=\"compose\"\nCOMPOSE_DIR=\"{root}/home/a/oc\"\n"
        ),
    );
    lab
}

/// What compose does with `file`: the container's variable is what stands there.
fn up_reads(lab: &Lab, file: &str) {
    let script =
        format!("grep '^ANTHROPIC_OAUTH_TOKEN=' {0}/home/a/oc/{file} >{0}/token", root(lab));
    std::fs::write(lab.at("up"), script).unwrap();
}

fn said(ran: &Ran, lab: &Lab) -> String {
    format!("{}{}", ran.stderr, ran.stdout).replace(&root(lab), "LAB")
}

#[test]
fn doctor_looks_at_the_files_that_the_container_was_made_from() {
    let labels = Labels { files: "LAB/home/a/oc/compose.yaml,LAB/home/a/oc/extra.yaml", ..LABELS };
    let labels = Labels { name: "claw", ..labels };
    let old = "ANTHROPIC_OAUTH_TOKEN=old";
    let lab = lab(&labels, &[("compose.yaml", PLAIN), ("extra.yaml", HANDS), (".env", old)]);
    up_reads(&lab, ".env");
    assert_eq!(lab.inside(&["sync"]).code, Some(0));
    assert!(lab.read("token").contains("-access1"), "{}", lab.read("token"));
    let doctor = lab.inside(&["doctor"]);
    assert_eq!((doctor.code, &*doctor.stdout), (Some(0), "nothing is wrong\n"));
    // Somebody made it anew with another token: the command has all that it was made from.
    lab.sh("echo ANTHROPIC_OAUTH_TOKEN=other >token");
    let doctor = lab.inside(&["doctor"]);
    let text = said(&doctor, &lab);
    assert!(text.starts_with("error gateway-old-token (a)\n"), "{text}");
    assert!(text.contains(" docker compose --project-name claw -f LAB/home/a/oc/compose.yaml -f LAB/home/a/oc/extra.yaml up -d --no-deps --force-recreate openclaw-gateway'\n"), "{text}");
    // It has no variable, and the files would hand none over.
    lab.sh("echo A=1 >token; cp home/a/oc/compose.yaml home/a/oc/extra.yaml");
    let text = said(&lab.inside(&["doctor"]), &lab);
    assert!(text.starts_with("error variable-not-in-container (a)\n"), "{text}");
    assert!(text.contains("LAB/home/a/oc/extra.yaml && docker compose --project-name claw -f LAB/home/a/oc/compose.yaml -f LAB/home/a/oc/extra.yaml up -d openclaw-gateway'\n"), "{text}");
}

/// The label of env files, the compose file, the file that compose reads, and `ENV_FILE`; then what is
/// said where nothing is recreated.
const ENV_FILES: &[(&str, &str, &str, &str, Option<&str>)] = &[
    ("", HANDS, ".env", "", None),
    ("LAB/home/a/oc/prod.env", HANDS, "prod.env", "prod.env", None),
    ("LAB/home/a/oc/.env,LAB/home/a/oc/prod.env", HANDS, "prod.env", "prod.env", None),
    ("LAB/home/a/oc/prod.env", HANDS, "prod.env", "", Some("ENV_FILE LAB/home/a/oc/prod.env")),
    ("prod.env", HANDS, "prod.env", "", Some("ENV_FILE LAB/home/a/oc/prod.env")),
    (
        "LAB/home/a/oc/.env,LAB/home/a/oc/prod.env",
        HANDS,
        "prod.env",
        ".env",
        Some("ENV_FILE LAB/home/a/oc/prod.env"),
    ),
    ("", "services: {openclaw-gateway: {env_file: prod.env}}", "prod.env", "prod.env", None),
    (
        "",
        "services: {openclaw-gateway: {env_file: [.env, {path: \"./${STAGE:-prod}.env\"}]}}",
        "prod.env",
        "prod.env",
        None,
    ),
    (
        "",
        "services: {openclaw-gateway: {env_file: prod.env}}",
        "prod.env",
        "",
        Some("ENV_FILE LAB/home/a/oc/prod.env"),
    ),
    (
        "",
        "services: {openclaw-gateway: {env_file: [.env, {path: prod.env, format: raw}]}}",
        "prod.env",
        "",
        Some("ENV_FILE LAB/home/a/oc/prod.env"),
    ),
    (
        "",
        "services: {openclaw-gateway: {env_file: [{path: prod.env, format: raw}]}}",
        "prod.env",
        "prod.env",
        None,
    ),
    (
        "",
        "services: {openclaw-gateway: {env_file: [{path: quoted.env, format: raw}]}}",
        "quoted.env",
        "quoted.env",
        Some("with `format: raw`"),
    ),
    (
        "",
        "services: {openclaw-gateway: {environment: [ANTHROPIC_OAUTH_TOKEN=old], env_file: .env}}",
        ".env",
        "",
        Some("LAB/home/a/oc/compose.yaml' itself sets ANTHROPIC_OAUTH_TOKEN"),
    ),
];

#[test]
fn the_file_that_the_project_reads_is_written_or_named_and_nothing_recreated() {
    let old = "ANTHROPIC_OAUTH_TOKEN=old";
    let quoted = "ANTHROPIC_OAUTH_TOKEN='old'";
    for (env_files, text, read, env_file, refused) in ENV_FILES {
        let files =
            [("compose.yaml", *text), (".env", old), ("prod.env", old), ("quoted.env", quoted)];
        let lab = lab(&Labels { env_files, ..LABELS }, &files);
        up_reads(&lab, read);
        if !env_file.is_empty() {
            let path = lab.at("home/a/oc").join(env_file);
            let set = ["set", "--link", "a", "ENV_FILE", path.to_str().unwrap()];
            assert_eq!(lab.unconfined(&set).code, Some(0), "{env_file}");
        }
        let case = format!("'{env_files}' {text} {env_file}");
        let sync = said(&lab.inside(&["sync"]), &lab);
        let ups = lab.read("log").matches(" up ").count();
        assert_eq!(ups, usize::from(refused.is_none()), "{case}: {sync}");
        let doctor = lab.inside(&["doctor"]);
        let found = said(&doctor, &lab);
        if let Some(words) = refused {
            assert!(sync.contains(words), "{case}: {sync}");
            assert!(found.starts_with("error env-file-not-read (a)\n"), "{case}: {found}");
            assert!(!found.contains("gateway-waits"), "{case}: {found}");
            assert_ne!(lab.inside(&["check"]).code, Some(0), "{case}");
        } else {
            assert!(lab.read("token").contains("-access1"), "{case}: {sync}");
            assert_eq!((doctor.code, &*found), (Some(0), "nothing is wrong\n"), "{case}");
        }
    }
}

#[test]
fn a_project_from_the_standard_input_is_not_made_anew() {
    for files in ["-", "LAB/home/a/oc/compose.yaml,-"] {
        let lab = lab(
            &Labels { files, ..LABELS },
            &[("compose.yaml", HANDS), (".env", "ANTHROPIC_OAUTH_TOKEN=old")],
        );
        for command in ["sync", "doctor"] {
            let text = said(&lab.inside(&[command]), &lab);
            assert!(text.contains("compose read it from its standard input"), "{files}: {text}");
            assert!(text.contains("GATEWAY_COMMAND"), "{files}: {text}");
        }
        assert!(!lab.read("log").contains(" up "), "{files}");
    }
}

/// What the labels say of a project that is not on this host, and who is named.
const MAKERS: &[(&str, &str, &str)] = &[
    ("/data/compose/76", "/data/compose/76/docker-compose.yml", "Portainer made it"),
    ("/data/compose/7/v1", "/data/compose/7/v1/compose.yaml", "Portainer made it"),
    ("/artifacts/abc", "/artifacts/abc/docker-compose.yaml", "Coolify made it"),
    (
        "/data/coolify/services/xyz",
        "/data/coolify/services/xyz/docker-compose.yml",
        "Coolify made it",
    ),
    ("/opt/stacks/oc", "/opt/stacks/oc/compose.yaml", "Dockge made it"),
    ("/app/data/oc", "/app/data/oc/compose.yaml", "Dockge made it"),
    ("/var/lib/casaos/apps/oc", "/var/lib/casaos/apps/oc/docker-compose.yml", "CasaOS made it"),
    ("/DATA/AppData/oc", "/DATA/AppData/oc/docker-compose.yml", "CasaOS made it"),
    ("/umbrel/app-data/oc", "/umbrel/app-data/oc/docker-compose.yml", "Umbrel made it"),
    (
        "/boot/config/plugins/compose.manager/projects/oc",
        "/boot/config/plugins/compose.manager/projects/oc/docker-compose.yml",
        "Unraid made it",
    ),
    ("/none/oc", "-", "compose read it from its standard input"),
    ("/none/oc", "/none/oc/compose.yaml", "another program made it"),
    ("LAB/home/b", "LAB/home/b/gone.yaml", "another program made it"),
];

#[test]
fn a_project_that_is_not_on_this_host_is_said_to_be_its_makers() {
    for (folder, files, maker) in MAKERS {
        let lab = lab(
            &Labels { folder, files, ..LABELS },
            &[("compose.yaml", HANDS), (".env", "ANTHROPIC_OAUTH_TOKEN=old")],
        );
        for command in ["sync", "doctor"] {
            let text = said(&lab.inside(&[command]), &lab);
            assert!(text.contains(maker) && text.contains("GATEWAY_COMMAND"), "{folder}: {text}");
            assert!(!text.contains("COMPOSE_DIR=\""), "{folder}: {text}");
            assert!(!text.contains(&format!("write COMPOSE_DIR={folder}")), "{folder}: {text}");
        }
        assert!(!lab.read("log").contains(" up "), "{folder}");
        assert!(lab.inside(&["doctor"]).stdout.starts_with("error gateway-not-found (a)\n"));
        // A restart helps one that was made without the variable.
        lab.sh("echo NONE=here >token");
        let text = said(&lab.inside(&["doctor"]), &lab);
        assert!(text.contains("set --link a CONTAINER_NAME oc-gateway-1"), "{folder}: {text}");
    }
}

#[test]
fn an_engine_that_does_not_answer_is_named_and_nothing_is_called_fine() {
    let lab = lab(&LABELS, &[("compose.yaml", PLAIN), (".env", "ANTHROPIC_OAUTH_TOKEN=old")]);
    lab.sh("printf '#!/bin/sh\\necho Cannot connect to the Docker daemon >&2\\nexit 1\\n' >fake/docker");
    lab.login(ALICE, "home/a/.claude", "1", 20_000).inside(&["sync"]);
    let doctor = lab.inside(&["doctor"]);
    let text = said(&doctor, &lab);
    assert_eq!(doctor.code, Some(1), "{text}");
    assert!(!text.contains("nothing is wrong"), "{text}");
    assert!(text.contains("could not check (a): the container of service openclaw-gateway: docker does not answer: Cannot connect to the Docker daemon\n    systemctl start docker\n"), "{text}");
    assert!(
        text.contains("could not check: the containers of docker: it does not answer: "),
        "{text}"
    );
    // Nor is a compose called that has just failed.
    assert!(!text.contains("docker compose"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&lab.inside(&["doctor", "--json"]).stdout).unwrap();
    assert_eq!(json["unchecked"].as_array().unwrap().len(), 2, "{json}");
}

/// Runs `sync` where the host's only docker is in `directory`.
fn sync_with_docker_in(lab: &Lab, directory: &str) -> Ran {
    lab.sh("mkdir ov");
    let command = lab.command(&["sync"]);
    let mut sync = std::process::Command::new("unshare");
    sync.args(["-m", "--propagation", "private", "sh", "-ec"]);
    sync.arg(
        "mount -t tmpfs none ov; cd ov; mkdir u w m
         mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w m
         rm -f m/usr/bin/docker m/usr/local/bin/docker m/usr/sbin/docker m/usr/local/sbin/docker
         mkdir -p m/$1 m/$2; cp ../fake/docker m/$1/
         for d in proc sys dev var/cache $2; do mount --rbind /$d m/$d; done
         shift 2; exec chroot m \"$@\"",
    );
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_oauth-sync")).parent().unwrap();
    sync.args(["sh", directory.trim_start_matches('/')]);
    sync.arg(program.strip_prefix("/").unwrap()).arg(command.get_program());
    sync.args(command.get_args()).current_dir(lab.at("."));
    crate::lab::ran(sync.output().unwrap())
}

#[test]
fn docker_is_found_where_snap_and_nixos_put_it() {
    for directory in ["/snap/bin", "/var/lib/snapd/snap/bin", "/run/current-system/sw/bin"] {
        let files = [("compose.yaml", HANDS), (".env", "ANTHROPIC_OAUTH_TOKEN=old")];
        let lab = lab(&LABELS, &files);
        up_reads(&lab, ".env");
        let ran = sync_with_docker_in(&lab, directory);
        assert!(lab.read("token").contains("-access1"), "{directory}: {ran:?}");
    }
}
