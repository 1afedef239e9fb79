//! `watch` follows `openclaw.json` wherever it is written: behind links, and in the files it includes.

use std::fs;
use std::os::unix::fs::symlink;

use crate::bed::{Bed, MAIN, STATE, profiles};

const OTHER: &str = "anthropic:work";

/// A store with an API key beside the profile that may carry our token, and a configuration behind two
/// links that includes two files, one behind a link.
fn bed() -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.4.15").login("new");
    let key = format!(
        r#""profiles": {{"{OTHER}": {{"type":"api_key","provider":"anthropic","key":"sk"}},"#
    );
    bed.write(MAIN, profiles("old", 5).replacen("\"profiles\": {", &key, 1));
    bed.write("home/dots/config", "{auth: {$include: 'part.json'}}");
    fs::create_dir(bed.at("home/more")).unwrap();
    symlink("../dots/config", bed.at("home/more/link")).unwrap();
    symlink("../more/link", bed.at(&format!("{STATE}/openclaw.json"))).unwrap();
    bed.write(&format!("{STATE}/part.json"), "{cooldowns: {}}");
    bed
}

#[test]
fn a_change_behind_links_and_in_included_files_is_followed() {
    let order = |id: &str| format!("{{order: {{anthropic: ['{id}']}}}}");
    for by in ["target", "include", "another link", "link in the middle", "new include"] {
        let bed = bed();
        let watch = bed.watch();
        watch.holds(MAIN, "new");
        match by {
            "target" => bed.replace("home/dots/config", format!("{{auth: {}}}", order(OTHER))),
            "include" => bed.write(&format!("{STATE}/part.json"), order(OTHER)),
            "another link" => {
                bed.write("home/dots/second", format!("{{auth: {}}}", order(OTHER)));
                symlink("../dots/second", bed.at("home/new")).unwrap();
                fs::rename(bed.at("home/new"), bed.at(&format!("{STATE}/openclaw.json"))).unwrap();
                &bed
            }
            "link in the middle" => {
                bed.write("home/dots/second", format!("{{auth: {}}}", order(OTHER)));
                symlink("../dots/second", bed.at("home/new")).unwrap();
                fs::rename(bed.at("home/new"), bed.at("home/more/link")).unwrap();
                &bed
            }
            _ => {
                bed.write("home/dots/config", "{auth: {$include: './deep/order.json'}}");
                watch.says("deep/order.json': it is not there");
                bed.write(&format!("{STATE}/deep/order.json"), order(OTHER))
            }
        };
        // A person's order stays, and that it hides our token is said.
        watch.says(&format!("OpenClaw uses the profile {OTHER} before it"));
        let (code, said) = watch.end();
        assert_eq!(code, Some(0), "{by}: {said}");
    }
}
