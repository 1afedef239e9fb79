//! `SINKS="none"`: the login is kept alive for whoever reads it itself, and nothing is copied.

use crate::bed::{CONF, SOURCE, STATE, access, refresh};
use crate::endpoint::Endpoint;
use crate::host::Host;

#[test]
fn a_login_is_kept_alive_and_copied_nowhere() {
    let host = Host::new();
    let endpoint = Endpoint::start(&host.at("."));
    endpoint.accept(&refresh("A"));
    let path = host.at(SOURCE);
    let only = format!(
        "CLAUDE_CREDENTIALS=\"{}\"\nSINKS=\"none\"\nREFRESH=\"api\"\nTOKEN_URL=\"{}\"\n",
        path.display(),
        endpoint.token_url()
    );
    host.bed.write(CONF, only);
    let list = || {
        let mut names: Vec<_> = walk(&host.at(STATE));
        names.sort();
        names
    };
    let mut before = list();
    let mut command = host.bed.command(&[], &["refresh", "--force"]);
    host.bed.ran(command.env("SSL_CERT_FILE", endpoint.certificate()).output().unwrap()).exit(0);
    assert!(!host.bed.read(SOURCE).contains(&access("A")), "it was renewed");
    // What was a sink before is cleaned of our token.
    let env = before.iter_mut().find(|(path, _)| path.ends_with(".env")).unwrap();
    assert!(!std::mem::take(&mut env.1).is_empty());
    assert_eq!(list(), before, "the rest of OpenClaw's directory is as it was");
    host.bed.run(["check"]).exit(0);
    assert!(host.ids().is_empty(), "{:?}", host.doctor());
    let status = host.bed.run(["status", "--json"]).exit(0).json();
    assert_eq!(status["links"][0]["sinks"].as_array().map(Vec::len), Some(0));
}

/// Every file below a folder, with what it holds.
fn walk(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => files.extend(walk(&path)),
            path => files.push((path.clone(), std::fs::read(path).unwrap())),
        }
    }
    files
}
