//! What is drawn of a link, out of what was found.

use std::time::Duration;

use crate::app::report::{SinkReport, SinkState};
use crate::app::source;
use crate::cli::overview::{Survey, Surveyed};
use crate::cli::screen::{Link, Row, Sign};
use crate::domain::config::settings::Gateway;
use crate::domain::health::Level;
use crate::domain::hints::ours;
use crate::domain::pause::Activity;
use crate::domain::time::{Timestamp, in_words};
use crate::domain::units::Trouble;
use crate::domain::visible::visible;

/// How long an access token lives, and a login: what a full bar stands for.
const TOKEN_LIFE: Duration = Duration::from_secs(8 * 3600);
const LOGIN_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// How many renewals are shown.
const RENEWALS: usize = 3;

/// Puts together what is drawn of every link.
pub(crate) fn of(survey: &Survey) -> Vec<Link> {
    let links = survey.links.iter().map(|link| one(link, survey.now));
    links.chain(service(&survey.service)).collect()
}

/// What is wrong with the service itself, if anything is.
fn service(troubles: &[Trouble]) -> Option<Link> {
    let level = troubles.iter().map(|trouble| trouble.level).max_by_key(|level| level.gravity())?;
    let texts: Vec<&str> = troubles.iter().map(|trouble| trouble.text.as_str()).collect();
    let commands =
        troubles.iter().map(|trouble| row("run", Sign::None, trouble.command.to_string()));
    let verdict = visible(&texts.join("; ")).into_owned();
    Some(Link { name: "service".to_owned(), level, verdict, rows: commands.collect() })
}

fn one(link: &Surveyed, now: Timestamp) -> Link {
    let found: Vec<&str> = link.health.findings.iter().map(|(_, text)| text.as_str()).collect();
    let verdict = if found.is_empty() { "fine".to_owned() } else { found.join("; ") };
    let path = Some(visible(&link.report.source_path.display().to_string()).into_owned());
    let mut rows = vec![Row { path, ..row("source", Sign::None, link.report.source.name()) }];
    rows.extend(first_clock(link, now));
    rows.extend(second_clock(link, now));
    rows.push(next(link, now));
    let pause = link.settings.pause_at(now);
    rows.extend(
        pause.map(|_| row("resume", Sign::None, ours::resume(&link.report.link).to_string())),
    );
    rows.extend(sinks(link));
    if !link.report.sinks.is_empty() {
        rows.push(gateway_row(link, now));
    }
    rows.extend(renewals(link, now));
    rows.extend(incidents(link, now));
    Link {
        name: visible(&link.report.link).into_owned(),
        level: link.health.level,
        verdict: visible(&verdict).into_owned(),
        rows,
    }
}

fn row(label: &'static str, sign: Sign, text: impl AsRef<str>) -> Row {
    Row { label, sign, text: visible(text.as_ref()).into_owned(), path: None }
}

fn first_clock(link: &Surveyed, now: Timestamp) -> Option<Row> {
    let expiry = link.ahead.prospect.expiry?;
    let left = expiry.left(now);
    let level = match () {
        () if expiry <= now => Level::Wrong,
        () if left < link.settings.refresh_margin / 2 => Level::Soon,
        () => Level::Fine,
    };
    let sign = Sign::Bar(share(left, TOKEN_LIFE), level);
    Some(row("access token", sign, span(expiry, now)))
}

fn second_clock(link: &Surveyed, now: Timestamp) -> Option<Row> {
    link.report.source.credential()?.refresh_token.as_ref()?;
    let Some(end) = link.ahead.people.login else {
        let text = "its end is not known: 27 to 30 days after the sign-in".to_owned();
        return Some(row("login", Sign::None, text));
    };
    let left = end.at.left(now);
    let level = match () {
        () if end.has_come(now) => Level::Wrong,
        () if left <= end.first_notice() => Level::Soon,
        () => Level::Fine,
    };
    let text = match (end.is_estimate, left.is_zero()) {
        (false, _) => span(end.at, now),
        (true, false) => format!("about {} left, ends about {}", in_words(left), day(end.at, now)),
        (true, true) => "may end at any moment".to_owned(),
    };
    Some(row("login", Sign::Bar(share(left, LOGIN_LIFE), level), text))
}

