//! A token endpoint and Messages API on loopback, for real clients: TLS by an
//! authority of its own, a CONNECT proxy for any host, and rotation as the
//! real server does it. One port is all three: `https://localhost:PORT`,
//! `http://127.0.0.1:PORT`, and the proxy at that same address.

#[path = "endpoint/answer.rs"]
mod answer;
#[path = "endpoint/authority.rs"]
mod authority;
#[path = "endpoint/request.rs"]
mod request;
#[path = "endpoint/service.rs"]
mod service;
#[cfg(test)]
#[path = "endpoint/tests.rs"]
mod tests;
#[path = "endpoint/wire.rs"]
mod wire;

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fs, io, mem};

pub(crate) use answer::Answer;
pub(crate) use request::Request;

use authority::Authority;
use service::{Reply, Service};

/// How long a test waits for what has to come; it is there for a test that has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The path of token requests.
pub(crate) const TOKEN: &str = "/v1/oauth/token";
/// The path of model calls.
pub(crate) const MESSAGES: &str = "/v1/messages";
/// The path the Claude CLI asks for the account with a new token.
pub(crate) const PROFILE: &str = "/api/oauth/profile";

/// Whose access token the Messages API takes; others get the real server's 401.
#[derive(Clone, Debug)]
pub(crate) enum Readers {
    Any,
    Only(String),
    /// That of the last grant.
    Newest,
}

/// A pair of tokens, and the refresh token it was given for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grant {
    /// Empty for a pair from a sign-in.
    pub(crate) spent: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl Grant {
    /// Makes up a pair in the shape of real ones (13 and 95 characters).
    fn invented(name: &str) -> Self {
        Self {
            spent: String::new(),
            access_token: format!("sk-ant-oat01-{:x<95}", format!("invented-{name}-")),
            refresh_token: format!("sk-ant-ort01-{:x<95}", format!("invented-{name}-")),
        }
    }
}

/// The running endpoint; it ends, threads and all, when it is dropped.
pub(crate) struct Endpoint {
    shared: Arc<Shared>,
    address: SocketAddr,
    certificate: PathBuf,
    listener: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Starts on a free port and writes the certificate to trust to
    /// `folder/ca.pem`.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_at(folder, 0)
    }

    /// Starts on this port of loopback, a free one for 0.
    pub(crate) fn start_at(folder: &Path, port: u16) -> Self {
        let authority = Authority::new();
        let certificate = folder.join("ca.pem");
        fs::write(&certificate, authority.pem()).expect("the folder takes the certificate");
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("loopback has the port free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared =
            Arc::new(Shared { authority, state: Mutex::default(), changed: Condvar::new() });
        let listener = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.listen(&listener)
        });
        Self { shared, address, certificate, listener: Some(listener) }
    }

    /// Returns the file of the certificate to trust.
    pub(crate) fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Returns the URL of token requests over TLS, without the proxy.
    pub(crate) fn token_url(&self) -> String {
        format!("https://localhost:{}{TOKEN}", self.address.port())
    }

    /// Returns the base URL of the Messages API over plain HTTP.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what makes a program take every HTTPS host from here.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let certificate = self.certificate.display().to_string();
        [("HTTPS_PROXY", self.base_url()), ("NODE_EXTRA_CA_CERTS", certificate)]
    }

    /// Signs in: returns a pair whose refresh token is good for one grant.
    pub(crate) fn sign_in(&self) -> Grant {
        let mut state = self.shared.state();
        state.service.logins += 1;
        let pair = Grant::invented(&format!("login-{}", state.service.logins));
        state.service.accept(&pair.refresh_token);
        pair
    }

    /// Makes a refresh token of the test's own good for one grant.
    pub(crate) fn accept(&self, refresh_token: &str) {
        self.shared.state().service.accept(refresh_token);
    }

    /// Sets what `expires_in` of the next grants says; 8 hours at first.
    pub(crate) fn lifetime(&self, lifetime: Duration) {
        self.shared.state().service.lifetime = lifetime;
    }

    /// Sets whose tokens the Messages API takes; any at first.
    pub(crate) fn readers(&self, readers: Readers) {
        self.shared.state().service.readers = readers;
    }

    /// Queues an answer for one coming request to `path`.
    pub(crate) fn once(&self, path: &str, answer: Answer) {
        let mut state = self.shared.state();
        state.service.queued.entry(path.to_owned()).or_default().push_back(answer);
    }

    /// Answers so on `path` whenever its queue is empty.
    pub(crate) fn always(&self, path: &str, answer: Answer) {
        self.shared.state().service.standing.insert(path.to_owned(), answer);
    }

    /// Returns the grants so far, oldest first: one refresh token spent each.
    pub(crate) fn grants(&self) -> Vec<Grant> {
        self.shared.state().service.grants.clone()
    }

    /// Goes on from the grants of an endpoint that was there before: what it
    /// gave and did not see spent is good for one grant.
    pub(crate) fn resume(&self, grants: Vec<Grant>) {
        let mut state = self.shared.state();
        for grant in &grants {
            if !grants.iter().any(|other| other.spent == grant.refresh_token) {
                state.service.accept(&grant.refresh_token);
            }
        }
        state.service.grants = grants;
    }

    /// Waits until there are more grants than `known`, and returns them all.
    pub(crate) fn more_grants(&self, known: usize) -> Vec<Grant> {
        let few = |state: &mut State| state.service.grants.len() <= known && !state.stopped;
        let state = self.shared.changed.wait_while(self.shared.state(), few);
        state.expect("no holder panics").service.grants.clone()
    }

    /// Returns how many token requests the rotation itself refused.
    pub(crate) fn refused(&self) -> usize {
        self.shared.state().service.refused
    }

    /// Returns all requests so far, oldest first.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Returns the requests to `path` so far, oldest first.
    pub(crate) fn requests_to(&self, path: &str) -> Vec<Request> {
        let state = self.shared.state();
        state.requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        self.shared.state().requests.clear();
    }

    /// Waits until there were `count` requests to `path`, and returns them;
    /// panics when `limit` is over.
    pub(crate) fn wait_for(&self, path: &str, count: usize, limit: Duration) -> Vec<Request> {
        let few = |state: &mut State| {
            state.requests.iter().filter(|request| request.path == path).count() < count
        };
        let waited = self.shared.changed.wait_timeout_while(self.shared.state(), limit, few);
        let (state, late) = waited.expect("no holder panics");
        drop(state);
        assert!(!late.timed_out(), "fewer than {count} requests to {path} within {limit:?}");
        self.requests_to(path)
    }

    /// Lets one held answer go, or the next one that would be.
    pub(crate) fn release(&self) {
        self.shared.state().released += 1;
        self.shared.changed.notify_all();
    }

    /// Waits until everything that has come so far is done with; its client must be gone.
    pub(crate) fn settle(&self) {
        // Connections are listed in the order they come in: after this one all of them are.
        let knock = TcpStream::connect(self.address).expect("it listens");
        knock.shutdown(Shutdown::Write).expect("it is connected");
        io::copy(&mut { knock }, &mut io::sink()).expect("it hangs up");
        let busy = |state: &mut State| !state.open.is_empty();
        let waited = self.shared.changed.wait_timeout_while(self.shared.state(), PATIENCE, busy);
        assert!(!waited.expect("no holder panics").1.timed_out(), "somebody is still connected");
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.stopped = true;
        for tcp in state.open.values() {
            tcp.shutdown(Shutdown::Both).ok();
        }
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the listener, which then sees that it is over.
        TcpStream::connect(self.address).ok();
        if let Some(listener) = self.listener.take() {
            listener.join().ok();
        }
        let serving = mem::take(&mut self.shared.state().serving);
        for thread in serving {
            thread.join().ok();
        }
    }
}

