//! Versions, eras and the table of sinks.

use super::*;
use crate::domain::sink::SinkKind::{self, AuthProfiles, Env, OauthJson, PasteToken, SecretFile};

fn version(text: &str) -> Version {
    Version::parse(text).expect("it is a version")
}

fn says(by: Witness, text: &str) -> Evidence {
    Evidence { version: version(text), at_least: by == Witness::SqliteStore, by }
}

fn verdict(text: &str) -> Verdict {
    decide(&[says(Witness::Package, text)])
}

fn unknown() -> Verdict {
    decide(&[])
}

#[test]
fn versions_are_found_in_what_surrounds_them() {
    for (text, shown) in [
        ("2026.2.25", "2026.2.25"),
        ("v2026.9.6", "2026.9.6"),
        ("OpenClaw 2026.9.6 (eb377ac)\n", "2026.9.6"),
        ("ghcr.io/openclaw/openclaw:2026.2.26-slim", "2026.2.26"),
        ("openclaw@2026.7.1-2", "2026.7.1-2"),
        ("2026.8.1-beta.3", "2026.8.1-beta.3"),
    ] {
        assert_eq!(version(text).to_string(), shown);
    }
    for none in ["", "latest", "openclaw:local", "22.14.0", "2026.9", "2026.13.1", "2026.2.25.1"] {
        assert_eq!(Version::parse(none), None, "{none}");
    }
}

#[test]
fn versions_stand_in_the_order_of_their_release() {
    let row = [
        "2026.1.30",
        "2026.2.3",
        "2026.2.25",
        "2026.7.1-beta.2",
        "2026.7.1-beta.10",
        "2026.7.1",
        "2026.7.1-1",
        "2026.7.35",
        "2026.8.1-beta.1",
        "2026.8.1",
    ];
    assert!(row.map(version).is_sorted());
}

#[test]
fn each_version_has_its_era() {
    for (text, era) in [
        ("2025.12.31", Era::Live),
        ("2026.2.25", Era::Live),
        ("2026.2.26", Era::Snapshot),
        ("2026.5.31-beta.4", Era::Snapshot),
        ("2026.6.1-beta.1", Era::Imported),
        ("2026.7.35", Era::Imported),
        ("2026.8.1-beta.1", Era::Guarded),
        ("2026.9.6", Era::Guarded),
    ] {
        assert_eq!(version(text).era(), era, "{text}");
    }
}

#[test]
fn the_newest_evidence_wins() {
    let newest = decide(&[
        says(Witness::LastTouched, "2026.9.6"),
        says(Witness::Program, "2026.2.25"),
        says(Witness::SqliteStore, "2026.6.1"),
    ]);
    assert_eq!((newest.era, newest.program_says), (Era::Guarded, true));
    assert_eq!(newest.because, "lastTouchedVersion in openclaw.json says 2026.9.6");
    let trace = decide(&[says(Witness::SqliteStore, "2026.6.1")]);
    assert_eq!((trace.era, trace.program_says), (Era::Imported, false));
    assert_eq!(trace.because, "an SQLite store says 2026.6.1 or later");
    assert_eq!(unknown().era, Era::Unknown);
}

#[test]
fn a_configured_version_wins_unless_it_does_harm() {
    for (set, by, found, era) in [
        ("2026.9.6", Witness::Package, "2026.2.25", Era::Guarded),
        ("2026.2.25", Witness::LastTouched, "2026.4.15", Era::Live),
        ("2026.7.1", Witness::Image, "2026.9.6", Era::Imported),
        ("2026.2.25", Witness::SqliteStore, "2026.6.1", Era::Imported),
        ("2026.2.25", Witness::LastTouched, "2026.9.6", Era::Guarded),
        ("2026.4.15", Witness::Package, "2026.8.1", Era::Guarded),
    ] {
        let verdict = decide(&[says(Witness::Configured, set), says(by, found)]);
        assert_eq!(verdict.era, era, "{set} {found}: {}", verdict.because);
    }
    assert_eq!(decide(&[says(Witness::Configured, "2026.2.25")]).era, Era::Live);
}

/// A verdict, what stands, and the sinks with their right to be made.
type Row<'a> = (Verdict, &'a [Trace], &'a [(SinkKind, bool)]);