fn span(end: Timestamp, now: Timestamp) -> String {
    if end > now {
        format!("{} left, ends {}", in_words(end.left(now)), moment(end, now))
    } else {
        format!("ended {}, {} ago", moment(end, now), in_words(now.left(end)))
    }
}

fn next(link: &Surveyed, now: Timestamp) -> Row {
    let methods: Vec<&str> = link
        .settings
        .refresh
        .iter()
        .map(|method| crate::app::refresh::history::method_name(*method))
        .collect();
    let by = methods.join(", then ");
    let prospect = &link.ahead.prospect;
    let needs_person = link.report.needs_person() || prospect.renewals.rejected;
    let text = match (prospect.due, methods.is_empty()) {
        _ if needs_person => {
            let is_setup_token = source::is_setup_token(&link.settings, &link.report.source);
            let name = &link.report.link;
            if is_setup_token {
                format!("a new setup-token: {}", ours::login_setup_token(name))
            } else {
                format!("sign in: {}", ours::login(name))
            }
        }
        (_, true) => match &link.settings.renewed_by {
            Some(host) => format!("{host} renews this login and hands its token on"),
            None => "nothing: renewing is switched off here".to_owned(),
        },
        (None, _) => match link.settings.paused(Activity::Renew, now) {
            Some(pause) => pause.in_words(),
            None => "nothing to renew".to_owned(),
        },
        (Some(at), _) if at <= now => format!("renewal is due now, by {by}"),
        (Some(at), _) => {
            format!("renewal in {}, {}, by {by}", in_words(at.left(now)), moment(at, now))
        }
    };
    row("next", Sign::None, text)
}

fn sinks(link: &Surveyed) -> Vec<Row> {
    let rows = link.report.sinks.iter().enumerate().map(|(at, sink)| {
        let label = if at == 0 { "sinks" } else { "" };
        let path = sink.path.as_ref().map(|path| visible(&path.display().to_string()).into_owned());
        let text = match sink.state.why() {
            Some(why) => format!("{} {}: {why}", sink.kind, sink.state.name()),
            None => format!("{} {}", sink.kind, sink.state.name()),
        };
        Row { path, ..row(label, sink_sign(sink), text) }
    });
    let mut rows: Vec<Row> = rows.collect();
    if rows.is_empty() {
        rows.push(row("sinks", Sign::None, "none: the login is kept alive only"));
    }
    rows
}

fn sink_sign(sink: &SinkReport) -> Sign {
    match sink.state {
        SinkState::InStep => Sign::Mark(Level::Fine),
        SinkState::Absent(_) => Sign::None,
        SinkState::Stale(None) | SinkState::Busy(_) => Sign::Mark(Level::Soon),
        _ => Sign::Mark(Level::Wrong),
    }
}

fn gateway_row(link: &Surveyed, now: Timestamp) -> Row {
    let ledger = &link.report.gateway;
    if let Some(pending) = &ledger.pending {
        let why = pending.waits.as_deref().unwrap_or("update queued");
        let next = pending.next_try.filter(|next| *next > now);
        let next = next.map(|next| format!(", tried again in {}", in_words(next.left(now))));
        let text = format!("does not use the new token yet: {why}{}", next.unwrap_or_default());
        return row("gateway", Sign::Mark(Level::Soon), text);
    }
    let what = gateway(link);
    let Some(act) = ledger.history.last() else { return row("gateway", Sign::None, what) };
    let level = match act.outcome.as_str() {
        "failed" => Level::Wrong,
        // It is not proven.
        "done" if act.why.is_some() => Level::Soon,
        _ => Level::Fine,
    };
    let why = act.why.as_ref().filter(|_| level == Level::Soon);
    let what = why.map_or(what.clone(), |why| format!("{why}, {what}"));
    let gap =
        act.gap_ms.map(|gap| format!(", {}.{} s without an answer", gap / 1000, gap % 1000 / 100));
    let text = format!(
        "{} {} ago{}, {what}",
        act.deed,
        in_words(now.left(act.time)),
        gap.unwrap_or_default()
    );
    row("gateway", Sign::Mark(level), text)
}

