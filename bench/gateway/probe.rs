//! Asks a gateway over and over, and tells for how long nobody answered.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Between two questions. None waits for the one before it: docker's proxy listens a moment before the
/// container does, and holds a question of that moment until TCP sends it again a second later (the first
/// timeout of RFC 6298, section 2.1), while the next question is answered at once.
const PAUSE: Duration = Duration::from_millis(10);

/// How long one answer may take: longer than any pause of a busy process.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) asked: usize,
    pub(crate) failed: usize,
    /// The longest time from one answer to the next with a failure between them.
    pub(crate) gap: Duration,
    /// The longest time until an answer came.
    pub(crate) slowest: Duration,
}

struct Question {
    asked: Instant,
    answered: Option<Instant>,
}

/// Asks on this port while `act` runs, and until a question that was asked afterwards is answered.
pub(crate) fn during(port: u16, act: impl FnOnce()) -> Seen {
    let (questions, over) = (Mutex::new(Vec::new()), OnceLock::new());
    let is_answered_since = |over: &Instant| {
        let questions = questions.lock().unwrap_or_else(PoisonError::into_inner);
        questions.iter().any(|one: &Question| one.asked > *over && one.answered.is_some())
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.get().is_some_and(is_answered_since) {
                scope.spawn(|| {
                    let question = Question::ask(port);
                    questions.lock().unwrap_or_else(PoisonError::into_inner).push(question);
                });
                thread::sleep(PAUSE);
            }
        });
        act();
        over.get_or_init(Instant::now);
    });
    Seen::of(&questions.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Seen {
    fn of(questions: &[Question]) -> Self {
        let failures: Vec<Instant> =
            questions.iter().filter(|one| one.answered.is_none()).map(|one| one.asked).collect();
        let mut answers: Vec<Instant> = questions.iter().filter_map(|one| one.answered).collect();
        answers.sort_unstable();
        let gaps = answers
            .windows(2)
            .filter(|two| failures.iter().any(|asked| (two[0]..two[1]).contains(asked)));
        let waits = questions.iter().filter_map(|one| Some(one.answered? - one.asked));
        Self {
            asked: questions.len(),
            failed: failures.len(),
            gap: gaps.map(|two| two[1] - two[0]).max().unwrap_or_default(),
            slowest: waits.max().unwrap_or_default(),
        }
    }
}

impl Question {
    fn ask(port: u16) -> Self {
        let asked = Instant::now();
        let is_answered = answer(port).is_ok_and(|answer| answer.contains("\"live\""));
        Self { asked, answered: is_answered.then(Instant::now) }
    }
}

fn answer(port: u16) -> std::io::Result<String> {
    let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    tcp.read_to_string(&mut answer)?;
    Ok(answer)
}
