//! A `watch` that runs over a bed: what it says, what systemd is told, and how it ends.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use super::{Bed, access, eventually, leaks};

impl Bed {
    /// Starts `watch`, and waits until it says that it is ready.
    pub(crate) fn watch(&self) -> Watch<'_> {
        let watch = self.watch_as(&[], &[]);
        watch.heard("READY=1");
        watch
    }

    /// Starts `watch` under a wrapper, with further arguments.
    pub(crate) fn watch_as(&self, wrapper: &[&str], args: &[&str]) -> Watch<'_> {
        let socket = self.at("notify");
        let _ = fs::remove_file(&socket);
        let notify = UnixDatagram::bind(&socket).unwrap();
        notify.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let args: Vec<&str> = ["watch"].iter().chain(args).copied().collect();
        let mut command = self.command(wrapper, &args);
        command.env("NOTIFY_SOCKET", &socket).stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let ear = Arc::clone(&said);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                writeln!(ear.lock().unwrap(), "{line}").unwrap();
            }
        });
        Watch { bed: self, child, said, notify, notices: Mutex::default() }
    }
}

/// A running `watch`; it is killed with the value.
pub(crate) struct Watch<'a> {
    bed: &'a Bed,
    pub(crate) child: Child,
    said: Arc<Mutex<String>>,
    notify: UnixDatagram,
    notices: Mutex<Vec<String>>,
}

impl Watch<'_> {
    /// Everything that it has written to stderr so far.
    pub(crate) fn said(&self) -> String {
        self.bed.plain(&self.said.lock().unwrap())
    }

    /// Waits until a condition holds.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl FnMut() -> bool) -> &Self {
        assert!(eventually(holds), "it never came to pass that {what}; said:\n{}", self.said());
        self
    }

    /// Waits until it has said something.
    #[track_caller]
    pub(crate) fn says(&self, part: &str) -> &Self {
        self.until(&format!("it says '{part}'"), || self.said().contains(part))
    }

    /// Waits until a sink holds a token.
    #[track_caller]
    pub(crate) fn holds(&self, sink: &str, name: &str) -> &Self {
        let holds =
            || fs::read_to_string(self.bed.at(sink)).is_ok_and(|text| text.contains(&access(name)));
        self.until(&format!("{sink} holds {name}"), holds)
    }

    /// Waits until systemd would have been told `notice`.
    #[track_caller]
    pub(crate) fn heard(&self, notice: &str) -> &Self {
        self.until(&format!("it notifies {notice}"), || {
            self.listen();
            self.notices.lock().unwrap().iter().any(|heard| heard == notice)
        })
    }

    /// Takes what it has told systemd since the last call.
    pub(crate) fn notices(&self) -> Vec<String> {
        self.listen();
        std::mem::take(&mut *self.notices.lock().unwrap())
    }

    fn listen(&self) {
        let mut buffer = [0u8; 512];
        while let Ok(length) = self.notify.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            self.notices.lock().unwrap().extend(text.lines().map(str::to_owned));
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) -> &Self {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
        self
    }

    /// Asks it to end and gives its exit status and all that it said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        let mut code = None;
        let ended = eventually(|| {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        assert!(ended, "it does not end; said:\n{}", self.said());
        self.listen();
        assert_eq!(self.notices.lock().unwrap().last().map(String::as_str), Some("STOPPING=1"));
        let said = self.said();
        assert!(!leaks(&said), "a token was shown:\n{said}");
        (code.unwrap().code(), said)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