/// What people were told and is not over.
fn incidents(link: &Surveyed, now: Timestamp) -> Vec<Row> {
    let open = link.ahead.people.open.iter().enumerate();
    let rows = open.map(|(at, incident)| {
        let label = if at == 0 { "notified" } else { "" };
        let text = format!("{} ago: {}", in_words(now.left(incident.since)), incident.message);
        row(label, Sign::Mark(Level::Wrong), text)
    });
    rows.collect()
}

fn gateway(link: &Surveyed) -> String {
    let settings = &link.settings;
    match (settings.gateway, &settings.compose_dir) {
        (Gateway::None, _) => "left alone".to_owned(),
        (Gateway::Auto | Gateway::Container, _) if settings.is_container() => {
            format!("container {}", settings.container_name.as_deref().unwrap_or_default())
        }
        (Gateway::Auto | Gateway::Compose, Some(folder)) => {
            format!("{} of '{}'", settings.compose_service, folder.display())
        }
        (Gateway::Systemd, _) => "a unit of the host".to_owned(),
        (Gateway::SystemdUser, _) => "a unit of its user".to_owned(),
        (Gateway::Command, _) => "by a command of its own".to_owned(),
        (Gateway::Auto | Gateway::Compose | Gateway::Container, _) => {
            "found when it is needed".to_owned()
        }
    }
}

fn renewals(link: &Surveyed, now: Timestamp) -> Vec<Row> {
    let last = link.ahead.prospect.history.iter().rev().take(RENEWALS).enumerate();
    let rows = last.map(|(at, entry)| {
        let label = if at == 0 { "renewals" } else { "" };
        let (when, ago) = (moment(entry.time, now), in_words(now.left(entry.time)));
        let times =
            if entry.count > 1 { format!(", {} times", entry.count) } else { String::new() };
        let (level, what) = match &entry.cause {
            None => (Level::Fine, format!("by {}", entry.method)),
            Some(cause) => {
                (Level::Soon, format!("{} by {}{times}: {cause}", entry.outcome, entry.method))
            }
        };
        row(label, Sign::Mark(level), format!("{when}, {ago} ago, {what}"))
    });
    let rows: Vec<Row> = rows.collect();
    if rows.is_empty() {
        return vec![row("renewals", Sign::None, "none yet")];
    }
    rows
}

/// How much of a life is left, in thousandths.
fn share(left: Duration, life: Duration) -> u16 {
    let share = left.as_millis() * 1000 / life.as_millis().max(1);
    u16::try_from(share.min(1000)).unwrap_or(1000)
}

/// A day without its time.
fn day(at: Timestamp, now: Timestamp) -> String {
    let text = moment(at, now);
    text.rsplitn(3, ' ').nth(2).map_or_else(|| text.clone(), str::to_owned)
}

/// An instant as a person says it: the time today, the day besides at other times.
fn moment(at: Timestamp, now: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (text, today) = (at.to_string(), now.to_string());
    let (Some(date), Some(time)) = (text.get(..10), text.get(11..16)) else { return text };
    if today.get(..10) == Some(date) {
        return format!("{time} UTC");
    }
    let day = date.get(8..).unwrap_or_default().trim_start_matches('0');
    let month = date.get(5..7).and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
    let name = MONTHS.get(month.wrapping_sub(1)).unwrap_or(&"");
    let year = date.get(..4).filter(|year| today.get(..4) != Some(*year));
    let year = year.map(|year| format!(" {year}")).unwrap_or_default();
    format!("{day} {name}{year} {time} UTC")
}
