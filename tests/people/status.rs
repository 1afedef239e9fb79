//! `status` at a real terminal, as tmux sees it.

use crate::bed;
use crate::bed::Bed;

/// A link that is in step.
fn synced() -> Bed {
    let bed = bed();
    bed.run(["sync"]).exit(0);
    bed
}

#[test]
fn a_pipe_is_nothing_to_draw_on() {
    let bed = synced();
    bed.run(["status", "--watch"]).exit(2).out(&[]).says("there is no terminal to draw on");
    let plain = bed.run(["status"]).exit(0).out;
    assert!(!plain.contains('\x1b') && !plain.contains('█'), "{plain}");
}

/// What needs a program that not every host has.
mod with_tools {
    use super::synced;
    use crate::bed::ENV;
    use crate::sign_in_until;
    use crate::terminal::Terminal;

    #[test]
    fn both_clocks_are_bars_with_their_times_in_words() {
        let bed = synced();
        sign_in_until(&bed, bed.hence(15 * 24));
        let terminal = Terminal::run(&bed, (110, 30), &["LANG=C.UTF-8"], &["status"]);
        let shown = terminal.shows("renewals");
        for part in [
            "✓ default  fine",
            "access token  ████████████████████████ 7h 59m left, ends ",
            "login         ████████████░░░░░░░░░░░░ 14d 23h left, ends ",
            "next          renewal in 6h 29m, ",
            "sinks         ✓ oauth-json up to date",
            "✓ env up to date  /",
            "renewals      none yet",
        ] {
            assert!(shown.contains(part), "'{part}' is not in\n{shown}");
        }
    }

    #[test]
    fn a_narrow_terminal_without_colours_or_unicode_shows_the_same() {
        let bed = synced();
        for (width, env) in [(32, "NO_COLOR=1"), (50, "TERM=dumb"), (80, "LANG=C")] {
            let terminal = Terminal::run(&bed, (width, 45), &[env], &["status"]);
            let shown = terminal.shows("renewals");
            assert!(
                bed.plain(&shown).contains("7h 59m left") && shown.contains("default  fine"),
                "{shown}"
            );
            assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
        }
    }

    #[test]
    fn watch_draws_it_anew_and_gives_the_screen_back() {
        let bed = synced();
        let mut terminal =
            Terminal::run(&bed, (110, 30), &["LANG=C.UTF-8"], &["status", "--watch"]);
        terminal.shows("✓ env up to date");
        bed.write(ENV, "A=\"\nANTHROPIC_OAUTH_TOKEN=x\nB=\"x\"\n");
        terminal.shows("✗ env failed");
        bed.write(ENV, "ANTHROPIC_OAUTH_TOKEN=x\n");
        terminal.shows("! env stale");
        terminal.keys(&["C-c"]);
        terminal.ends(0);
        assert!(!terminal.screen().contains("access token"), "{}", terminal.screen());
    }
}
