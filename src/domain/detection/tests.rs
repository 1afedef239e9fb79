use super::*;

/// Where root alone controls it, it lies in root's home.
fn control(owners: &[u32]) -> Control {
    Control { home: Some(PathBuf::from("/root")), ..Control::of(owners) }
}

fn login(owners: &[u32]) -> Login {
    let control = control(owners);
    let (path, cli) = (PathBuf::from("/l"), Cli::Host(PathBuf::from("/usr/bin/claude")));
    Login { path, control, state: "valid", cli, warnings: Vec::new() }
}

fn claw(owners: &[u32]) -> Claw {
    Claw {
        state_dir: PathBuf::from("/c"),
        control: control(owners),
        version: String::new(),
        compose: None,
        container: None,
        config_path: None,
        agent_dir: None,
        unit: None,
        configured: true,
        warnings: Vec::new(),
    }
}

fn verdict(logins: Vec<Login>, claws: Vec<Claw>) -> Result<(usize, usize), String> {
    let findings = Findings { logins, claws, ..Findings::default() };
    let is_account = |uid| uid == 0 || (1000..2000).contains(&uid);
    let proofs = Proofs { is_account: &is_account, has_both: &|_, _| false };
    let (candidates, _) = rank(&findings, &proofs);
    unasked(candidates.iter()).map(|best| (best.login, best.claw))
}

#[test]
fn one_users_own_pair_is_linked() {
    assert_eq!(verdict(vec![login(&[0, 0, 1001])], vec![claw(&[0, 0, 1001])]), Ok((0, 0)));
    assert_eq!(verdict(vec![login(&[0, 0])], vec![claw(&[0, 0])]), Ok((0, 0)));
}

#[test]
fn nobody_gets_anothers_token() {
    assert!(verdict(vec![login(&[0, 0, 1001])], vec![claw(&[0, 0, 1002])]).is_err());
    assert!(verdict(vec![login(&[0, 0])], vec![claw(&[0, 0, 1002])]).is_err());
    assert!(verdict(vec![login(&[0, 0, 1002])], vec![claw(&[0, 0])]).is_err());
    assert!(verdict(vec![login(&[0, 1001])], vec![claw(&[0, 1001, 1002])]).is_err());
}

#[test]
fn what_engines_make_as_root_is_not_roots_own() {
    for home in [None, Some(PathBuf::from("/srv/openclaw"))] {
        let mut other = claw(&[0, 0]);
        other.control.home.clone_from(&home);
        assert!(verdict(vec![login(&[0, 0])], vec![other.clone()]).is_err(), "{home:?}");
        let mut login = login(&[0, 0]);
        login.control.home.clone_from(&home);
        assert_eq!(verdict(vec![login], vec![other]).is_ok(), home.is_some(), "{home:?}");
    }
}

#[test]
fn who_has_no_account_proves_nothing() {
    assert!(verdict(vec![login(&[0, 0])], vec![claw(&[0, 0, 65_000])]).is_err());
    assert!(verdict(vec![login(&[0, 100_001])], vec![claw(&[0, 100_001])]).is_err());
}

#[test]
fn neither_does_a_shared_directory_nor_anothers_word() {
    let pair = |change: &dyn Fn(&mut Control)| {
        let mut claw = claw(&[0, 0, 1001]);
        change(&mut claw.control);
        verdict(vec![login(&[0, 0, 1001])], vec![claw])
    };
    assert!(pair(&|control| control.is_shared = true).is_err());
    assert!(pair(&|control| control.named_by = vec![1002]).is_err());
    assert!(pair(&|control| control.named_by = vec![1002, 1001]).is_ok());
    assert!(pair(&|control| control.named_by = vec![0]).is_ok());
}

#[test]
fn a_container_that_has_both_proves_the_pair() {
    let findings = Findings {
        logins: vec![login(&[0, 0])],
        claws: vec![claw(&[0, 0, 65_000])],
        ..Findings::default()
    };
    let proofs = Proofs { is_account: &|uid| uid == 0, has_both: &|_, _| true };
    assert!(unasked(rank(&findings, &proofs).0.iter()).is_ok());
}

#[test]
fn each_users_own_pair_is_unmistakable() {
    let pairs = |logins: Vec<Login>, claws: Vec<Claw>| {
        let findings = Findings { logins, claws, ..Findings::default() };
        let proofs = Proofs { is_account: &|_| true, has_both: &|_, _| false };
        let (candidates, _) = rank(&findings, &proofs);
        let pairs = unmistakable(&candidates, &findings);
        let login = |best: Result<&Candidate, String>| best.map(|best| best.login).ok();
        pairs.into_iter().map(|(claw, best)| (claw, login(best))).collect::<Vec<_>>()
    };
    let (one, two) = (&[0, 1001][..], &[0, 1002][..]);
    let both = pairs(vec![login(one), login(two)], vec![claw(two), claw(one)]);
    assert_eq!(both, [(0, Some(1)), (1, Some(0))]);
    // Two logins, two OpenClaws of one user, and one that is nobody's.
    let both = pairs(vec![login(one), login(one), login(two)], vec![claw(one), claw(two)]);
    assert_eq!(both, [(0, None), (1, Some(2))]);
    let both = pairs(vec![login(one)], vec![claw(one), claw(one), claw(two)]);
    assert_eq!(both, [(0, None), (1, None), (2, None)]);
    let mut out = login(two);
    out.state = "cleared by Claude CLI";
    let both = pairs(vec![login(one), out], vec![claw(one), claw(two)]);
    assert_eq!(both, [(0, Some(0)), (1, None)]);
    assert_eq!(pairs(Vec::new(), vec![claw(one)]), [(0, None)]);
}

#[test]
fn two_equal_pairs_are_a_persons_choice() {
    let pairs = verdict(
        vec![login(&[0, 0, 1001]), login(&[0, 0, 1002])],
        vec![claw(&[0, 0, 1001]), claw(&[0, 0, 1002])],
    );
    assert!(pairs.is_err());
    let mut dead = login(&[0, 0, 1002]);
    dead.state = "cleared by Claude CLI";
    let pairs =
        verdict(vec![login(&[0, 0, 1001]), dead], vec![claw(&[0, 0, 1001]), claw(&[0, 0, 1002])]);
    assert_eq!(pairs, Ok((0, 0)));
}
