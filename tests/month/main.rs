//! The life of a login in minutes: the real binary and a token endpoint on loopback, with the clock moved by the
//! test. Suspends, clock steps, outages and a late timer; no token may end in the sinks.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "a test makes the files, runs the program that it is about, and shows its figures"
)]

#[path = "../support/endpoint.rs"]
mod endpoint;
mod judge;
mod watcher;
mod world;

use std::time::Duration;

use endpoint::{Answer, TOKEN};
use world::{MINUTE, World, days};

const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What happens to the machine.
#[derive(Clone, Debug)]
enum Trouble {
    /// The endpoint answers so for a while.
    Outage(Answer, i64),
    /// The clock is set, by so much.
    Step(i64),
    /// Nothing runs for a while.
    Suspend(i64),
}

/// Troubles of a login, by their times; always the same ones for a seed.
struct Fate {
    seed: u64,
    longest_outage: i64,
}

impl Fate {
    /// A number below `limit` (Knuth's MMIX generator).
    fn draw(&mut self, limit: i64) -> i64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.seed >> 33).unwrap() % limit
    }

    fn trouble(&mut self) -> Trouble {
        let kind = self.draw(10);
        match kind {
            0..=3 => {
                Trouble::Outage(self.answer(), MINUTE + self.draw(self.longest_outage - MINUTE))
            }
            4 | 5 => Trouble::Suspend(MINUTE + self.draw(75 * MINUTE)),
            _ => Trouble::Step((self.draw(40) - 20) * MINUTE),
        }
    }

    fn outage(&mut self) -> Trouble {
        Trouble::Outage(self.answer(), self.longest_outage / 2 + self.draw(self.longest_outage / 2))
    }

    fn answer(&mut self) -> Answer {
        match self.draw(4) {
            0 => Answer::status(503),
            1 => Answer::reset(),
            2 => Answer::status(429).header("Retry-After", "3600"),
            _ => {
                Answer::status(403).header("Content-Type", "text/html").body("<html>blocked</html>")
            }
        }
    }
}

/// Lives from sign-in to the end of the login; troubles keep clear of each other by the time that the
/// margin is made for.
fn live(world: &mut World, fate: &mut Fate) {
    let end = world.login_end + 3 * HOUR;
    let mut tick = world.now();
    let mut trouble = world.now() + 3 * HOUR;
    let mut over = None;
    while world.now() < end {
        let moments = [Some(tick), Some(trouble), over, world.armed()];
        let next = moments.into_iter().flatten().min().unwrap().max(world.now() + 1);
        world.go_to(next);
        if over.is_some_and(|over| over <= next) {
            world.endpoint.always(TOKEN, Answer::usual());
            over = None;
        }
        if trouble <= next {
            let hits = trouble <= world.due() + MINUTE && trouble >= world.due() - 10 * MINUTE;
            let kind = if hits { fate.outage() } else { fate.trouble() };
            over = befall(world, kind, over);
            let later = over.unwrap_or_else(|| world.now());
            trouble = match fate.draw(3) {
                // The worst moment: just before it is due.
                0 => (world.due() - fate.draw(10 * MINUTE)).max(later + 2 * HOUR),
                _ => later + 2 * HOUR + fate.draw(10 * HOUR),
            };
        }
        if tick <= world.now() {
            world.timer();
            tick = (world.now() / (30 * MINUTE) + 1) * 30 * MINUTE + fate.draw(MINUTE);
        }
        world.rest();
    }
}

/// Lets a trouble begin; when it is over, if it lasts.
fn befall(world: &mut World, trouble: Trouble, over: Option<i64>) -> Option<i64> {
    match trouble {
        Trouble::Outage(answer, span) => {
            world.endpoint.always(TOKEN, answer);
            return Some(world.now() + span);
        }
        // A clock that is set back over the login's end makes good what it said too early.
        Trouble::Step(_) if world.login_end - world.now() < HOUR => {}
        Trouble::Step(by) => world.step(by),
        Trouble::Suspend(span) => world.sleep(span),
    }
    over
}

