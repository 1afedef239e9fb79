//! From the rename of the credentials to the new token in every sink.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Bed;
use crate::contender::{Contender, Times};
use crate::figure::{Figure, PATIENCE, median, ms};
use crate::scene::{self, Installation, Watch};

/// Odd numbers, so that the median is one of them.
const ROUNDS: usize = 25;
/// How long a contender is left alone between its rounds.
const PAUSE: Duration = Duration::from_millis(60);
/// What `watch` says of each sink once all of them are flushed.
const MARK: &str = "holds the new token";

/// A compose `.env` as people keep it.
const ENV: &str = "# OpenClaw\nOPENCLAW_GATEWAY_TOKEN=not-ours\n\n# carried here\nANTHROPIC_OAUTH_TOKEN=old\nTZ=Europe/Berlin\n";

/// A process that is not ours; it and its children are ended when this is dropped.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        // A script's children outlive it where they are not ended with it.
        for pid in crate::proc::tree(self.0.id()).into_iter().rev() {
            let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
            let _ =
                pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
        }
        let _ = self.0.wait();
    }
}

/// A tree with a login, an `OpenClaw` of February 2026 and a `.env`.
struct Tree {
    credentials: PathBuf,
    sinks: Vec<PathBuf>,
    openclaw: PathBuf,
}

impl Tree {
    fn new(root: &Path) -> io::Result<Self> {
        let (credentials, openclaw) =
            (root.join("claude/.credentials.json"), root.join("openclaw"));
        let sinks = vec![openclaw.join("credentials/oauth.json"), openclaw.join(".env")];
        scene::write(&credentials, &scene::credentials(1, scene::LIFETIME))?;
        scene::write(&openclaw.join("openclaw.json"), crate::rotation::FEBRUARY)?;
        scene::write(&sinks[0], "{\n  \"anthropic\": {\n    \"access\": \"old\"\n  }\n}\n")?;
        scene::write(&sinks[1], ENV)?;
        Ok(Self { credentials, sinks, openclaw })
    }

    fn arguments(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.credentials).chain(&self.sinks)
    }
}

/// What `OpenClaw` 2026.2.25 leaves in its configuration.
const FEBRUARY: &str = "{\n  \"meta\": { \"lastTouchedVersion\": \"2026.2.25\" }\n}\n";

/// `oauth.json` and `.env` by `watch`, by the script and by the C program, in turn.
pub(crate) fn two_files(bed: &Bed, script: &Path, floor: &Path) -> io::Result<Vec<Figure>> {
    let root = &bed.root.join("two");
    let (tree, c_tree) = (Tree::new(&root.join("script"))?, Tree::new(&root.join("c"))?);
    let _script = Other(start_script(script, &tree)?);
    let mut script = Contender::new(&tree.credentials, &tree.sinks, None)?;
    let mut c_child =
        Command::new(floor).args(c_tree.arguments()).stdout(Stdio::piped()).spawn()?;
    let mut voice = c_child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    voice.read_exact(&mut [0])?;
    let _c = Other(c_child);
    let mut c = Contender::new(&c_tree.credentials, &c_tree.sinks, Some((voice.into(), ".", 1)))?;

    let ours = Tree::new(&root.join("ours"))?;
    let installation = bed.installation("ours")?;
    let conf = format!(
        "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nSINKS=\"oauth-json env\"\n",
        ours.credentials.display(),
        ours.openclaw.display()
    );
    installation.configure("default", &conf)?;
    let (_watch, voice) = watch(&installation)?;
    let mut ours = Contender::new(&ours.credentials, &ours.sinks, Some((voice, MARK, 2)))?;

    let all = in_turn(&mut [&mut script, &mut c, &mut ours])?;
    let [script, c, ours] = &all[..] else { return Err(io::ErrorKind::InvalidData.into()) };
    println!("\nrename of the credentials -> oauth.json and .env, medians of {ROUNDS}");
    println!("                                   both new   all on disk");
    println!("  inotifywait + python3 + sed   {}   never flushed", ms(script.new));
    println!("  bare C, staged alike          {}   {}", ms(c.new), ms(c.flushed));
    println!("  oauth-sync watch              {}   {}", ms(ours.new), ms(ours.flushed));
    Ok(vec![
        Figure::at_least("times faster than the script, both new", script.new, ours.new, 10.0),
        Figure::at_most("times the bare C program, both new", ours.new, c.new, 1.3),
        Figure::at_most("times the bare C program, all on disk", ours.flushed, c.flushed, 1.3),
    ])
}

