//! OpenClaw's side: retired files in its way, a profile that hides ours, a cool-down.

use std::path::Path;

use crate::app::context::Ground;
use crate::app::doctor::container::{self, Sight};
use crate::app::doctor::{Case, Finding, Fix, Patient, way};
use crate::app::gateway::backend::command;
use crate::app::gateway::unknown;
use crate::app::openclaw::OpenClaw;
use crate::app::report::{SinkReport, SinkState};
use crate::domain::auth_profiles::{self, Context, OWN_PROFILE};
use crate::domain::gateway::{Missing, UNUSABLE_IDLE_COMMAND};
use crate::domain::hints::{host, openclaw, ours};
use crate::domain::secret::Secret;
use crate::domain::shell::Hint;
use crate::domain::sink::SinkKind;
use crate::os::fs::dir::Folder;
use crate::os::process::executables;

/// The finding of a gateway that could not be seen to.
pub(super) const WAITS: &str = "gateway-waits";

/// Looks at the link's OpenClaw.
pub(super) fn look(patient: &Patient<'_>, case: &Case<'_>, sight: &Sight) -> Vec<Finding> {
    let by = Caller { patient, case, sight };
    let mut findings: Vec<Finding> = Vec::new();
    for remark in &case.report.remarks {
        let sync = ours::sync(&case.report.link);
        match remark.state {
            "retired" => findings.push(
                Finding::error("retired-file", remark.text.clone(), sync).fixed_by(Fix::Sync),
            ),
            "harmful" => {
                let command = by.openclaw(openclaw::doctor());
                findings.push(Finding::error("harmful-file", remark.text.clone(), command));
            }
            "openclaw-config" => {
                let command = by.openclaw(openclaw::validate());
                findings.push(Finding::error("openclaw-config", remark.text.clone(), command));
            }
            "unreachable" => {
                let command = remark
                    .hint
                    .clone()
                    .or_else(|| case.settings.openclaw_state_dir.as_deref().map(way::mend))
                    .unwrap_or(sync);
                findings.push(Finding::error("openclaw-unreachable", remark.text.clone(), command));
            }
            _ => {}
        }
    }
    findings.extend(case.report.sinks.iter().filter_map(|sink| pasted(by, sink)));
    findings.extend(gateway(case));
    findings.extend(profiles(by));
    findings
}

/// A profile that was pasted, and that OpenClaw does not use first.
fn pasted(by: Caller<'_>, sink: &SinkReport) -> Option<Finding> {
    let SinkState::Hidden(why) = &sink.state else { return None };
    let meaning = format!("{why}, so the token that is kept alive is not used");
    let order = by.case.report.gateway.paste.as_ref().map(|paste| &paste.order);
    let command = by.openclaw(openclaw::put_first(OWN_PROFILE, order.into_iter().flatten()));
    Some(Finding::warning("profile-shadowed", meaning, command))
}

/// A gateway that could not be seen to, though it was tried.
fn gateway(case: &Case<'_>) -> Option<Finding> {
    let ledger = &case.report.gateway;
    let link = &case.report.link;
    if let Some(paste) = ledger.paste.as_ref().filter(|paste| paste.lacks_consent) {
        let why = paste.barred.as_deref().unwrap_or("something in openclaw.json would be lost");
        let meaning = format!("{why}: your consent is required");
        let command = ours::consent(link);
        return Some(Finding::warning("paste-consent", meaning, command));
    }
    if let Some(paste) = ledger.paste.as_ref().filter(|paste| paste.lacks_program) {
        let why = paste.barred.as_deref().unwrap_or("no program openclaw was found");
        return Some(openclaw_missing(link, why));
    }
    let pending = ledger.pending.as_ref().filter(|pending| pending.attempts > 0);
    let why = pending.and_then(|pending| pending.waits.as_deref());
    if let Some(finding) = idle_command(case, why) {
        return Some(finding);
    }
    let why = why.unwrap_or("it is not known why");
    let pending = pending?;
    match pending.missing {
        Some(Missing::Gateway(port)) => return not_found(case, port),
        Some(Missing::Openclaw) => return Some(openclaw_missing(link, why)),
        None => {}
    }
    let meaning = format!("the gateway does not use the new token yet: {why}");
    // To try it once more would fail once more.
    let command = pending.hint.clone().unwrap_or_else(host::show_log);
    Some(Finding::warning(WAITS, meaning, command))
}

/// No program that takes the token.
fn openclaw_missing(link: &str, why: &str) -> Finding {
    let meaning = format!("the token cannot be pasted into OpenClaw: {why}");
    Finding::error("openclaw-missing", meaning, ours::name_openclaw(link))
}

/// A gateway that runs and was not found.
fn not_found(case: &Case<'_>, port: Option<u16>) -> Option<Finding> {
    let (is_certain, meaning) =
        unknown::trouble(case.settings.openclaw_state_dir.as_deref(), port)?;
    let finding = if is_certain { Finding::error } else { Finding::warning };
    Some(finding("gateway-unknown", meaning, ours::find_gateway(&case.report.link)))
}

