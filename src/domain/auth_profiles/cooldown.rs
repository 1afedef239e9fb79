//! The cool-downs in `usageStats`, and which of them a new token ends.
//!
//! OpenClaw keeps `cooldownUntil` (with `cooldownReason` and `cooldownModel` in 2026.4.15) for
//! passing failures and `disabledUntil` with `disabledReason` for `billing` and `auth_permanent`
//! (the latter from 2026.2.25's program on), counts both in `failureCounts` and their sum in
//! `errorCount`. A 401 or 403 is `auth`, or `auth_permanent` by its wording.

use serde_json::{Value, json};

use crate::domain::oauth_json::instant;
use crate::domain::splice::{Malformed, Splice};
use crate::domain::time::Timestamp;

const AUTH: &str = "auth";
const AUTH_PERMANENT: &str = "auth_permanent";
const BILLING: &str = "billing";

/// Ends what a rejected token has caused and says whether there was anything; a cool-down that any
/// other failure had a part in stays.
pub(super) fn clear(splice: &mut Splice, id: &str, now: Timestamp) -> Result<bool, Malformed> {
    let Some(stats) = splice.get(&["usageStats", id]) else { return Ok(false) };
    let cooled = is_cooled(&stats, now);
    let disabled = is_active(&stats, "disabledUntil", now)
        && stats.get("disabledReason").and_then(Value::as_str) == Some(AUTH_PERMANENT);
    if cooled {
        for key in ["cooldownUntil", "cooldownReason", "cooldownModel"] {
            splice.remove(&["usageStats", id, key])?;
        }
    }
    if disabled {
        for key in ["disabledUntil", "disabledReason"] {
            splice.remove(&["usageStats", id, key])?;
        }
    }
    if cooled || disabled {
        let over = |reason: &str| cooled && reason == AUTH || disabled && reason == AUTH_PERMANENT;
        forget(splice, id, &stats, &over)?;
    }
    Ok(cooled || disabled)
}

fn is_cooled(stats: &Value, now: Timestamp) -> bool {
    let reason = stats.get("cooldownReason").and_then(Value::as_str);
    let mut passing = counts(stats).map(|(reason, _)| reason);
    // The latest failure names the reason, though an earlier one may have set the end.
    let by_auth_alone = passing.clone().all(|r| [AUTH, AUTH_PERMANENT, BILLING].contains(&r));
    let by_auth = reason.map_or_else(|| passing.any(|r| r == AUTH), |reason| reason == AUTH);
    is_active(stats, "cooldownUntil", now) && by_auth_alone && by_auth
}

fn is_active(stats: &Value, key: &str, now: Timestamp) -> bool {
    stats.get(key).and_then(instant).is_some_and(|until| until > now)
}

fn counts(stats: &Value) -> impl Iterator<Item = (&str, i64)> + Clone {
    let counts = stats.get("failureCounts").and_then(Value::as_object).into_iter().flatten();
    let counts = counts.map(|(reason, count)| (reason.as_str(), count.as_i64().unwrap_or(0)));
    counts.filter(|(_, count)| *count > 0)
}

/// Takes failures off the counters, so that the next one does not start at their height.
fn forget(
    splice: &mut Splice,
    id: &str,
    stats: &Value,
    over: &dyn Fn(&str) -> bool,
) -> Result<(), Malformed> {
    let left = counts(stats).filter(|(reason, _)| !over(reason)).map(|(_, count)| count);
    // The counts are whatever stands in the file.
    let left = left.fold(0, i64::saturating_add);
    if left == 0 {
        splice.remove(&["usageStats", id, "failureCounts"])?;
    } else {
        for (reason, _) in counts(stats).filter(|(reason, _)| over(reason)) {
            splice.remove(&["usageStats", id, "failureCounts", reason])?;
        }
    }
    if stats.get("errorCount").is_some() {
        splice.set(&["usageStats", id, "errorCount"], &json!(left))?;
    }
    Ok(())
}

/// A time in which OpenClaw leaves a profile alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CoolDown {
    /// When it ends.
    pub(crate) until: Timestamp,
    /// OpenClaw's word for why, or `unknown`.
    pub(crate) reason: String,
    /// Whether a new token ends it.
    pub(crate) by_token: bool,
}

/// Finds the cool-down of the profile `id` in one of its two files.
pub(super) fn find(file: &Value, id: &str, now: Timestamp) -> Option<CoolDown> {
    let stats = file.get("usageStats")?.get(id)?;
    let keys = [("disabledUntil", "disabledReason"), ("cooldownUntil", "cooldownReason")];
    let (key, why) = keys.into_iter().find(|(key, _)| is_active(stats, key, now))?;
    let named = stats.get(why).and_then(Value::as_str).map(str::to_owned);
    let counted = || counts(stats).map(|(reason, _)| reason.to_owned()).next();
    let reason = named.or_else(counted).unwrap_or_else(|| "unknown".to_owned());
    let by_token = is_cooled(stats, now) || reason == AUTH_PERMANENT;
    Some(CoolDown { until: stats.get(key).and_then(instant)?, reason, by_token })
}
