//! The committed completions are those of the program.

use clap_complete::{Shell, generate};

use crate::{files_of, text_of};

const FILES: [(Shell, &str); 3] = [
    (Shell::Zsh, "completions/_oauth-sync"),
    (Shell::Bash, "completions/oauth-sync.bash"),
    (Shell::Fish, "completions/oauth-sync.fish"),
];

#[test]
fn completions_are_the_programs_own() {
    for (shell, file) in FILES {
        let mut made = Vec::new();
        generate(shell, &mut oauth_sync::command(), "oauth-sync", &mut made);
        assert!(
            text_of(file) == String::from_utf8(made).unwrap(),
            "{file} is out of date: run `make completions`"
        );
    }
}

#[test]
fn there_are_no_others() {
    assert_eq!(files_of("completions"), FILES.map(|(_, file)| file.to_owned()));
}
