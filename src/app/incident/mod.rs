//! Raises, repeats and closes incidents: flag file, journal, event; and says when to look again.

mod incident_state;
mod reauth_flag;

pub(crate) use incident_state::State;

use log::Level;

use serde::{Deserialize, Serialize};

use crate::app::context::Ground;
use crate::app::error::Error;
use crate::app::notify::event::Event;
use crate::app::refresh::forecast::Prospect;
use crate::app::report::log_dedup;
use crate::app::report::{Line, RECOVERED, Report};
use crate::app::source;
use crate::domain::config::settings::Settings;
use crate::domain::incident::{self, Kind, News, Open, Said, Severity, View};
use crate::domain::login::{LoginEnd, ToldEnd};
use crate::domain::time::Timestamp;
use crate::os::lock::advisory::Lock;

/// A link's incidents and its second clock.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct People {
    /// When the login ends.
    pub(crate) login: Option<LoginEnd>,
    /// What has been told and is not over.
    pub(crate) open: Vec<Open>,
    /// The next moment at which there may be something to say.
    pub(crate) next: Option<Timestamp>,
    /// When somebody signed in last, as far as that was seen.
    pub(crate) signed_in: Option<Timestamp>,
}

/// Goes on with a link's incidents after a sync found `report`; tells what is new.
pub(crate) fn attend(
    ground: &Ground,
    settings: &Settings,
    report: &Report,
    prospect: &Prospect,
    now: Timestamp,
) -> Result<People, Error> {
    if report.locked {
        // Whoever works on the link sees what there is to see.
        return look(ground, settings, report, prospect.told_end, now);
    }
    // Held for milliseconds, by `watch` or by a run of `refresh`.
    let _lock = Lock::wait(&ground.places.run_dir, &format!("incident-{}", settings.name))?;
    let folder = ground.folder("incidents")?;
    let source_path = settings.claude_credentials.to_string_lossy();
    let before = incident_state::load(&folder, &settings.name, &source_path)?;
    let mut state = before.clone();
    state.observe(&report.source, now);
    state.hear(prospect.told_end, now);
    let view = view(ground, settings, report, &state, prospect, now)?;
    let token = report.source.credential().map(|credential| ground.mark(credential).fingerprint);
    let standing = incident::standing(&view);
    let (open, news) = incident::step(&state.open, &standing, token, &view);
    state.open = open;
    // The state last: whoever is killed on the way says it twice rather than never.
    for item in &news {
        tell(ground, settings, report, &view, item);
    }
    reauth_flag::keep(settings, &report.sign_in, &before.open, &state.open, &news);
    if state != before {
        incident_state::save(&folder, &settings.name, &source_path, &state)?;
    }
    let moments = [
        incident::next_moment(&state.open),
        view.login.and_then(|login| login.next_moment(now)),
        view.away_until(),
    ];
    let next = moments.into_iter().flatten().min();
    Ok(People { login: view.login, open: state.open, next, signed_in: state.signed_in })
}

/// Takes note of a sign-in that is known to have been then.
pub(crate) fn signed_in(
    ground: &Ground,
    settings: &Settings,
    moment: Timestamp,
) -> Result<(), Error> {
    let _lock = Lock::wait(&ground.places.run_dir, &format!("incident-{}", settings.name))?;
    let folder = ground.folder("incidents")?;
    let source_path = settings.claude_credentials.to_string_lossy();
    let mut state = incident_state::load(&folder, &settings.name, &source_path)?;
    state.sign_in(moment);
    Ok(incident_state::save(&folder, &settings.name, &source_path, &state)?)
}

/// Shows a link's incidents as they were told last, and changes nothing.
pub(crate) fn look(
    ground: &Ground,
    settings: &Settings,
    report: &Report,
    told_end: Option<ToldEnd>,
    now: Timestamp,
) -> Result<People, Error> {
    let source_path = settings.claude_credentials.to_string_lossy();
    let mut state = match ground.existing("incidents") {
        Some(folder) => incident_state::load(&folder, &settings.name, &source_path)?,
        None => State::default(),
    };
    state.observe(&report.source, now);
    state.hear(told_end, now);
    let login = login_end(settings, report, &state, now);
    Ok(People { login, open: state.open, next: None, signed_in: state.signed_in })
}

/// When the login ends; nothing is said of one that another host renews, which hands on an access
/// token every few hours.
fn login_end(
    settings: &Settings,
    report: &Report,
    state: &State,
    now: Timestamp,
) -> Option<LoginEnd> {
    LoginEnd::of(&report.source, state.known(), now).filter(|_| settings.renewed_by.is_none())
}

fn view<'a>(
    ground: &Ground,
    settings: &Settings,
    report: &'a Report,
    state: &State,
    prospect: &Prospect,
    now: Timestamp,
) -> Result<View<'a>, Error> {
    let harmful = report.remarks.iter().find(|remark| remark.state == "harmful");
    Ok(View {
        path: settings.claude_credentials.display().to_string(),
        place: source::signed_in(settings),
        renewed_by: settings.renewed_by.clone(),
        source: &report.source,
        login: login_end(settings, report, state, now),
        passed: ground.remember(settings)?.accepted,
        away: state.away,
        unclear: state.unclear,
        renewals: prospect.renewals.clone(),
        margin: prospect.margin,
        harmful: harmful.map(|remark| remark.text.clone()),
        now,
    })
}

/// Says one piece of news in the journal and leaves it for hooks and webhook.
fn tell(ground: &Ground, settings: &Settings, report: &Report, view: &View<'_>, news: &News) {
    let over = news.said == Said::Over;
    let level = match news.severity() {
        Severity::Info => Level::Info,
        Severity::Warning => Level::Warn,
        Severity::Error => Level::Error,
    };
    let hint = match news.kind {
        _ if over => None,
        Kind::Unreadable => report.source.hint(),
        kind => kind.sign_in_helps().then(|| report.sign_in.clone()),
    };
    let state = if over { RECOVERED } else { news.kind.name() };
    let mut line = Line::remark(level, state, news.message.clone());
    line.expiry = view.passed.map(|mark| mark.expiry);
    line.hint.clone_from(&hint);
    log_dedup::seldom(&line, &settings.name, (news.kind.name(), over));
    let message = match &hint {
        Some(command) => format!("{}; run: {command}", news.message),
        None => news.message.clone(),
    };
    let event = Event {
        name: if over { RECOVERED } else { news.kind.event() }.to_owned(),
        link: settings.name.clone(),
        message,
        severity: news.severity().name().to_owned(),
        expires_at: line.expiry.map(|expiry| expiry.to_string()),
        for_people: true,
        about: news.kind.name().to_owned(),
        merged: 0,
    };
    if let Err(error) = event.leave(&ground.places.run_dir) {
        log::error!("{}: {error}: could not queue the notification", settings.name);
    }
}