/// One agent and a hundred, each with an `auth-profiles.json` of its own.
pub(crate) fn agents(bed: &Bed) -> io::Result<Vec<Figure>> {
    let (mut one, _watch) = of_agents(bed, 1)?;
    let (mut hundred, _other) = of_agents(bed, 100)?;
    let all = in_turn(&mut [&mut one, &mut hundred])?;
    let [one, hundred] = &all[..] else { return Err(io::ErrorKind::InvalidData.into()) };
    println!(
        "\nrename of the credentials -> auth-profiles.json of every agent, medians of {ROUNDS}"
    );
    println!("                                    all new   all on disk");
    println!("  1 agent                       {}   {}", ms(one.new), ms(one.flushed));
    println!("  100 agents                    {}   {}", ms(hundred.new), ms(hundred.flushed));
    Ok(vec![Figure::at_most("times one agent for a hundred", hundred.flushed, one.flushed, 10.0)])
}

fn of_agents(bed: &Bed, count: usize) -> io::Result<(Contender, Watch)> {
    let root = bed.root.join(format!("agents-{count}"));
    let (credentials, openclaw) = (root.join("claude/.credentials.json"), root.join("openclaw"));
    scene::write(&credentials, &scene::credentials(1, scene::LIFETIME))?;
    scene::write(&openclaw.join("openclaw.json"), FEBRUARY)?;
    let store = |number| openclaw.join(format!("agents/a{number:03}/agent/auth-profiles.json"));
    let sinks: Vec<PathBuf> = (0..count).map(store).collect();
    sinks.iter().try_for_each(|sink| scene::write(sink, &scene::profiles(0)))?;
    let installation = bed.installation(&format!("agents-{count}"))?;
    let conf = format!(
        "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\nSINKS=\"auth-profiles\"\n",
        credentials.display(),
        openclaw.display()
    );
    installation.configure("default", &conf)?;
    let (watch, voice) = watch(&installation)?;
    Ok((Contender::new(&credentials, &sinks, Some((voice, MARK, count)))?, watch))
}

/// Starts `watch`; its first sync is over and what it said of that is taken out of the pipe.
fn watch(installation: &Installation) -> io::Result<(Watch, OwnedFd)> {
    let (mut reader, writer) = io::pipe()?;
    let watch = installation.watch(writer.into(), PATIENCE)?;
    let ready = Instant::now();
    let mut said = vec![0u8; 65_536];
    // READY comes after the first sync, so that everything it said is in the pipe by now.
    let length = reader.read(&mut said)?;
    if !String::from_utf8_lossy(&said[..length]).contains(MARK) {
        return Err(io::Error::other("the first sync said nothing"));
    }
    std::thread::sleep(PAUSE.saturating_sub(ready.elapsed()));
    Ok((watch, reader.into()))
}

/// Starts the script and waits until its inotifywait has set its watch.
fn start_script(script: &Path, tree: &Tree) -> io::Result<Child> {
    let child = Command::new(script).args(tree.arguments()).stdin(Stdio::null()).spawn()?;
    let is_waiting = || crate::proc::tree(child.id()).iter().any(|pid| crate::proc::watches(*pid));
    let begun = Instant::now();
    while !is_waiting() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(child)
}

/// Lets the contenders rotate one after the other, round by round, so that a busy moment of the host
/// meets all of them; gives the medians.
fn in_turn(contenders: &mut [&mut Contender]) -> io::Result<Vec<Times>> {
    let mut times = vec![Vec::new(); contenders.len()];
    for round in 0..=ROUNDS {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let time = contender.rotate()?;
            // The first round warms the caches.
            if round > 0 {
                times.push(time);
            }
            std::thread::sleep(PAUSE);
        }
    }
    let middle = |times: &Vec<Times>, of: fn(&Times) -> Duration| {
        median(&times.iter().map(of).collect::<Vec<_>>())
    };
    let medians = times.iter().map(|times| Times {
        new: middle(times, |time| time.new),
        flushed: middle(times, |time| time.flushed),
    });
    Ok(medians.collect())
}