#[test]
fn auto_is_what_the_table_says() {
    use Trace::{AuthProfiles as Profiles, EnvKey, LivingProfile, OauthJson as Oauth, PasteBarred};
    let traced = decide(&[says(Witness::LastTouched, "2026.2.25")]);
    let rows: [Row<'_>; 12] = [
        (verdict("2026.2.25"), &[], &[(OauthJson, true), (Env, true)]),
        (verdict("2026.2.25"), &[Oauth], &[(OauthJson, true), (Env, true)]),
        (verdict("2026.2.25"), &[Profiles], &[(AuthProfiles, false), (Env, false)]),
        (
            verdict("2026.4.15"),
            &[Profiles, Oauth],
            &[(AuthProfiles, false), (OauthJson, false), (Env, false)],
        ),
        (traced.clone(), &[Profiles, Oauth], &[(Env, true)]),
        (traced, &[Profiles, LivingProfile], &[(AuthProfiles, false), (Env, false)]),
        (verdict("2026.7.1"), &[Profiles, LivingProfile, Oauth], &[(PasteToken, true)]),
        (verdict("2026.9.6"), &[], &[(PasteToken, true)]),
        (verdict("2026.9.6"), &[EnvKey], &[(PasteToken, true), (Env, false)]),
        (verdict("2026.9.6"), &[PasteBarred], &[(PasteToken, true), (Env, true)]),
        (unknown(), &[Profiles, Oauth], &[(Env, true)]),
        (unknown(), &[Profiles, LivingProfile, Oauth], &[(AuthProfiles, false), (Env, false)]),
    ];
    for (verdict, traces, wanted) in rows {
        let sinks = auto_sinks(&verdict, traces);
        let sinks: Vec<_> = sinks.iter().map(|sink| (sink.kind, sink.may_create)).collect();
        assert_eq!(sinks, wanted, "{} {traces:?}", verdict.because);
    }
}

#[test]
fn auto_never_picks_what_is_refused() {
    use Trace::{AuthProfiles as Profiles, EnvKey, LivingProfile, OauthJson as Oauth, PasteBarred};
    let all = [Oauth, Profiles, LivingProfile, EnvKey, PasteBarred];
    for verdict in
        ["2026.2.25", "2026.4.15", "2026.7.1", "2026.9.6"].map(verdict).iter().chain([&unknown()])
    {
        for mask in 0..1 << all.len() {
            let traces: Vec<_> =
                (0..all.len()).filter(|bit| mask >> bit & 1 == 1).map(|bit| all[bit]).collect();
            for sink in auto_sinks(verdict, &traces) {
                assert_eq!(refusal(verdict.era, sink.kind, &traces), None, "{traces:?}");
            }
        }
    }
}

#[test]
fn what_would_do_harm_is_refused_with_the_way_out() {
    for (era, refused) in [
        (Era::Live, &[SecretFile, PasteToken][..]),
        (Era::Snapshot, &[PasteToken]),
        (Era::Imported, &[OauthJson, AuthProfiles]),
        (Era::Guarded, &[OauthJson, AuthProfiles]),
        (Era::Unknown, &[OauthJson, AuthProfiles, PasteToken]),
    ] {
        for kind in SinkKind::ALL {
            let reason = refusal(era, kind, &[]);
            assert_eq!(reason.is_some(), refused.contains(&kind), "{era:?} {kind}");
            assert!(
                reason.is_none_or(|reason| reason.contains(": use ") || reason.contains(": set "))
            );
        }
    }
}

#[test]
fn the_gateway_is_asked_for_no_more_than_it_needs() {
    for (text, changed, need) in [
        ("2026.2.25", &[AuthProfiles, Env][..], Need::Nothing),
        ("2026.2.25", &[Env], Need::Recreate),
        ("2026.2.25", &[OauthJson, Env], Need::Recreate),
        ("2026.4.15", &[AuthProfiles, OauthJson, Env], Need::SecretsReload),
        ("2026.4.15", &[SecretFile], Need::SecretsReload),
        ("2026.7.1", &[PasteToken, Env], Need::SecretsReload),
        ("2026.7.1", &[Env], Need::Recreate),
        ("2026.9.1", &[PasteToken], Need::SecretsReload),
        ("2026.9.6", &[PasteToken, Env], Need::Nothing),
        ("2026.9.6", &[SecretFile], Need::SecretsReload),
        ("2026.9.6", &[], Need::Nothing),
    ] {
        assert_eq!(gateway_need(&verdict(text), changed), need, "{text} {changed:?}");
    }
    assert_eq!(gateway_need(&unknown(), &[AuthProfiles, Env]), Need::Recreate);
}
