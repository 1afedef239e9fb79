//! `model`: each value is set in the file that holds it, be that linked or included, and no other byte
//! of any file changes.

use std::fs;
use std::os::unix::fs::symlink;

use crate::bed::{Bed, STATE};

const FILE: &str = "home/.openclaw/openclaw.json";
const ALIAS: &str = "anthropic/x=X";

fn bed(text: &str) -> Bed {
    let bed = Bed::new();
    bed.openclaw("2026.4.15").login("new").write(FILE, text);
    bed
}

/// Sets one model with its name, as the command says.
fn set(bed: &Bed) -> crate::bed::Ran<'_> {
    bed.run(["model", "--apply", "--primary", "anthropic/x", "--alias", ALIAS])
}

#[test]
fn a_link_stays_and_its_target_is_written() {
    let bed = bed("");
    fs::remove_file(bed.at(FILE)).unwrap();
    bed.write("home/dots/claw.json", "{\n  // mine\n  agents: {},\n}\n");
    symlink("../dots/claw.json", bed.at(FILE)).unwrap();
    bed.run(["model"]).exit(0).says("would change this in 'BED/home/.openclaw/openclaw.json'");
    set(&bed).exit(0).says("'BED/home/.openclaw/openclaw.json' was changed");
    assert!(bed.at(FILE).is_symlink());
    let text = bed.read("home/dots/claw.json");
    assert!(text.contains("// mine") && text.contains(r#""anthropic/x""#), "{text}");
    let shown = bed.run(["model"]).exit(0);
    assert!(shown.out.contains("primary  anthropic/x"), "{}", shown.out);
    set(&bed).exit(0).err(&[]);
}

#[test]
fn what_an_included_file_alone_holds_is_set_there() {
    let part = |name: &str| format!("{STATE}/{name}");
    for root in [
        "{agents: {$include: 'a.json'}, models: {providers: {$include: 'p.json'}}, /* c */ x: 1}",
        "{$include: 'all.json'}",
        "{agents: {$include: 'link.json'}, models: {$include: 'm.json'}}",
    ] {
        let bed = bed(root);
        bed.write(&part("a.json"), "{defaults: {model: 'anthropic/y'}} // a\n");
        bed.write(&part("p.json"), "{anthropic: {models: []}, o: {}} // p\n");
        bed.write(&part("m.json"), "{providers: {$include: './p.json'}}");
        bed.write(
            &part("all.json"),
            "{agents: {$include: 'a.json'}, models: {$include: 'm.json'}}",
        );
        symlink("a.json", bed.at(&part("link.json"))).unwrap();
        let before: Vec<_> = [FILE, "home/.openclaw/all.json", "home/.openclaw/m.json"]
            .map(|path| bed.print(path))
            .into();
        set(&bed).exit(0);
        let text = bed.read(&part("a.json"));
        let named = r#""anthropic/x":{"alias":"X"}"#;
        let plain = text.replace(char::is_whitespace, "");
        assert!(plain.contains("model:\"anthropic/x\"") && plain.contains(named), "{root}: {text}");
        assert!(text.ends_with("// a\n"), "{root}: {text}");
        bed.run(["model", "--apply", "--drop-provider"]).exit(0);
        assert_eq!(bed.read(&part("p.json")), "{o: {}} // p\n", "{root}");
        let after: Vec<_> = [FILE, "home/.openclaw/all.json", "home/.openclaw/m.json"]
            .map(|path| bed.print(path))
            .into();
        assert_eq!(before, after, "{root}: another file was written");
        assert!(bed.at(&part("link.json")).is_symlink());
    }
}

#[test]
fn what_several_files_make_up_is_named_and_left_alone() {
    let bed = bed("{agents: {$include: ['a.json', 'b.json']}}");
    for name in ["a.json", "b.json"] {
        bed.write(&format!("{STATE}/{name}"), "{defaults: {}}");
    }
    let why = "comes from 'BED/home/.openclaw/a.json', 'BED/home/.openclaw/b.json': it has to be set there by hand";
    bed.run(["model"]).exit(0).says(why);
    set(&bed).exit(1).says(why);
    assert_eq!(bed.read(&format!("{STATE}/a.json")), "{defaults: {}}");
    // Keys beside the include are merged over it.
    bed.write(FILE, "{agents: {$include: 'a.json', list: []}}");
    set(&bed).exit(1).says("it has to be set there by hand");
}

#[test]
fn what_is_not_understood_is_shown_as_such_and_not_written() {
    for (text, why) in [
        (&b"{agents: {$include: 'gone.json'}}"[..], "gone.json': it is not there"),
        (b"{,}", "it is no JSON5 at line 1, column 2"),
    ] {
        let bed = bed("");
        bed.write(FILE, text);
        bed.run(["model"]).exit(1).says(why);
        set(&bed).exit(1).says(why);
        assert_eq!(fs::read(bed.at(FILE)).unwrap(), text);
    }
    // It is understood, and could not be written without a loss.
    let bed = bed("");
    bed.write(FILE, b"{agents: {}} // caf\xe9\n");
    assert!(bed.run(["model"]).exit(0).out.contains("primary  not set"));
    set(&bed).exit(1).says("it is not UTF-8 text");
    assert_eq!(fs::read(bed.at(FILE)).unwrap(), b"{agents: {}} // caf\xe9\n");
}
