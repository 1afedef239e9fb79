//! cargo-deb's list of files and cargo-generate-rpm's, brought to one form and compared.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::{files_of, root, text_of};

/// A packed file: where it comes from, where it goes, its mode.
type Packed = (String, String, String);

/// What only the .deb has: dpkg's forms of changelog and copyright are its own, and lintian and
/// needrestart are Debian's.
const DEB_ONLY: [&str; 2] = ["debian/lintian-overrides", "units/oauth-sync.needrestart"];

/// What only the .rpm has: its own place for the licence, and the configuration, which postinst
/// writes on Debian, so that no upgrade asks a question about it.
const RPM_ONLY: [&str; 2] =
    ["/etc/oauth-sync/default.conf", "/usr/share/licenses/openclaw-oauth-sync/copyright"];

/// What cargo-deb reads, as the manifest says it.
fn deb_metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let all: Value = serde_json::from_slice(&output.stdout).expect("cargo answers in JSON");
    all["packages"][0]["metadata"]["deb"].clone()
}

/// What `make rpm` hands to cargo-generate-rpm.
fn rpm_metadata() -> Value {
    toml::from_str(&text_of("rpm/metadata.toml")).expect("it is TOML")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().expect("a list").clone()
}

/// The files that an entry means, as both packers read it: a `*` in the name stands for any text, and a
/// target that ends with a slash is their folder.
fn expanded((source, dest, mode): Packed) -> Vec<Packed> {
    let sources = match source.split_once('*') {
        Some(ends) => matching(&source, ends),
        None => vec![source],
    };
    assert!(!sources.is_empty(), "an entry that means no file");
    let name = |source: &str| source.rsplit('/').next().expect("a name").to_owned();
    let target = |source: &str| {
        let is_folder = dest.ends_with('/');
        if is_folder { format!("{dest}{}", name(source)) } else { dest.clone() }
    };
    sources.iter().map(|source| (source.clone(), target(source), mode.clone())).collect()
}

fn matching(pattern: &str, (start, end): (&str, &str)) -> Vec<String> {
    let (folder, _) = pattern.rsplit_once('/').expect("a file in a folder");
    assert!(start.starts_with(folder) && !end.contains('*'), "{pattern}: more than one name");
    let mut files = files_of(folder);
    files.retain(|file| {
        let middle = file.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        middle.is_some_and(|middle| !middle.contains('/'))
    });
    files
}

/// The list in full; a file that two entries mean would get the mode of one of them.
fn listed(assets: impl Iterator<Item = Packed>) -> BTreeSet<Packed> {
    let all: Vec<Packed> = assets.flat_map(expanded).collect();
    let dests: BTreeSet<&String> = all.iter().map(|(_, dest, _)| dest).collect();
    assert_eq!(dests.len(), all.len(), "two entries for one file");
    all.into_iter().collect()
}

fn deb() -> BTreeSet<Packed> {
    let assets = list(&deb_metadata()["assets"]);
    listed(
        assets
            .iter()
            .map(|asset| (text(&asset[0]), format!("/{}", text(&asset[1])), text(&asset[2]))),
    )
}

/// The .rpm's list as cargo-deb would have it: that strips, compresses and knows Debian's places by itself.
fn rpm() -> BTreeSet<Packed> {
    let assets = list(&rpm_metadata()["assets"]);
    let assets = assets.iter();
    let packed =
        assets.map(|asset| (text(&asset["source"]), text(&asset["dest"]), text(&asset["mode"])));
    listed(packed).into_iter().map(as_deb).collect()
}

fn as_deb((source, dest, mode): Packed) -> Packed {
    let dest = dest.replace("/zsh/site-functions/", "/zsh/vendor-completions/");
    match source.strip_prefix("target/rpm/files/") {
        Some("oauth-sync") => ("target/release/oauth-sync".to_owned(), dest, mode),
        Some(page) => {
            let page = page.strip_suffix(".gz").expect("manual pages are compressed");
            let dest = dest.strip_suffix(".gz").expect("and so is what is installed").to_owned();
            (format!("man/{page}"), dest, mode)
        }
        None => (source, dest, mode),
    }
}

#[test]
fn both_packages_carry_the_same() {
    let mut deb = deb();
    let mut rpm = rpm();
    deb.retain(|(source, ..)| !DEB_ONLY.contains(&source.as_str()));
    rpm.retain(|(_, dest, _)| !RPM_ONLY.contains(&dest.as_str()));
    assert_eq!(deb, rpm);
}

#[test]
fn the_exceptions_are_needed() {
    let sources: BTreeSet<String> = deb().into_iter().map(|(source, ..)| source).collect();
    assert!(DEB_ONLY.iter().all(|source| sources.contains(*source)));
    let dests: BTreeSet<String> = rpm().into_iter().map(|(_, dest, _)| dest).collect();
    assert!(RPM_ONLY.iter().all(|dest| dests.contains(*dest)));
}

#[test]
fn everything_on_disk_is_packed() {
    let packed: BTreeSet<String> = deb().into_iter().map(|(source, ..)| source).collect();
    for folder in ["units", "man", "completions", "docs/examples"] {
        for file in files_of(folder) {
            assert!(packed.contains(&file), "{file} is in neither package");
        }
    }
}

/// What is told of an installation without packages, and to developers, is no use in one.
const NOT_PACKED: [&str; 2] = ["docs/architecture.md", "docs/without-packages.md"];

fn is_document(file: &str) -> bool {
    std::path::Path::new(file).extension().is_some_and(|extension| extension == "md")
}

