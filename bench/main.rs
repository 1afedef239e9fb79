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

/// The most that the stripped program may have, in bytes.
const SIZE_BOUND: u64 = 2_500_000;

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
    let root = scratch.path();
    println!("load before: {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    let mut figures = Vec::new();
    if asked("rotation") {
        figures.extend(rotation::two_files(&program, script, floor, &root.join("two"))?);
    }
    if asked("agents") {
        figures.extend(rotation::agents(&program, &root.join("agents"))?);
    }
    if asked("idle") {
        figures.extend(idle::all(&program, script, &root.join("idle"))?);
    }
    if asked("size") {
        figures.push(size(&program, root)?);
    }
    println!("load after: {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    Ok(figures)
}

fn size(program: &Path, root: &Path) -> io::Result<Figure> {
    let stripped = root.join("stripped");
    Command::new("strip").arg("-o").arg(&stripped).arg(program).status()?;
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
