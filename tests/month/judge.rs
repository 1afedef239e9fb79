//! Keeps the true ends of all tokens, and counts the time that agents spent with a dead one.

use std::collections::HashMap;

use crate::endpoint::Grant;

/// By the server's clock, in ms.
#[derive(Default)]
pub(crate) struct Judge {
    ends: HashMap<String, i64>,
    seen: usize,
    dead: Vec<(i64, i64)>,
}

impl Judge {
    /// A token that is good until `end`.
    pub(crate) fn knows(&mut self, token: &str, end: i64) {
        self.ends.insert(token.to_owned(), end);
    }

    /// Takes note of new grants, which are good for 8 hours from now; seconds are in our favour
    /// nowhere.
    pub(crate) fn granted(&mut self, grants: &[Grant], now: i64) {
        for grant in &grants[self.seen..] {
            self.knows(&grant.access_token, now + 8 * 3_600_000 - 10_000);
        }
        self.seen = grants.len();
    }

    pub(crate) fn ends(&self, token: &str) -> i64 {
        *self.ends.get(token).unwrap_or_else(|| panic!("the sink holds an unknown token"))
    }

    /// Agents worked with this token over this time.
    pub(crate) fn used(&mut self, token: &str, from: i64, to: i64) {
        let end = self.ends(token).max(from);
        if end < to {
            self.dead.push((end, to));
        }
    }

    pub(crate) fn dead_ms(&self) -> i64 {
        self.dead.iter().map(|(from, to)| to - from).sum()
    }

    #[track_caller]
    pub(crate) fn no_second_without_a_token(&self) {
        assert!(
            self.dead.is_empty(),
            "{} ms without a valid token: {:?}",
            self.dead_ms(),
            self.dead
        );
    }
}
