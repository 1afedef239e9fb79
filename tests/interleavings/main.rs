//! A writer that does everything a writer can do to a login and its folder, while `watch` carries
//! it and an observer looks at the sinks: never a blank, older or torn token.
//!
//! `INTERLEAVINGS_SEED` repeats a run, `INTERLEAVINGS_STEPS` makes it longer.
#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes the files and runs the program that it is about"
)]

#[expect(dead_code, reason = "the scenarios use the rest of it")]
#[path = "../scenarios/bed.rs"]
mod bed;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bed::{Bed, ENV, MAIN, OAUTH, SOURCE, access, eventually, refresh};

const SINKS: [&str; 3] = [ENV, OAUTH, MAIN];
const FOLDER: &str = "home/.claude";
const AWAY: &str = "home/.claude.away";

/// A small generator (xorshift64*), so that a seed repeats a run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// All logins have names of one length, so that a torn text would still be a text.
fn name(number: u64) -> String {
    format!("{number:08}")
}

fn expiry(bed: &Bed, number: u64) -> i64 {
    bed.hence(8) + i64::try_from(number).unwrap() * 1000
}

fn login(bed: &Bed, number: u64) -> String {
    format!(
        r#"{{"claudeAiOauth":{{"accessToken":"{}","refreshToken":"{}","expiresAt":{},"scopes":["user:inference"]}},"mcpOAuth":{{"x":{{"n":1}}}}}}"#,
        access(&name(number)),
        refresh(&name(number)),
        expiry(bed, number)
    )
}

/// The writer: what it wrote last, and how often it did what.
struct Writer<'a> {
    bed: &'a Bed,
    dice: Dice,
    newest: u64,
    done: [u32; 14],
}

impl Writer<'_> {
    fn next(&mut self) -> String {
        self.newest += 1;
        login(self.bed, self.newest)
    }

    fn older(&mut self) -> String {
        let back = 1 + self.dice.below(40);
        login(self.bed, self.newest.saturating_sub(back).max(1))
    }

    /// Writes in place, in up to four pieces, as a program without care does.
    fn rewrite(&mut self, text: &str) {
        let Ok(mut file) = File::create(self.bed.at(SOURCE)) else { return };
        let mut rest = text;
        for _ in 0..self.dice.below(4) {
            let length = usize::try_from(self.dice.below(rest.len() as u64 + 1)).unwrap();
            file.write_all(&rest.as_bytes()[..length]).unwrap();
            rest = &rest[length..];
            self.pause(300);
        }
        file.write_all(rest.as_bytes()).unwrap();
    }

    fn replace(&self, text: &str) {
        let (temp, path) = (self.bed.at("home/.claude/.tmp"), self.bed.at(SOURCE));
        let _ = fs::write(&temp, text).and_then(|()| fs::rename(temp, path));
    }

    fn pause(&mut self, most_us: u64) {
        thread::park_timeout(Duration::from_micros(self.dice.below(most_us + 1)));
    }

    fn step(&mut self) {
        let at = |path: &str| self.bed.at(path);
        let (source, folder, away) = (at(SOURCE), at(FOLDER), at(AWAY));
        let blank = r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#;
        let kind = usize::try_from(self.dice.below(14)).unwrap();
        self.done[kind] += 1;
        // What cannot be done, because the folder or file is gone just now, is a step as well.
        match kind {
            0..=2 => {
                let text = self.next();
                self.replace(&text);
            }
            3 | 4 => {
                let text = self.next();
                self.rewrite(&text);
            }
            5 => drop(OpenOptions::new().write(true).truncate(true).open(source)),
            6 => self.replace(blank),
            7 => self.rewrite(blank),
            8 => drop(fs::remove_file(source)),
            9 => {
                let _ = fs::remove_dir_all(&away);
                let _ = fs::rename(&folder, &away);
                if self.dice.below(2) == 0 {
                    // What goes on in the folder that was there before is none of our business.
                    let text = self.next();
                    let _ = fs::write(away.join(".credentials.json"), text);
                }
                let _ = fs::create_dir(&folder);
            }
            10 => {
                let _ = fs::remove_dir_all(&away);
                let _ = fs::rename(&folder, &away);
                self.pause(500);
                let _ = fs::rename(&away, &folder);
            }
            11 => {
                let _ = fs::remove_dir_all(&folder);
                self.pause(500);
                let _ = fs::create_dir(&folder);
            }
            12 => {
                let text = self.older();
                self.replace(&text);
            }
            _ => {
                let text = self.next();
                let cut = usize::try_from(self.dice.below(text.len() as u64)).unwrap();
                let _ = fs::write(source, &text[..cut]);
            }
        }
    }
}

