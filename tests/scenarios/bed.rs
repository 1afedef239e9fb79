//! A bed: a scratch folder with a Claude login, an OpenClaw and a configuration, and the real binary
//! run over them. Nothing outside the scratch folder is touched.
#![expect(clippy::unwrap_used, reason = "a bed that cannot be made fails its test")]

#[path = "bed/watch.rs"]
pub(crate) mod watch;

#[path = "../support/yard.rs"]
mod yard;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, thread};

/// How long a condition is waited for before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Where things are in a bed.
pub(crate) const SOURCE: &str = "home/.claude/.credentials.json";
pub(crate) const STATE: &str = "home/.openclaw";
pub(crate) const ENV: &str = "home/.openclaw/.env";
pub(crate) const OAUTH: &str = "home/.openclaw/credentials/oauth.json";
pub(crate) const SECRET: &str = "home/.openclaw/oauth-sync.json";
pub(crate) const MAIN: &str = "home/.openclaw/agents/main/agent/auth-profiles.json";
pub(crate) const CONF: &str = "etc/default.conf";

pub(crate) const HOUR: i64 = 3_600_000;

/// A scratch folder; it goes with the value.
pub(crate) struct Bed {
    root: tempfile::TempDir,
    /// When the bed was made, in ms; expiries are measured from here.
    pub(crate) now: i64,
}

