//! What `watch` costs while nothing happens.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::Bed;
use crate::figure::{Figure, PATIENCE};
use crate::proc::{self, Memory};
use crate::rotation;
use crate::scene::{self, Watch};

/// The links of the large installation.
const LINKS: u32 = 1000;
/// How long one link has to stay asleep.
const SHORT: Duration = Duration::from_secs(20);
/// How long a thousand have to.
const LONG: Duration = Duration::from_secs(60);
/// How long everything is left alone before it counts as idle.
const SETTLE: Duration = Duration::from_secs(2);

/// One link beside the script, then a thousand links: processes of one program share memory, which would flatter
/// both of them.
pub(crate) fn all(bed: &Bed, script: &Path) -> io::Result<Vec<Figure>> {
    let root = bed.root.join("idle");
    let script = rotation::start_script_in(script, &root.join("script"))?;
    let one = start(bed, 1)?;
    println!("\nidle: the script and one link, then {LINKS} links");
    let one_woke = switches_in(&one, SHORT)?;
    let (script, small) = (tree_memory(script.0.id())?, memory(&one)?);
    drop(one);
    let many = start(bed, LINKS)?;
    let many_woke = switches_in(&many, LONG)?;
    let large = memory(&many)?;
    println!("                                    PSS   private dirty   context switches");
    println!("  inotifywait + bash         {:6} KiB   {:6} KiB", script.pss, script.private_dirty);
    row("oauth-sync, 1 link     ", small, one_woke, SHORT);
    row("oauth-sync, 1000 links ", large, many_woke, LONG);
    #[expect(clippy::cast_precision_loss, reason = "KiB of one process")]
    let per_link = large.pss.saturating_sub(small.pss) as f64 / f64::from(LINKS - 1);
    let figure = |what: String, bound: &str, met| Figure::new(what, bound.to_owned(), met);
    Ok(vec![
        figure(
            format!("PSS of one idle link: {} KiB", small.pss),
            &format!("at most the script's {}", script.pss),
            small.pss <= script.pss,
        ),
        figure(
            format!("private dirty of one idle link: {} KiB", small.private_dirty),
            "at most 256",
            small.private_dirty <= 256,
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

fn tree_memory(pid: u32) -> io::Result<Memory> {
    let mut sum = Memory::default();
    for pid in proc::tree(pid) {
        let part = proc::memory(pid)?;
        sum.pss += part.pss;
        sum.private_dirty += part.private_dirty;
    }
    Ok(sum)
}