/// What the observer has seen.
#[derive(Debug, Default)]
struct Observed {
    looks: u64,
    changes: [u64; 3],
    last: [u64; 3],
    fault: Option<String>,
}

/// Looks at the sinks until told to stop: each text whole, and no number ever falls.
fn observe(bed: &Bed, first: &[String; 3], stop: &AtomicBool, least: &AtomicU64) -> Observed {
    let mut seen = Observed { last: [1; 3], ..Observed::default() };
    while !stop.load(Ordering::Relaxed) {
        for (at, sink) in SINKS.iter().enumerate() {
            seen.looks += 1;
            let text = fs::read_to_string(bed.at(sink)).unwrap_or_else(|error| error.to_string());
            let number =
                text.split_once("access-").and_then(|(_, rest)| rest.get(..8)?.parse().ok());
            let number: u64 = number.unwrap_or_default();
            let whole = first[at]
                .replace(&name(1), &name(number))
                .replace(&expiry(bed, 1).to_string(), &expiry(bed, number).to_string());
            if text != whole || number < seen.last[at] {
                let before = seen.last[at];
                seen.fault = Some(format!("{sink} after login {before}:\n{text}"));
                return seen;
            }
            seen.changes[at] += u64::from(number > seen.last[at]);
            seen.last[at] = number;
        }
        least.store(seen.changes.into_iter().min().unwrap_or_default(), Ordering::Relaxed);
        thread::park_timeout(Duration::from_micros(200));
    }
    seen
}

#[test]
fn never_a_blank_older_or_torn_token() {
    let set = |key: &str| std::env::var(key).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = set("INTERLEAVINGS_SEED").unwrap_or(bed::epoch_ms().unsigned_abs()).max(1);
    let steps = set("INTERLEAVINGS_STEPS").unwrap_or(4_000);
    println!("INTERLEAVINGS_SEED={seed}, {steps} steps");
    let bed = Bed::new();
    bed.openclaw("2026.2.25").conf("SINKS", "env oauth-json auth-profiles").agent("main", "old");
    bed.write(SOURCE, login(&bed, 1));
    bed.run(["sync"]).exit(0);
    let first = SINKS.map(|sink| bed.read(sink));
    let watch = bed.watch();
    let (stop, least) = (AtomicBool::new(false), AtomicU64::new(0));
    let begun = Instant::now();
    let mut writer = Writer { bed: &bed, dice: Dice(seed), newest: 1, done: [0; 14] };
    let observed = thread::scope(|scope| {
        let onlooker = scope.spawn(|| observe(&bed, &first, &stop, &least));
        for step in 0.. {
            // On a busy machine the writer goes on until the watcher has had its share.
            let is_enough = least.load(Ordering::Relaxed) > steps / 40;
            if step >= steps && (is_enough || step >= 20 * steps) {
                break;
            }
            writer.step();
            // Bursts, and times in which the watcher keeps up.
            let most = [0, 200, 8_000, 20_000][usize::try_from(step / 100 % 4).unwrap()];
            writer.pause(most);
            if onlooker.is_finished() {
                break;
            }
        }
        let end = writer.next();
        let _ = fs::create_dir(bed.at(FOLDER));
        writer.replace(&end);
        let newest = access(&name(writer.newest));
        let in_step = || SINKS.iter().all(|sink| bed.read(sink).contains(&newest));
        let caught_up = eventually(in_step);
        stop.store(true, Ordering::Relaxed);
        let observed = onlooker.join().unwrap();
        assert!(
            observed.fault.is_some() || caught_up,
            "not in step at the end; said:\n{}",
            watch.said()
        );
        observed
    });
    assert_eq!(observed.fault, None, "seed {seed}");
    let (code, said) = watch.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(bed.litter("home").is_empty() && bed.litter("lib").is_empty());
    println!(
        "{:.0} s, {} logins written, steps of each kind {:?}, {} looks saw {:?} changes",
        begun.elapsed().as_secs_f64(),
        writer.newest,
        writer.done,
        observed.looks,
        observed.changes
    );
    assert!(
        observed.changes.iter().all(|changes| *changes > steps / 40),
        "the watcher hardly worked"
    );
}
