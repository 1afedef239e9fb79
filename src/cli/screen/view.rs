//! What is drawn of a link, out of what was found.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::app::report::{SinkReport, SinkState};
use crate::app::source;
use crate::cli::overview::{Survey, Surveyed};
use crate::cli::screen::{DAYS, Day, Link, Row, Sign};
use crate::domain::config::settings::Gateway;
use crate::domain::health::Level;
use crate::domain::hints::ours;
use crate::domain::order;
use crate::domain::pause::Activity;
use crate::domain::time::{Timestamp, in_words};
use crate::domain::units::Trouble;
use crate::domain::visible::visible;
use crate::os::clock;

/// How long an access token lives, and a login: what a full bar stands for.
const TOKEN_LIFE: Duration = Duration::from_secs(8 * 3600);
const LOGIN_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The present, and the zone of this host's clocks.
struct Present {
    now: Timestamp,
    zone: TimeZone,
}

/// More links than these get one line each.
const MANY: usize = 8;

/// The word in front of the access token's end.
const TOKEN: &str = "access token";

/// How many renewals are shown.
const RENEWALS: usize = 3;

/// Puts together what is drawn of every link.
pub(crate) fn of(survey: &Survey) -> Vec<Link> {
    let present = Present { now: survey.now, zone: clock::zone() };
    let mut links: Vec<Link> = survey.links.iter().map(|link| one(link, &present)).collect();
    if links.len() > MANY {
        shorten(&mut links);
    }
    links.into_iter().chain(service(&survey.service)).collect()
}

/// Leaves one line of each link, the gravest first.
pub(super) fn shorten(links: &mut [Link]) {
    order::sort_by_key(links, |link| Reverse(link.level.gravity()));
    for link in links {
        if let Some(token) = link.rows.iter().find(|row| row.label == TOKEN) {
            link.verdict = format!("{}; {}", link.verdict, token.text);
        }
        link.rows.clear();
    }
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

fn one(link: &Surveyed, present: &Present) -> Link {
    let now = present.now;
    let found: Vec<&str> = link.health.findings.iter().map(|(_, text)| text.as_str()).collect();
    let verdict = if found.is_empty() { "fine".to_owned() } else { found.join("; ") };
    let path = Some(visible(&link.report.source_path.display().to_string()).into_owned());
    let mut rows = vec![Row { path, ..row("source", Sign::None, link.report.source.name()) }];
    rows.extend(first_clock(link, present));
    rows.extend(second_clock(link, present));
    rows.push(next(link, present));
    let pause = link.settings.pause_at(now);
    rows.extend(
        pause.map(|_| row("resume", Sign::None, ours::resume(&link.report.link).to_string())),
    );
    rows.extend(sinks(link));
    if !link.report.sinks.is_empty() {
        rows.push(gateway_row(link, now));
    }
    rows.extend(renewals(link, present));
    rows.extend(days(link, present));
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

fn first_clock(link: &Surveyed, present: &Present) -> Option<Row> {
    let now = present.now;
    let expiry = link.ahead.prospect.expiry?;
    let left = expiry.left(now);
    let level = match () {
        () if expiry <= now => Level::Wrong,
        () if left < link.settings.refresh_margin / 2 => Level::Soon,
        () => Level::Fine,
    };
    let sign = Sign::Bar(share(left, TOKEN_LIFE), level);
    Some(row(TOKEN, sign, span(expiry, present)))
}

fn second_clock(link: &Surveyed, present: &Present) -> Option<Row> {
    let now = present.now;
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
        (false, _) => span(end.at, present),
        (true, false) => {
            format!("about {} left, ends about {}", in_words(left), day(end.at, present))
        }
        (true, true) => "may end at any moment".to_owned(),
    };
    Some(row("login", Sign::Bar(share(left, LOGIN_LIFE), level), text))
}

fn span(end: Timestamp, present: &Present) -> String {
    let now = present.now;
    if end > now {
        format!("{} left, ends {}", in_words(end.left(now)), moment(end, present))
    } else {
        format!("ended {}, {} ago", moment(end, present), in_words(now.left(end)))
    }
}

fn next(link: &Surveyed, present: &Present) -> Row {
    let now = present.now;
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
            format!("renewal in {}, {}, by {by}", in_words(at.left(now)), moment(at, present))
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

fn renewals(link: &Surveyed, present: &Present) -> Vec<Row> {
    let now = present.now;
    let last = link.ahead.prospect.history.iter().rev().take(RENEWALS).enumerate();
    let rows = last.map(|(at, entry)| {
        let label = if at == 0 { "renewals" } else { "" };
        let (when, ago) = (moment(entry.time, present), in_words(now.left(entry.time)));
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

/// The last days of renewals, drawn and in words.
fn days(link: &Surveyed, present: &Present) -> Vec<Row> {
    let today = present.date(present.now);
    let mut days = vec![Day::default(); DAYS];
    for entry in &link.ahead.prospect.history {
        let ago = today.since(present.date(entry.time)).map_or(-1, |span| span.get_days());
        let at = usize::try_from(ago).ok().and_then(|ago| (DAYS - 1).checked_sub(ago));
        let Some(day) = at.map(|at| &mut days[at]) else { continue };
        match entry.cause {
            None => day.renewed += 1,
            Some(_) => day.has_failed = true,
        }
    }
    let renewed: u32 = days.iter().map(|day| day.renewed).sum();
    let failed = days.iter().filter(|day| day.has_failed).count();
    if renewed == 0 && failed == 0 {
        return Vec::new();
    }
    let text = match failed {
        0 => format!("{renewed} renewals, none failed"),
        1 => format!("{renewed} renewals, failures on 1 day"),
        failed => format!("{renewed} renewals, failures on {failed} days"),
    };
    vec![row("30 days", Sign::Days(days), ""), row("", Sign::None, text)]
}

impl Present {
    /// The day that this host's clocks show.
    fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at.instant()).date()
    }
}

/// A day without its time.
fn day(at: Timestamp, present: &Present) -> String {
    let (date, today) = (present.date(at), present.date(present.now));
    match () {
        () if date == today => moment(at, present),
        () if date.year() == today.year() => date.strftime("%-d %b").to_string(),
        () => date.strftime("%-d %b %Y").to_string(),
    }
}

/// An instant as a person says it, in the time of this host: the time today, the day besides at other times.
fn moment(at: Timestamp, present: &Present) -> String {
    let instant = at.instant();
    let clock = present.zone.to_datetime(instant);
    let zone = present.zone.to_offset_info(instant);
    let time = format!("{} {}", clock.strftime("%H:%M"), zone.abbreviation());
    if present.date(at) == present.date(present.now) {
        return time;
    }
    format!("{} {time}", day(at, present))
}
