//! What `watch` costs while nothing happens.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use crate::Bed;
use crate::figure::{Figure, PATIENCE};
use crate::proc::{self, Memory};
use crate::scene::{self, Watch};

/// The most memory that one idle link may take, in KiB, with no other process of the program on the host.
const PSS_BOUND: u64 = 4096;
/// The most of it that may be its own and changed, in KiB.
const PRIVATE_DIRTY_BOUND: u64 = 512;
/// The links of the large installation.
const LINKS: u32 = 1000;
/// How long one link has to stay asleep.
const SHORT: Duration = Duration::from_secs(20);
/// How long a thousand have to.
const LONG: Duration = Duration::from_secs(60);
/// How long everything is left alone before it counts as idle.
const SETTLE: Duration = Duration::from_secs(2);

/// One link, then a thousand links: processes of one program share memory, which would flatter both of them.
pub(crate) fn all(bed: &Bed) -> io::Result<Vec<Figure>> {
    let one = start(bed, 1)?;
    println!("\nidle: one link, then {LINKS} links");
    let one_woke = switches_in(&one, SHORT)?;
    let small = memory(&one)?;
    drop(one);
    let many = start(bed, LINKS)?;
    let many_woke = switches_in(&many, LONG)?;
    let large = memory(&many)?;
    println!("                                    PSS   private dirty   context switches");
    row("oauth-sync, 1 link     ", small, one_woke, SHORT);
    row("oauth-sync, 1000 links ", large, many_woke, LONG);
    #[expect(clippy::cast_precision_loss, reason = "KiB of one process")]
    let per_link = large.pss.saturating_sub(small.pss) as f64 / f64::from(LINKS - 1);
    let figure = |what: String, bound: &str, met| Figure::new(what, bound.to_owned(), met);
    Ok(vec![
        figure(
            format!("PSS of one idle link: {} KiB", small.pss),
            &format!("at most {PSS_BOUND}"),
            small.pss <= PSS_BOUND,
        ),
        figure(
            format!("private dirty of one idle link: {} KiB", small.private_dirty),
            &format!("at most {PRIVATE_DIRTY_BOUND}"),
            small.private_dirty <= PRIVATE_DIRTY_BOUND,
        ),
        figure(format!("context switches of one link in 20 s: {one_woke}"), "none", one_woke == 0),
        figure(
            format!("context switches of {LINKS} links in 60 s: {many_woke}"),
            "none",
            many_woke == 0,
        ),
        figure(
            format!("more memory for each link: {per_link:.2} KiB"),
            "at most 4",
            per_link <= 4.0,
        ),
    ])
}

/// How often it is given the processor within `time`, once it has settled.
fn switches_in(watch: &Watch, time: Duration) -> io::Result<u64> {
    std::thread::sleep(SETTLE);
    let before = proc::switches(watch.child.id())?;
    std::thread::sleep(time);
    Ok(proc::switches(watch.child.id())? - before)
}

fn row(name: &str, memory: Memory, woke: u64, time: Duration) {
    let Memory { pss, private_dirty } = memory;
    println!("  {name}    {pss:6} KiB   {private_dirty:6} KiB   {woke} in {} s", time.as_secs());
}

fn start(bed: &Bed, links: u32) -> io::Result<Watch> {
    let root = bed.root.join(format!("idle-{links}"));
    let installation = bed.installation(&format!("idle-{links}"))?;
    for number in 0..links {
        let home = root.join(format!("home/u{number:04}"));
        let credentials = home.join(".claude/.credentials.json");
        scene::write(&credentials, &scene::credentials(number, scene::LIFETIME))?;
        scene::write(&home.join(".openclaw/.env"), "ANTHROPIC_OAUTH_TOKEN=old\n")?;
        let conf = format!(
            "CLAUDE_CREDENTIALS=\"{}\"\nOPENCLAW_STATE_DIR=\"{}\"\n",
            credentials.display(),
            home.join(".openclaw").display()
        );
        installation.configure(&format!("link{number:04}"), &conf)?;
    }
    installation.watch(Stdio::null(), PATIENCE)
}

fn memory(watch: &Watch) -> io::Result<Memory> {
    proc::memory(watch.child.id()).map_err(|error| {
        io::Error::other(format!("cannot read the memory of watch, which only root may: {error}"))
    })
}
