//! How the real CLI is called: without the user's hooks and servers, and as the owner of the login.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use serde_json::json;

use crate::claude::Claude;
use crate::cli_method::assert_renewed;
use crate::endpoint;
use crate::oauth_sync::OauthSync;

const VERSIONS: [&str; 2] = ["2.1.197", "2.1.330"];

#[test]
fn hooks_and_servers_of_the_user_do_not_start() {
    for version in VERSIONS {
        let (endpoint, _folder) = endpoint();
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        let sync = OauthSync::new(&claude, &endpoint, "cli");
        let home = sync.home().to_owned();
        let command = |name: &str| format!("touch '{}/started-{name}'", home.display());
        let hook = |name| json!([{ "hooks": [{ "type": "command", "command": command(name) }] }]);
        let settings = json!({ "hooks": {
            "SessionStart": hook("start"), "UserPromptSubmit": hook("prompt"), "Stop": hook("stop"),
        } });
        let server = json!({ "command": "/bin/sh", "args": ["-c", command("server")] });
        let servers = json!({ "mcpServers": { "probe": server } });
        fs::write(home.join(".claude/settings.json"), settings.to_string()).unwrap();
        fs::write(home.join(".claude.json"), servers.to_string()).unwrap();
        let started = || {
            let names = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name());
            names.filter(|name| name.as_encoded_bytes().starts_with(b"started-")).count()
        };
        let ran = sync.refresh(&[]);
        assert_eq!((ran.code, started()), (Some(0), 0), "{version}: {ran:?}");
        assert_renewed(&claude, &endpoint, &sync);
        // The bait is good: without our care they start.
        claude.run(&["-p", "say ok"]);
        assert_eq!(started(), 4, "{version}");
    }
}

/// Gives all of a folder to a user.
fn give(folder: &Path, user: u32) {
    chown(folder, Some(user), Some(user)).expect("root may do that");
    for entry in fs::read_dir(folder).expect("root may do that") {
        let path = entry.expect("root may do that").path();
        if path.is_dir() {
            give(&path, user);
        } else {
            chown(&path, Some(user), Some(user)).expect("root may do that");
        }
    }
}

#[test]
fn as_root_it_runs_as_the_owner_whose_files_stay_theirs() {
    use std::os::unix::fs::MetadataExt;
    // A user without an account, as in a container's volume.
    const USER: u32 = 424_242;
    assert!(geteuid().is_root(), "only root can start programs as somebody else");
    for version in VERSIONS {
        let (endpoint, folder) = endpoint();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let claude = Claude::version(version, &endpoint).signed_in(&endpoint.sign_in(), 60 * 60);
        // The proxy is the user's own setting, which has to reach the CLI all the same.
        let settings = json!({ "env": { "HTTPS_PROXY": endpoint.base_url() } });
        fs::write(claude.source().with_file_name("settings.json"), settings.to_string()).unwrap();
        let sync = OauthSync::new(&claude, &endpoint, "cli").finding_claude_itself();
        let sync = sync.confined().without("HTTPS_PROXY");
        // Where the native installer has it, and where this user may read it.
        let real = fs::canonicalize(claude.program()).unwrap();
        let installed = sync.home().join(format!(".local/share/claude/versions/{version}"));
        fs::create_dir_all(installed.parent().unwrap()).unwrap();
        fs::create_dir_all(sync.home().join(".local/bin")).unwrap();
        fs::copy(real, &installed).unwrap();
        std::os::unix::fs::symlink(installed, sync.home().join(".local/bin/claude")).unwrap();
        give(sync.home(), USER);
        let ran = sync.refresh(&["-v"]);
        assert_eq!(ran.code, Some(0), "{version}: {ran:?}");
        assert!(ran.stderr.contains(&format!("version {version}")), "{ran:?}");
        assert_renewed(&claude, &endpoint, &sync);
        let mut folders: Vec<PathBuf> = vec![sync.home().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let metadata = entry.path().symlink_metadata().unwrap();
                assert!(metadata.uid() == USER || metadata.is_symlink(), "{:?}", entry.path());
                folders.extend(metadata.is_dir().then(|| entry.path()));
            }
        }
        // A folder that its owner cannot write: said before anything is run.
        endpoint.forget();
        fs::set_permissions(claude.source().parent().unwrap(), PermissionsExt::from_mode(0o500))
            .unwrap();
        let ran = sync.refresh(&["--force"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("so the CLI would not renew"), "{ran:?}");
        assert_eq!(endpoint.requests().len(), 0);
    }
}
