//! One figure, its bound, and whether it was met.

use std::fmt;
use std::time::Duration;

/// How long anything that is waited for may take, on a busy host too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured against what was promised.
pub(crate) struct Figure {
    what: String,
    bound: String,
    pub(crate) met: bool,
}

impl Figure {
    pub(crate) fn new(what: String, bound: String, met: bool) -> Self {
        Self { what, bound, met }
    }

    /// Judges `part / whole` by an upper bound.
    pub(crate) fn at_most(what: &str, part: Duration, whole: Duration, bound: f64) -> Self {
        let ratio = part.as_secs_f64() / whole.as_secs_f64();
        Self::new(format!("{what}: {ratio:.2}"), format!("at most {bound}"), ratio <= bound)
    }

    /// Judges `part / whole` by a lower bound.
    pub(crate) fn at_least(what: &str, part: Duration, whole: Duration, bound: f64) -> Self {
        let ratio = part.as_secs_f64() / whole.as_secs_f64();
        Self::new(format!("{what}: {ratio:.2}"), format!("at least {bound}"), ratio >= bound)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.met { "met   " } else { "MISSED" };
        write!(f, "{word}  {} ({})", self.what, self.bound)
    }
}

/// The middle one of an odd number of times.
pub(crate) fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// Milliseconds, for a table.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:8.2} ms", time.as_secs_f64() * 1e3)
}
