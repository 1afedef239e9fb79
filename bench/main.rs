//! The figures that the program promises, measured side by side in one run, each judged in words.
//!
//! `bench/run` prepares what this needs. The scratch folder is on a disk, since flushing is what costs.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a driver is not the program: it plays the Claude CLI, starts what is measured and prints"
)]

mod contender;
mod figure;
mod idle;
mod proc;
mod rotation;
#[path = "../examples/demo/scene.rs"]
mod scene;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use figure::Figure;
use rustix::fs::Mode;
use scene::Installation;

/// The most that the stripped program may have, in bytes.
const SIZE_BOUND: u64 = 4_500_000;

/// What everything is measured with.
struct Bed {
    program: PathBuf,
    /// A scratch folder on a disk.
    root: PathBuf,
    /// One in memory.
    memory: PathBuf,
}

impl Bed {
    /// An installation of its own: the run folder is in memory, as `/run` is.
    fn installation(&self, name: &str) -> io::Result<Installation> {
        let mut installation = Installation::new(&self.program, &self.root.join(name).join("own"))?;
        installation.run = self.memory.join(name);
        Ok(installation)
    }
}

fn main() -> ExitCode {
    match measure() {
        Ok(figures) => judge(&figures),
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> io::Result<Vec<Figure>> {
    let words: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [script, floor, parts @ ..] = &words[..] else {
        return Err(io::Error::other("usage: bench SCRIPT FLOOR [PART]... (bench/run calls it)"));
    };
    let asked = |part: &str| parts.is_empty() || parts.iter().any(|word| word == Path::new(part));
    // Root goes through no folder that others can write in.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let program = scene::program()?;
    let scratch = tempfile::Builder::new()
        .prefix("oauth-sync-bench-")
        .tempdir_in(std::env::var_os("BENCH_DIR").unwrap_or_else(|| "/var/tmp".into()))?;
    let memory = memory()?;
    let bed = Bed { program, root: scratch.path().to_owned(), memory: memory.path().to_owned() };
    println!("load before: {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    let mut figures = Vec::new();
    if asked("rotation") {
        figures.extend(rotation::two_files(&bed, script, floor)?);
    }
    if asked("agents") {
        figures.extend(rotation::agents(&bed)?);
    }
    if asked("idle") {
        figures.extend(idle::all(&bed)?);
    }
    if asked("size") {
        figures.push(size(&bed)?);
    }
    println!("load after: {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    Ok(figures)
}

fn memory() -> io::Result<tempfile::TempDir> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("oauth-sync-bench-");
    folder.tempdir_in("/dev/shm").or_else(|_| folder.tempdir())
}

fn size(bed: &Bed) -> io::Result<Figure> {
    let stripped = bed.root.join("stripped");
    Command::new("strip").arg("-o").arg(&stripped).arg(&bed.program).status()?;
    let bytes = std::fs::metadata(&stripped)?.len();
    let what = format!("the stripped program has {bytes} bytes");
    Ok(Figure::new(what, format!("at most {SIZE_BOUND}"), bytes <= SIZE_BOUND))
}

fn judge(figures: &[Figure]) -> ExitCode {
    println!();
    for figure in figures {
        println!("{figure}");
    }
    let missed = figures.iter().filter(|figure| !figure.met).count();
    println!("\nbench: {} figures met, {missed} missed", figures.len() - missed);
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
