//! Leaves out what only unwinding reads, since a release ends at a panic, and packs relocations.
//! What is left of the unwinder is linked in: as a library it would cost each resident process 100 KiB.
#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "cargo is talked to by stdout and the environment"
)]

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.ld");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let is_gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if is_release && is_gnu {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.ld");
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr,-z,pack-relative-relocs");
        println!("cargo::rustc-link-arg-bins=-T{}", script.display());
        println!(
            "cargo::rustc-link-arg-bins=-Wl,--push-state,--whole-archive,-l:libgcc_eh.a,--pop-state"
        );
    }
}