/// A file as a second look must find it when nobody wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    bytes: Vec<u8>,
    inode: u64,
    mode: u32,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl Bed {
    /// A configured link without a login; refuses to lie in a real home.
    pub(crate) fn new() -> Self {
        Self::within(&yard::parent())
    }

    /// The same under another folder.
    pub(crate) fn within(folder: &Path) -> Self {
        let root = tempfile::Builder::new().prefix("oauth-sync-bed.").tempdir_in(folder).unwrap();
        for home in ["HOME", "CLAUDE_CONFIG_DIR", "OPENCLAW_STATE_DIR"] {
            let Some(home) = std::env::var_os(home) else { continue };
            assert!(!root.path().starts_with(&home), "this is a real home: {}", home.display());
        }
        let now = epoch_ms();
        let bed = Self { root, now };
        for folder in ["home/.claude", STATE, "etc", "sbin"] {
            fs::create_dir_all(bed.at(folder)).unwrap();
        }
        // Whether the host has sudo must make no difference.
        bed.write("sbin/sudo", "");
        bed.conf("CLAUDE_CREDENTIALS", bed.at(SOURCE).to_str().unwrap());
        bed.conf("OPENCLAW_STATE_DIR", bed.at(STATE).to_str().unwrap());
        // What becomes of the gateway is tested where there is one.
        bed.conf("GATEWAY", "none");
        // Nobody renews here: neither a real Claude CLI nor the real endpoint must be asked.
        bed.conf("REFRESH", "off");
        // Nor may a gateway of this host be touched, nor its OpenClaw be asked.
        bed.conf("GATEWAY", "none").conf("OPENCLAW_COMMAND", "/bin/false");
        bed
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Sets a key of `default.conf`.
    pub(crate) fn conf(&self, key: &str, value: &str) -> &Self {
        let old = fs::read_to_string(self.at(CONF)).unwrap_or_default();
        let mut text: String =
            old.split_inclusive('\n').filter(|l| !l.starts_with(&format!("{key}="))).collect();
        writeln!(text, "{key}=\"{value}\"").unwrap();
        self.write(CONF, text)
    }

    /// Writes a file in place; its folders are made.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // As Claude's CLI and OpenClaw make theirs.
        let mut file = OpenOptions::new();
        let file = file.write(true).create(true).truncate(true).mode(0o600).open(path);
        file.unwrap().write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Replaces a file as Claude's CLI does: temp file and rename.
    pub(crate) fn replace(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        self.write("home/.replacing", bytes);
        // As the user whose directory it is.
        let owner = self.at(path).parent().unwrap().metadata().unwrap();
        if is_root() {
            let owner = (Some(owner.uid()), Some(owner.gid()));
            std::os::unix::fs::chown(self.at("home/.replacing"), owner.0, owner.1).unwrap();
        }
        fs::rename(self.at("home/.replacing"), self.at(path)).unwrap();
        self
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let text = fs::read_to_string(self.at(path));
        self.short(&text.unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.at(path).symlink_metadata().is_ok()
    }

    /// The instant `hours` after the bed was made, in ms.
    pub(crate) fn hence(&self, hours: i64) -> i64 {
        self.now + hours * HOUR
    }

    /// The text of a login named `name` that ends in `hours`.
    pub(crate) fn login_text(&self, name: &str, hours: i64) -> String {
        format!(
            r#"{{"claudeAiOauth":{{"accessToken":"{}","refreshToken":"{}","expiresAt":{},"scopes":["user:inference","user:profile"],"subscriptionType":"max","rateLimitTier":"default_claude_max_20x"}},"mcpOAuth":{{"x|1":{{"accessToken":"access-mcp"}}}}}}"#,
            access(name),
            refresh(name),
            self.hence(hours)
        )
    }

    /// Signs in: a login that ends in 8 hours.
    pub(crate) fn login(&self, name: &str) -> &Self {
        self.login_for(name, 8)
    }

    /// Signs in: a login that ends in `hours`.
    pub(crate) fn login_for(&self, name: &str, hours: i64) -> &Self {
        self.write(SOURCE, self.login_text(name, hours))
    }

    /// Says which OpenClaw it is, as an administrator would.
    pub(crate) fn openclaw(&self, version: &str) -> &Self {
        self.conf("OPENCLAW_VERSION", version)
    }

    /// Gives an agent a store with one token profile named `name`.
    pub(crate) fn agent(&self, id: &str, name: &str) -> &Self {
        let text = profiles(name, self.hence(1));
        self.write(&format!("{STATE}/agents/{id}/agent/auth-profiles.json"), text)
    }

    /// The command line of the binary, with the bed's folders.
    pub(crate) fn args(&self, args: &[&str]) -> Vec<String> {
        let folder = |name: &str| self.at(name).to_str().unwrap().to_owned();
        let places = [("--config-dir", "etc"), ("--state-dir", "lib"), ("--run-dir", "run")];
        let places = places.into_iter().flat_map(|(flag, name)| [flag.to_owned(), folder(name)]);
        std::iter::once(binary().to_owned())
            .chain(places)
            .chain(args.iter().map(|arg| (*arg).to_owned()))
            .collect()
    }

    /// The binary, or `wrapper` around it, in a bare environment.
    pub(crate) fn command(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let words: Vec<String> =
            wrapper.iter().map(|word| (*word).to_owned()).chain(self.args(args)).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().stdin(Stdio::null());
        let path = format!("{}:{}", std::env::var("PATH").unwrap(), self.at("sbin").display());
        command.env("HOME", self.at("home")).env("PATH", path);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Ran<'_> {
        self.ran(self.command(&[], &args).output().unwrap())
    }

    pub(crate) fn ran(&self, output: Output) -> Ran<'_> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran = Ran {
            bed: self,
            status: output.status,
            out: self.short(&text(output.stdout)),
            err: self.short(&text(output.stderr)),
        };
        assert!(!leaks(&ran.out) && !leaks(&ran.err), "a token was shown:\n{ran:?}");
        ran
    }

    /// A text whose printed commands do not repeat the bed's directories.
    pub(crate) fn short(&self, text: &str) -> String {
        let options = self.args(&[])[1..].join(" ");
        text.replace(&format!("oauth-sync {options}"), "oauth-sync")
    }

    /// A file's content and everything that tells whether it was written.
    pub(crate) fn print(&self, path: &str) -> Print {
        let meta = self.at(path).symlink_metadata().unwrap();
        Print {
            bytes: fs::read(self.at(path)).unwrap_or_default(),
            inode: meta.ino(),
            mode: meta.mode(),
            mtime: (meta.mtime(), meta.mtime_nsec()),
            ctime: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Puts `BED`, `WHEN` and `FP` for what differs from run to run.
    pub(crate) fn plain(&self, text: &str) -> String {
        let mut text = self.short(text).replace(self.root.path().to_str().unwrap(), "BED");
        // Of eight hours `7h 59m` are left, and less once the bed is older than a minute.
        for minutes in 1..=(epoch_ms() - self.now) / 60_000 {
            text = text.replace(&format!("h {}m", 59 - minutes), "h 59m");
        }
        let mut plain = String::new();
        for word in text.split_inclusive([' ', '\n', ',', ':', '\'', '"']).fold(
            Vec::<String>::new(),
            |mut words, word| {
                // An instant has colons of its own.
                match words.last_mut().filter(|last| {
                    last.ends_with(':') && last.contains('T') && last.starts_with("20")
                }) {
                    Some(last) => last.push_str(word),
                    None => words.push(word.to_owned()),
                }
                words
            },
        ) {
            let bare = word.trim_end_matches([' ', '\n', ',', ':', '\'', '"']);
            let tail = &word[bare.len()..];
            let hex = bare.len() == 8 && bare.bytes().all(|b| b.is_ascii_hexdigit());
            let instant = bare.len() == 20 && bare.ends_with('Z') && bare.as_bytes()[10] == b'T';
            plain.push_str(if hex {
                "FP"
            } else if instant {
                "WHEN"
            } else {
                bare
            });
            plain.push_str(tail);
        }
        plain
    }

    /// Every file below a folder that a run of ours should have cleared away.
    pub(crate) fn litter(&self, folder: &str) -> Vec<PathBuf> {
        let mut litter = Vec::new();
        let mut folders = vec![self.at(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let name = entry.file_name().into_string().unwrap();
                let extension =
                    Path::new(&name).extension().and_then(|extension| extension.to_str());
                let is_lock = matches!(extension, Some("lock" | "oauth-sync"));
                if entry.file_type().unwrap().is_dir() && !is_lock {
                    folders.push(entry.path());
                } else if is_lock {
                    litter.push(entry.path());
                }
            }
        }
        litter
    }
}

/// What became of a run.
#[derive(Debug)]
pub(crate) struct Ran<'a> {
    bed: &'a Bed,
    pub(crate) status: std::process::ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl std::fmt::Debug for Bed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.root.path().display())
    }
}

