//! The messages that a person may have to act on, each with an identifier that never changes: the
//! journal's `MESSAGE_ID=`, under which `journalctl -x` finds the explanation in our catalog.

/// Each message's name and identifier; `units/oauth-sync.catalog` explains them, and so does
/// DIAGNOSTICS in oauth-sync(1).
pub(crate) const MESSAGES: [(&str, &str); 40] = [
    ("rejected", "7ad621c49fb349528620041f21a5cebf"),
    ("account-on-hold", "26070fe79f9d4628978863f84a7c6cc1"),
    ("blanked", "032a4f820ee14157b31399772495d0e7"),
    ("signed-out", "322fabe799a54321915624df73a4fe62"),
    ("damaged", "a639f8ad5aa74ad1bc30cb55322471c4"),
    ("login-ended", "2d76b921f80446a3bec68c798da7f090"),
    ("login-ends", "71443dded3c64e95b2d9feea52d17fbf"),
    ("cannot-save", "dd134271100c4680a52af4e6b1e2b1b4"),
    ("cli-gone", "aaf061e3e8c34ac6bd84265adaba01e2"),
    ("refresh-failing", "0212eafeb22142a1b911c8d6a0d6c5cb"),
    ("harmful-file", "2ff1d1096f5b45d69b9e9d72aff6654a"),
    ("recovered", "410d4a1ba4304ac4b43d9c8741af7572"),
    ("expired", "224d05662db040b4aa164107f9103bb6"),
    ("replaced-earlier", "126f806863374ca98d19e08498db5dc7"),
    ("held-back", "0b530a54aec648bf834c7be0d6810dce"),
    ("no-expiry", "3c934881cfb44ee9a047e4ce3991710c"),
    ("not-a-claude-login", "555ec61be351427191071a5f12d0cc30"),
    ("missing", "b8a8a8bfa45f4547972c65c84fcc37d7"),
    ("unreadable", "bf7b7af12c3a4a6287a36e517fc29400"),
    ("retired", "dda8de61d55b402981354d3e5d55c4ad"),
    ("unreachable", "7dd1b7411f1b4ca59b68a0a33479b518"),
    ("openclaw-config", "36fa8153613d48aeb6810fe241c83112"),
    ("renewal-failed", "5cae9ec0bc534eda85fbf8a6f754afa3"),
    ("sink-failed", "43cdbaa196ad4053a95a6e08b45b7048"),
    ("sink-refused", "bdf92611da22455497826be0be122ada"),
    ("sink-shadowed", "0e71c9e1539c4b61ba907dee2b36eddb"),
    ("sink-stale", "86e89f886a6c4b5bbc4525541f1b18b4"),
    ("readable", "228075d418b14a93bcb7e8abf3b6bfd5"),
    ("gateway-failed", "d6f10180b292429cb815770404b9ab70"),
    ("gateway-deferred", "18541d19eab94860901e0ee8a7fe5f19"),
    ("reload-refused", "17a39628a87f403094d482f3e1e354b2"),
    ("gateway-unknown", "1179fcd519e14609bfd5b5a725cc436c"),
    ("linger", "25ba95674e6a41f6b3636a8cc556392e"),
    ("paste-barred", "e0b5b81f778b4bb6a246dad0ec13cdf0"),
    ("hook-refused", "619a8a1e5e9f4adc99b94f81bbdc2841"),
    ("hook-failed", "b7c5029159e74985b5543f016374e0f8"),
    ("webhook", "e7a760f586f74ec7a2aa0b90f64d3bbd"),
    ("clock-skew", "274eb7a1bf5d49b29608120ba9533313"),
    ("configuration", "aa211b66b6e74a379ff22fcbf31f4842"),
    ("watch-limit", "6b0f5d0c2a7e4c8fb3d1e94a57c6d218"),
];

/// The identifier of a message, by its name; empty where there is none.
pub(crate) fn id(name: &str) -> &'static str {
    MESSAGES.iter().find(|(known, _)| *known == name).map_or("", |(_, id)| *id)
}

/// The name of the message that tells a state of a source, a renewal or an incident.
pub(crate) fn of_state(state: &'static str) -> &'static str {
    match state {
        "harmful" => "harmful-file",
        "failed" => "renewal-failed",
        "cleared by Claude CLI" => "blanked",
        "replaced earlier" => "replaced-earlier",
        "held back" => "held-back",
        "no expiry" => "no-expiry",
        "not a Claude login" => "not-a-claude-login",
        notice if notice.starts_with("login-ends-") => "login-ends",
        other => other,
    }
}

/// The name of the message that tells the state of a sink; empty where nobody has to act.
pub(crate) fn of_sink(state: &str) -> &'static str {
    match state {
        "failed" => "sink-failed",
        "refused" => "sink-refused",
        "shadowed" => "sink-shadowed",
        "stale" => "sink-stale",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::Kind;

    #[test]
    fn no_two_messages_share_an_identifier_or_a_name() {
        let mut ids: Vec<&str> = MESSAGES.iter().map(|(_, id)| *id).collect();
        let mut names: Vec<&str> = MESSAGES.iter().map(|(name, _)| *name).collect();
        ids.sort_unstable();
        ids.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((ids.len(), names.len()), (MESSAGES.len(), MESSAGES.len()));
        assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn every_incident_has_a_message() {
        for kind in Kind::ALL {
            assert!(!id(of_state(kind.name())).is_empty(), "{kind:?}");
        }
    }
}