#[test]
fn the_documents_are_packed_and_refer_to_what_is_installed() {
    let deb = deb();
    let installed: BTreeSet<&str> = deb.iter().map(|(_, dest, _)| dest.as_str()).collect();
    let folder = "/usr/share/doc/openclaw-oauth-sync/";
    for file in files_of("docs").iter().filter(|file| is_document(file)) {
        let packed = deb.iter().any(|(source, ..)| source == file);
        assert_eq!(packed, !NOT_PACKED.contains(&file.as_str()), "{file}");
    }
    let mut seen = 0;
    for (source, ..) in deb.iter().filter(|(_, dest, _)| dest.starts_with(folder)) {
        let text = text_of(source);
        let is_ours = source.starts_with("docs/");
        for link in text.split("](").skip(1).filter(|_| is_document(source)) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let is_elsewhere = target.is_empty() || target.contains("://");
            let target = format!("{folder}{target}");
            assert!(is_elsewhere || installed.contains(target.as_str()), "{source}: {target}");
            seen += 1;
        }
        for path in text.split(folder).skip(1) {
            let end = |c: char| !(c.is_ascii_alphanumeric() || "./-_".contains(c));
            let path = path.split(end).next().unwrap_or_default().trim_end_matches(['.', '/']);
            let path = format!("{folder}{path}");
            assert!(installed.iter().any(|other| other.starts_with(&path)), "{source}: {path}");
            seen += 1;
        }
        assert!(!is_ours || !text.contains(" docs/"), "{source} names a file of the sources");
        assert!(!is_ours || !text.contains("README"), "{source} names what is not installed");
    }
    assert!(seen > 5, "only {seen} references were found");
}

/// On Debian a file under /etc is a conffile by cargo-deb's own rule, and our configuration is postinst's.
#[test]
fn the_deb_has_no_conffile_but_needrestarts() {
    let deb = deb();
    let in_etc = deb.iter().map(|(_, dest, _)| dest).filter(|dest| dest.starts_with("/etc/"));
    assert_eq!(in_etc.collect::<Vec<_>>(), ["/etc/needrestart/conf.d/oauth-sync.conf"]);
}

#[test]
fn the_rpm_never_overwrites_the_configuration() {
    let assets = list(&rpm_metadata()["assets"]);
    let kept = |asset: &&Value| text(&asset["dest"]).starts_with("/etc/");
    for asset in assets.iter().filter(kept) {
        assert_eq!(
            (asset["config"].as_str(), asset["mode"].as_str()),
            (Some("noreplace"), Some("600"))
        );
    }
}

fn units() -> Vec<String> {
    let names = files_of("units").into_iter().map(|file| file.replace("units/", ""));
    let others = [".tmpfiles", ".catalog", ".needrestart"];
    names.filter(|name| !others.iter().any(|end| name.ends_with(end))).collect()
}

#[test]
fn the_rpm_stops_every_unit() {
    let preun = text_of("rpm/preun.sh");
    for unit in units() {
        assert!(preun.contains(&unit), "{unit} is not stopped by rpm/preun.sh");
    }
}

#[test]
fn the_rpm_switches_on_what_can_be_switched_on() {
    let post = text_of("rpm/post.sh");
    for unit in units() {
        let can_be = text_of(&format!("units/{unit}")).contains("[Install]");
        assert_eq!(post.contains(&unit), can_be, "{unit} in rpm/post.sh");
    }
}

#[test]
fn no_upgrade_restarts_a_oneshot() {
    let posttrans = text_of("rpm/posttrans.sh");
    let entries = list(&deb_metadata()["systemd-units"]);
    for unit in units() {
        let oneshot = text_of(&format!("units/{unit}")).contains("Type=oneshot");
        assert_eq!(posttrans.contains(&unit), !oneshot, "{unit} in rpm/posttrans.sh");
        let stem = unit.rsplit_once('.').expect("a unit has a kind").0;
        let entry = entries.iter().find(|entry| entry["unit-name"] == stem);
        let entry = entry.unwrap_or_else(|| panic!("{stem} is not among systemd-units"));
        assert_eq!(entry["restart-after-upgrade"] == false, oneshot, "{stem} in systemd-units");
    }
}

#[test]
fn debconf_knows_the_same_questions_everywhere() {
    let questions = |file: &str| {
        let text = text_of(file);
        let (_, rest) = text.split_once("QUESTIONS=\"\n").expect("a list of questions");
        let (list, _) = rest.split_once("\n\"").expect("the list ends");
        list.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let asked = questions("debian/config");
    assert_eq!(asked, questions("debian/postinst"));
    let (templates, keys) = (text_of("debian/templates"), text_of("docs/examples/default.conf"));
    for question in asked {
        assert!(templates.contains(&format!("Template: {question}\n")), "{question}");
        let key = question.replace("openclaw-oauth-sync/", "").replace('-', "_").to_uppercase();
        assert!(keys.contains(&format!("# {key}=")), "{question} is not named after a key");
    }
}

#[test]
fn the_sample_and_the_manual_have_every_key() {
    let keys = text_of("src/domain/config/keys.rs");
    let keys: Vec<&str> =
        keys.split("    key(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let (sample, manual) =
        (text_of("docs/examples/default.conf"), text_of("man/oauth-sync.conf.5"));
    let in_sample: Vec<&str> = sample
        .lines()
        .filter_map(|line| line.strip_prefix("# ")?.split_once("=\"").map(|(key, _)| key))
        .collect();
    let in_manual: Vec<&str> =
        manual.lines().filter_map(|line| line.strip_prefix(".It Ev ")).collect();
    assert_eq!((in_sample, in_manual), (keys.clone(), keys));
}

#[test]
fn the_changelog_is_of_this_version() {
    let first = text_of("debian/changelog").lines().next().map(ToOwned::to_owned);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(first, Some(format!("openclaw-oauth-sync ({version}) unstable; urgency=high")));
}