/// A command that nobody can ask whether the gateway is idle: each recreate is put off as long as
/// may be.
fn idle_command(case: &Case<'_>, waits: Option<&str>) -> Option<Finding> {
    let command = case.settings.recreate_idle_command.as_ref()?;
    let was_tried = waits.filter(|why| why.starts_with(UNUSABLE_IDLE_COMMAND)).map(str::to_owned);
    let why = was_tried.or_else(|| {
        let name = command.words.first()?;
        let user = command::identity(case.settings, command).ok()?;
        (!executables::is_known(&user, name))
            .then(|| format!("{UNUSABLE_IDLE_COMMAND}: there is no program '{name}'"))
    })?;
    let meaning =
        format!("{why}: each recreate is postponed until 10 minutes before the token ends");
    let sync = ours::sync(&case.report.link);
    let command = case.set("RECREATE_IDLE_COMMAND", "").and(sync);
    Some(Finding::warning("idle-command-unusable", meaning, command))
}

/// A provider of a person's own takes the built-in models away: requests end in 404.
fn provider(case: &Case<'_>, claw: &OpenClaw) -> Option<Finding> {
    let folder = case.settings.openclaw_state_dir.as_ref()?;
    let link = &case.report.link;
    claw.config.has_anthropic_provider.then(|| {
        let meaning = format!(
            "models.providers.anthropic in openclaw.json of '{}' takes the built-in models away: where it names none of its own, requests end in 404",
            folder.display()
        );
        let command = ours::drop_provider(link);
        Finding::note("own-provider", meaning, command)
    })
}

/// The stores of its agents.
fn profiles(by: Caller<'_>) -> Vec<Finding> {
    let Caller { patient, case, .. } = by;
    let Ok(ground) = Ground::look(patient.places) else { return Vec::new() };
    let memory = ground.remember(case.settings).unwrap_or_default();
    let claw = OpenClaw::look(case.settings, &ground, &memory, patient.now);
    let token = case.report.source.passable().map(|credential| credential.access_token.clone());
    let is_ours = |other: &Secret| {
        token.as_ref() == Some(other) || memory.knows(ground.fingerprinter.of(other))
    };
    let mut findings: Vec<Finding> = provider(case, &claw).into_iter().collect();
    claw.each_agent(|agent| {
        let Some(text) = agent.profiles_text() else { return };
        let auth_state =
            agent.auth_state.as_ref().and_then(|seen| std::str::from_utf8(&seen.bytes).ok());
        let context =
            Context { now: patient.now, config: &claw.config, auth_state, is_ours: &is_ours };
        let Ok(Some((id, _))) = auth_profiles::held(text, &context) else { return };
        let path = agent.folder.path.join("auth-profiles.json");
        findings.extend(hidden(by, &path, (&id, auth_profiles::order(text, &context))));
        let found = auth_profiles::cool_down(text, auth_state, &id, patient.now);
        findings.extend(cool_down(by, &path, &id, found));
    });
    findings
}

fn hidden(by: Caller<'_>, path: &Path, (id, order): (&str, Vec<String>)) -> Option<Finding> {
    let sink =
        by.case.report.sinks.iter().find(|sink| {
            sink.kind == SinkKind::AuthProfiles && sink.path.as_deref() == Some(path)
        })?;
    let SinkState::Stale(Some(why)) = &sink.state else { return None };
    let meaning =
        format!("'{}': {why}, so the token that is kept alive is not used", path.display());
    let order = openclaw::put_first(id, &order);
    Some(Finding::warning("profile-shadowed", meaning, by.openclaw(order)))
}

fn cool_down(
    by: Caller<'_>,
    path: &Path,
    id: &str,
    found: Option<auth_profiles::CoolDown>,
) -> Option<Finding> {
    let found = found?;
    let reason = &found.reason;
    let meaning = format!(
        "OpenClaw leaves the profile {id} in '{}' alone until {} ({reason})",
        path.display(),
        found.until
    );
    let command = if found.by_token {
        // A new token ends what the old one caused, as soon as it is carried over.
        ours::refresh_forced(&by.case.report.link)
    } else {
        by.openclaw(openclaw::status())
    };
    Some(Finding::warning("cool-down", meaning, command))
}

/// What a call of `openclaw` depends on.
#[derive(Clone, Copy)]
struct Caller<'a> {
    patient: &'a Patient<'a>,
    case: &'a Case<'a>,
    sight: &'a Sight,
}

impl Caller<'_> {
    /// A call of `openclaw` as the user of its state folder, in its container if it has one.
    fn openclaw(self, call: Hint) -> Hint {
        let Self { patient, case, sight } = self;
        let exec =
            |container| container::typed(case, |engine| engine.typed_exec(container, call.clone()));
        if let Some(command) = sight.running().and_then(exec) {
            return command;
        }
        if case.settings.compose_dir.is_some() {
            let service = &case.settings.compose_service;
            let in_project = container::in_project(patient, case, |engine| {
                openclaw::in_service(engine.typed(), service, call.clone())
            });
            return in_project.unwrap_or(call);
        }
        on_host(patient, case, call)
    }
}

fn on_host(patient: &Patient<'_>, case: &Case<'_>, call: Hint) -> Hint {
    let folder = case.settings.openclaw_state_dir.as_deref();
    let named = case.settings.openclaw_command.as_ref();
    let call = match named {
        Some(command) => openclaw::by_command(&command.words, call),
        None => call,
    };
    let owner = folder.and_then(|folder| Folder::reach(folder).ok());
    let home = folder.and_then(Path::parent).unwrap_or(Path::new("/"));
    if let Some(user) = named.and_then(|named| command::identity(case.settings, named).ok()) {
        return call.run_at_login_of(&patient.user(&user, home));
    }
    match owner {
        Some(owner) => call.run_at_login_of(&patient.user(&owner.identity, home)),
        None => call,
    }
}