/// What the threads of an endpoint have in common.
struct Shared {
    authority: Authority,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    service: Service,
    requests: Vec<Request>,
    open: HashMap<usize, TcpStream>,
    counted: usize,
    serving: Vec<JoinHandle<()>>,
    released: usize,
    stopped: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for tcp in listener.incoming() {
            if self.state().stopped {
                break;
            }
            let Ok(tcp) = tcp else { continue };
            let Some(number) = self.list(&tcp) else { continue };
            let shared = Arc::clone(self);
            let serving = thread::spawn(move || wire::serve_listed(&shared, tcp, number));
            self.state().serving.push(serving);
        }
    }

    /// Lists a connection to be broken off at the end; `None` if it is there.
    fn list(&self, tcp: &TcpStream) -> Option<usize> {
        let mut state = self.state();
        if state.stopped {
            return None;
        }
        state.counted += 1;
        let number = state.counted;
        state.open.insert(number, tcp.try_clone().ok()?);
        Some(number)
    }

    fn strike(&self, number: usize) {
        self.state().open.remove(&number);
        self.changed.notify_all();
    }

    /// Records a request and says what to reply.
    fn answer(&self, request: Request) -> Reply {
        let mut state = self.state();
        let reply = state.service.answer(&request);
        state.requests.push(request);
        drop(state);
        self.changed.notify_all();
        reply
    }

    /// Waits until a held answer is released; says whether the endpoint goes on.
    fn hold(&self) -> bool {
        let kept = |state: &mut State| state.released == 0 && !state.stopped;
        let mut state = self.changed.wait_while(self.state(), kept).expect("no holder panics");
        state.released = state.released.saturating_sub(1);
        !state.stopped
    }

    /// Waits unless the endpoint ends; says whether it goes on.
    fn pause(&self, time: Duration) -> bool {
        let running = |state: &mut State| !state.stopped;
        let waited = self.changed.wait_timeout_while(self.state(), time, running);
        !waited.expect("no holder panics").0.stopped
    }
}