impl<'a> Ran<'a> {
    #[track_caller]
    pub(crate) fn exit(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}{}", self.out, self.err);
        self
    }

    /// The whole of stderr, line by line, without the program's name.
    #[track_caller]
    pub(crate) fn err(self, lines: &[&str]) -> Self {
        let said = self.bed.plain(&self.err);
        let said: Vec<&str> =
            said.lines().map(|line| line.strip_prefix("oauth-sync: ").unwrap_or(line)).collect();
        assert_eq!(said, lines);
        self
    }

    /// A part of stderr.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        let said = self.bed.plain(&self.err);
        assert!(said.contains(part), "'{part}' is not in:\n{said}");
        self
    }

    /// The whole of stdout.
    #[track_caller]
    pub(crate) fn out(self, lines: &[&str]) -> Self {
        let said = self.bed.plain(&self.out);
        assert_eq!(said.lines().collect::<Vec<_>>(), lines);
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }

    pub(crate) fn bed(self) -> &'a Bed {
        self.bed
    }
}

/// Looks until a condition holds or the deadline has passed; says whether it holds.
pub(crate) fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if begun.elapsed() > DEADLINE {
            return false;
        }
        thread::park_timeout(Duration::from_millis(2));
    }
}

pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_oauth-sync")
}

pub(crate) fn epoch_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// The access token of the login `name`; obviously false.
pub(crate) fn access(name: &str) -> String {
    format!("access-{name}")
}

pub(crate) fn refresh(name: &str) -> String {
    format!("refresh-{name}")
}

/// A store of OpenClaw with one token profile.
pub(crate) fn profiles(name: &str, expiry: i64) -> String {
    let access = access(name);
    format!(
        r#"{{
  "version": 1,
  "profiles": {{
    "anthropic:default": {{
      "type": "token",
      "provider": "anthropic",
      "token": "{access}",
      "expires": {expiry}
    }}
  }}
}}
"#
    )
}

/// Says whether a text gives a token of a bed away.
pub(crate) fn leaks(text: &str) -> bool {
    text.contains("access-") || text.contains("refresh-")
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}