fn whole_life(watches: bool, longest_outage: i64) {
    let mut fate = Fate { seed: 20_261_122, longest_outage };
    let mut world = World::new(watches);
    live(&mut world, &mut fate);
    println!("{}", world.summary());
    world.judge.no_second_without_a_token();
    let grants = i64::try_from(world.endpoint.grants().len()).unwrap();
    // Renewed 90 minutes before the end of 8 hours; a clock that was set forward makes it sooner.
    assert!(grants <= days() * DAY / (6 * HOUR), "{grants} renewals in {} days", days());
    assert!(world.endpoint.requests().len() > world.endpoint.grants().len(), "no outage hit");
    assert_eq!(world.endpoint.refused(), 0, "a refresh token was spent twice");
    let told: Vec<(i64, &str)> =
        world.heard.iter().map(|(moment, text)| (*moment, text.as_str())).collect();
    let count = |word: &str| told.iter().filter(|(_, text)| *text == word).count();
    // An outage of more than half the margin is told, and so is its end.
    assert_eq!(count("refresh-failing"), count("recovered"), "{told:?}");
    let passing = ["renewed", "refresh-failing", "recovered"];
    let mut told = told.iter().copied().filter(|(_, text)| !passing.contains(text));
    for days in [7, 3, 1] {
        let (moment, text) = told.next().expect("a notice is missing");
        assert_eq!(text, "login-ends", "{days}");
        let late = moment - (world.login_end - days * DAY);
        assert!((-HOUR..HOUR).contains(&late), "{days} days before, {late} ms late");
    }
    let (moment, text) = told.next().expect("nobody is told of the end");
    assert_eq!(text, "login-ended");
    assert!((-HOUR..HOUR).contains(&(moment - world.login_end)));
    assert_eq!(told.next(), None);
    assert!(world.flag().exists());
    world.sign_in();
    world.timer();
    // The timer's run leaves a link to the watcher that is at it already.
    world.until("the flag is gone", |world| !world.flag().exists());
    assert_eq!(world.heard.last().map(|(_, text)| text.as_str()), Some("recovered"));
    world.no_token_is_kept();
}

#[test]
fn watch_and_timer_keep_a_login_alive_to_its_end() {
    whole_life(true, HOUR);
}

#[test]
fn the_timer_alone_keeps_it_alive_too() {
    whole_life(false, 25 * MINUTE);
}

#[test]
fn a_night_asleep_is_made_good_at_once() {
    let mut world = World::new(true);
    world.go_to(world.now() + HOUR);
    world.sleep(11 * HOUR);
    world.timer();
    assert_eq!(world.endpoint.grants().len(), 1);
    assert!(world.judge.ends(&world.in_sink()) > world.now() + 7 * HOUR);
    assert!(world.took() < Duration::from_secs(300), "no hour of the night was slept through");
}

#[test]
fn a_refused_login_is_told_at_once_and_asked_for_once() {
    let mut world = World::new(true);
    world.endpoint.always(TOKEN, Answer::oauth_error("invalid_grant"));
    let due = world.due();
    while world.now() < due + 20 * HOUR {
        world.go_to(world.armed().unwrap().max(world.now() + MINUTE).min(world.now() + HOUR));
        world.rest();
    }
    assert_eq!(world.endpoint.requests().len(), 1, "the answer was clear");
    let words: Vec<&str> = world.heard.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(words, ["rejected"]);
    assert!((0..2 * MINUTE).contains(&(world.heard[0].0 - due)));
    assert!(world.flag().exists());
    world.endpoint.always(TOKEN, Answer::usual());
    world.sign_in();
    world.rest();
    assert_eq!(world.heard.last().map(|(_, text)| text.as_str()), Some("recovered"));
    assert!(!world.flag().exists());
}
