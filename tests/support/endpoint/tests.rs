//! The endpoint seen from a client, over each of its three doors.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Answer, Endpoint, MESSAGES, PATIENCE, PROFILE, Readers, TOKEN};

struct Bed {
    endpoint: Endpoint,
    _folder: TempDir,
}

impl Bed {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { endpoint: Endpoint::start(folder.path()), _folder: folder }
    }

    fn connect(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.endpoint.address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp
    }

    fn secure(&self, tcp: TcpStream, host: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.endpoint.certificate()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), tcp)
    }

    /// Posts to the token URL over TLS; returns the status and the body.
    fn refresh(&self, refresh_token: &str) -> io::Result<(u16, Value)> {
        let asked = json!({
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": "stub",
        });
        let mut tls = self.secure(self.connect(), "localhost");
        let (head, body) = exchange(&mut tls, "POST", TOKEN, &asked)?;
        Ok((status(&head), serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn exchange(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    body: &Value,
) -> io::Result<(String, Vec<u8>)> {
    let body = body.to_string();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost:1\r\nAuthorization: Bearer A\r\n\
         User-Agent: test\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(answer.len());
    let body = answer.split_off((end + 4).min(answer.len()));
    Ok((String::from_utf8(answer).unwrap(), body))
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
}

#[test]
fn a_refresh_token_is_good_for_one_grant() {
    let bed = Bed::new();
    bed.endpoint.lifetime(Duration::from_secs(600));
    assert!(bed.endpoint.token_url().starts_with("https://localhost:"));
    let first = bed.endpoint.sign_in();
    let (status, body) = bed.refresh(&first.refresh_token).unwrap();
    assert_eq!((status, &body["expires_in"]), (200, &json!(600)));
    let (status, body) = bed.refresh(&first.refresh_token).unwrap();
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    let grants = bed.endpoint.grants();
    assert_eq!((grants.len(), bed.endpoint.refused()), (1, 1));
    assert_eq!(grants[0].spent, first.refresh_token);
    assert_eq!(grants[0].access_token.len(), 108);
    assert_eq!(bed.refresh(&grants[0].refresh_token).unwrap().0, 200);
    bed.endpoint.accept("of-the-test");
    assert_eq!(bed.refresh("of-the-test").unwrap().0, 200);
}

#[test]
fn an_endpoint_goes_on_from_the_grants_of_another() {
    let (before, after) = (Bed::new(), Bed::new());
    let login = before.endpoint.sign_in();
    assert_eq!(before.refresh(&login.refresh_token).unwrap().0, 200);
    let grants = before.endpoint.more_grants(0);
    after.endpoint.resume(grants.clone());
    assert_eq!(after.refresh(&login.refresh_token).unwrap().0, 400, "that was spent before");
    assert_eq!(after.refresh(&grants[0].refresh_token).unwrap().0, 200);
    let all = after.endpoint.grants();
    assert_eq!(all.len(), 2);
    assert_ne!(all[0].access_token, all[1].access_token);
}

#[test]
fn the_proxy_ends_tls_for_any_host() {
    let bed = Bed::new();
    let mut tcp = bed.connect();
    tcp.write_all(b"CONNECT api.example.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut head = [0; 39];
    tcp.read_exact(&mut head).unwrap();
    assert!(head.ends_with(b"\r\n\r\n"));
    let mut tls = bed.secure(tcp, "api.example.invalid");
    let (head, body) = exchange(&mut tls, "GET", PROFILE, &Value::Null).unwrap();
    assert_eq!(status(&head), 200);
    assert!(body.starts_with(b"{\"account\":"));
    let [request] = bed.endpoint.requests().try_into().unwrap();
    assert_eq!(request.host, "api.example.invalid");
    let [(_, proxy), (_, certificate)] = bed.endpoint.environment();
    assert_eq!(proxy, bed.endpoint.base_url());
    assert!(certificate.ends_with("/ca.pem"));
}

#[test]
fn messages_answer_plain_and_streamed_and_are_recorded() {
    let bed = Bed::new();
    let path = format!("{MESSAGES}?beta=true");
    let (head, body) =
        exchange(&mut bed.connect(), "POST", &path, &json!({ "model": "m" })).unwrap();
    assert_eq!((status(&head), body.starts_with(b"{\"id\"")), (200, true));
    let asked = json!({ "model": "m", "stream": true });
    let (head, body) = exchange(&mut bed.connect(), "POST", MESSAGES, &asked).unwrap();
    assert!(head.contains("text/event-stream"));
    assert!(body.starts_with(b"event: message_start\ndata: {"));
    let requests = bed.endpoint.wait_for(MESSAGES, 2, PATIENCE);
    assert_eq!((requests[0].bearer(), requests[0].user_agent()), ("A", "test"));
    assert_eq!((requests[0].query.as_str(), &requests[1].json()), ("beta=true", &asked));
    assert_eq!(requests[0].host, "localhost");
    bed.endpoint.forget();
    assert!(bed.endpoint.requests_to(MESSAGES).is_empty());
}

#[test]
fn messages_can_be_kept_to_one_token() {
    let bed = Bed::new();
    let ask = |readers: Readers| {
        bed.endpoint.readers(readers);
        let (head, _) = exchange(&mut bed.connect(), "POST", MESSAGES, &json!({})).unwrap();
        status(&head)
    };
    assert_eq!(ask(Readers::Only("A".to_owned())), 200);
    assert_eq!(ask(Readers::Only("B".to_owned())), 401);
    assert_eq!(ask(Readers::Newest), 401);
    assert_eq!(ask(Readers::Any), 200);
}

#[test]
fn queued_answers_come_in_turn_and_standing_ones_stay() {
    let bed = Bed::new();
    let pair = bed.endpoint.sign_in();
    bed.endpoint.once(TOKEN, Answer::status(429).header("Retry-After", "7").body("slow down"));
    bed.endpoint.once(TOKEN, Answer::oauth_error("invalid_scope"));
    bed.endpoint.once(TOKEN, Answer::usual().without("expires_in").with("scope", "user:profile"));
    bed.endpoint.always(TOKEN, Answer::redirect("http://127.0.0.1:1/"));
    assert_eq!(bed.refresh(&pair.refresh_token).unwrap().0, 429);
    assert_eq!(bed.refresh(&pair.refresh_token).unwrap().1["error"], "invalid_scope");
    let (status, body) = bed.refresh(&pair.refresh_token).unwrap();
    assert_eq!((status, &body["scope"]), (200, &json!("user:profile")));
    assert_eq!(body.get("expires_in"), None);
    assert_eq!(bed.refresh("any").unwrap().0, 307);
    assert_eq!(bed.refresh("any").unwrap().0, 307);
}

#[test]
fn a_connection_breaks_as_told() {
    let bed = Bed::new();
    let pair = bed.endpoint.sign_in();
    bed.endpoint.once(TOKEN, Answer::reset());
    bed.endpoint.once(TOKEN, Answer::usual().lost());
    bed.endpoint.once(TOKEN, Answer::status(200).body("{\"access_token\":").cut(5));
    for expected in
        [ErrorKind::ConnectionReset, ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof]
    {
        assert_eq!(bed.refresh(&pair.refresh_token).unwrap_err().kind(), expected);
    }
    assert_eq!(bed.endpoint.grants().len(), 1);
}

#[test]
fn delays_and_drips_take_their_time() {
    let bed = Bed::new();
    let pause = Duration::from_millis(40);
    bed.endpoint.once(TOKEN, Answer::status(503).after(pause));
    bed.endpoint.once(TOKEN, Answer::status(503).body("four").drip(pause));
    let start = Instant::now();
    bed.refresh("any").unwrap();
    assert!(start.elapsed() >= pause);
    let start = Instant::now();
    bed.refresh("any").unwrap();
    assert!(start.elapsed() >= 4 * pause);
}

#[test]
fn a_held_answer_is_given_when_it_is_released() {
    let bed = Bed::new();
    let pair = bed.endpoint.sign_in();
    bed.endpoint.once(TOKEN, Answer::usual().held());
    thread::scope(|scope| {
        let client = scope.spawn(|| bed.refresh(&pair.refresh_token).unwrap());
        bed.endpoint.wait_for(TOKEN, 1, PATIENCE);
        assert_eq!((bed.endpoint.grants().len(), client.is_finished()), (1, false));
        bed.endpoint.release();
        assert_eq!(client.join().unwrap().0, 200);
    });
    // The connection is at its end with its client.
    bed.endpoint.settle();
    assert!(bed.endpoint.shared.state().open.is_empty());
}

#[test]
fn dropping_the_endpoint_frees_a_hanging_client() {
    let bed = Bed::new();
    bed.endpoint.once(MESSAGES, Answer::hang());
    let mut tcp = bed.connect();
    let client = thread::spawn(move || exchange(&mut tcp, "POST", MESSAGES, &json!({})));
    bed.endpoint.wait_for(MESSAGES, 1, PATIENCE);
    drop(bed);
    let (head, _) = client.join().unwrap().unwrap();
    assert_eq!(head, "");
}
