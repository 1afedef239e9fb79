//! Shows the state of every link and changes nothing.

pub(crate) mod admission;
pub(crate) mod health_file;
pub(crate) mod health_input;
pub(crate) mod last_run;
pub(crate) mod liveness;
pub(crate) mod once_root;
pub(crate) mod textfile;

use serde::{Deserialize, Serialize};

use crate::app::child::separate;
use crate::app::context::{self, Ground, Places};
use crate::app::error::Error;
use crate::app::examination;
use crate::app::incident::{self, People};
use crate::app::refresh::forecast::{self, Prospect};
use crate::app::report::{Files, Report};
use crate::app::status::last_run::{Part, Run};
use crate::app::sync;
use crate::app::sync::unwritten;
use crate::domain::config::settings::Settings;
use crate::domain::health::Health;
use crate::domain::time::Timestamp;
use crate::domain::units::Trouble;
use crate::os::clock;
use crate::os::fs::dir::{self, Refused};

/// The state of the links at a moment.
#[derive(Debug)]
pub(crate) struct Status {
    /// The moment.
    pub(crate) now: Timestamp,
    /// Each of them.
    pub(crate) links: Vec<LinkStatus>,
    /// What is wrong with the service itself.
    pub(crate) service: Vec<Trouble>,
    /// The last run of each part.
    pub(crate) runs: Vec<(Part, Run)>,
}

/// The state of a link.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LinkStatus {
    /// What a sync would find now.
    pub(crate) report: Report,
    /// What lies ahead of it.
    pub(crate) ahead: Ahead,
    /// How it fares.
    pub(crate) health: Health,
}

/// What lies ahead of a link.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ahead {
    /// The login's end and the incidents.
    pub(crate) people: People,
    /// The next renewal and the last ones.
    pub(crate) prospect: Prospect,
}

/// Looks at all links, or at the one named; any fault of the configuration is an error.
pub(crate) fn all(places: &Places, only: Option<&str>) -> Result<Status, Error> {
    let links = look(places, &context::links(&places.config_dir, only)?)?;
    let runs = Part::ALL.into_iter().filter_map(|part| Some((part, last_run::last(places, part)?)));
    Ok(Status { service: liveness::troubles(places, only), runs: runs.collect(), ..links })
}

/// Looks at these links, and not at the service; what this process does not enter, since it may not answer,
/// a process of the link's own does.
pub(crate) fn look(places: &Places, settings: &[Settings]) -> Result<Status, Error> {
    let now = clock::now();
    let ground = Ground::look(places)?;
    let (mut links, mut doubtful) = (Vec::new(), Vec::new());
    for settings in settings {
        let _ = dir::refused();
        links.push(judged(&ground, settings, now));
        doubtful.extend(dir::refused().map(|refused| (settings.clone(), refused)));
    }
    let mut answers = separate::ask(places, &doubtful, &["inspect".into()], separate::EXAMINATION)?;
    for (settings, refused) in doubtful {
        let link = links.iter_mut().find(|link| link.report.link == settings.name);
        if let (Some(link), Some(answer)) = (link, answers.remove(&settings.name)) {
            *link = match answer {
                Ok(answer) => answered(answer, refused),
                Err(error) => silent(&ground, &settings, (&error.into(), refused), now),
            };
        }
    }
    Ok(Status { now, links, service: Vec::new(), runs: Vec::new() })
}

fn answered(mut link: LinkStatus, refused: Refused) -> LinkStatus {
    link.report.files = Files::Answered(refused);
    link
}

/// What can be said of a link whose files do not answer.
fn silent(
    ground: &Ground,
    settings: &Settings,
    (error, refused): (&Error, Refused),
    now: Timestamp,
) -> LinkStatus {
    let mut report = Report::failed(settings, error, now);
    report.files = Files::Silent(refused);
    let ahead = of(ground, settings, &mut report, now);
    let health = health_input::of(settings, &report, &ahead.people, &ahead.prospect, now);
    LinkStatus { report, ahead, health }
}

/// Looks at one link for another process, and waits for its files; nothing where one hangs in that already.
pub(crate) fn inspect(places: &Places, link: &str) -> Result<Option<LinkStatus>, Error> {
    let (links, _) = context::sound_links(&places.config_dir, Some(link))?;
    let ground = Ground::look(places)?;
    let now = clock::now();
    let look =
        |settings| examination::unless_one_hangs(places, link, || judged(&ground, settings, now));
    Ok(links.first().and_then(look))
}

fn judged(ground: &Ground, settings: &Settings, now: Timestamp) -> LinkStatus {
    let (report, ahead) = one(ground, settings, now);
    let health = health_input::of(settings, &report, &ahead.people, &ahead.prospect, now);
    LinkStatus { report, ahead, health }
}

/// Looks at a link whose files answer.
pub(crate) fn one(ground: &Ground, settings: &Settings, now: Timestamp) -> (Report, Ahead) {
    let mut report = sync::dry(ground, settings);
    report.as_it_stands();
    unwritten::recall(&ground.places, &mut report);
    let ahead = of(ground, settings, &mut report, now);
    (report, ahead)
}

/// What lies ahead of a link, as far as it is known.
fn of(ground: &Ground, settings: &Settings, report: &mut Report, now: Timestamp) -> Ahead {
    let prospect = forecast::of(ground, settings, report, now);
    let people = incident::look(ground, settings, report, prospect.told_end, now);
    let people = people.unwrap_or_else(|error| {
        report.trouble(&error);
        People::default()
    });
    Ahead { people, prospect }
}
