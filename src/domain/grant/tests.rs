use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn grant(expiry: i64, refresh: Option<&str>) -> Grant {
    Grant {
        access_token: Secret::new("access-B"),
        refresh_token: refresh.map(Secret::new),
        expiry: Timestamp(NOW.0 + expiry * 1000),
        login_end: None,
        scopes: None,
    }
}

fn of(status: u16, body: &str) -> Answer {
    read(status, body.as_bytes(), NOW, None)
}

#[test]
fn the_request_is_the_grant_and_nothing_more() {
    let body = request("client", &Secret::new("refresh-A"));
    let wanted =
        r#"{"grant_type":"refresh_token","refresh_token":"refresh-A","client_id":"client"}"#;
    assert_eq!(body, wanted);
}

#[test]
fn a_pair_is_counted_from_before_it_was_asked_for() {
    let both = r#"{"access_token":"access-B","refresh_token":"refresh-B","expires_in":28800}"#;
    assert_eq!(of(200, both), Answer::Granted(grant(28_800, Some("refresh-B"))));
    // A pair has taken the old one's place, whatever the status says.
    assert_eq!(of(500, both), Answer::Granted(grant(28_800, Some("refresh-B"))));
    let text = r#"{"access_token":"access-B","expires_in":"60","refresh_token":null}   "#;
    assert_eq!(of(200, text), Answer::Granted(grant(60, None)));
    let more = r#"{"access_token":"access-B","expires_in":6e1,"scope":"a b","refresh_token_expires_in":120}"#;
    let login_end = Some(Timestamp(NOW.0 + 120_000));
    let scopes = Some(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(of(200, more), Answer::Granted(Grant { login_end, scopes, ..grant(60, None) }));
}

#[test]
fn nonsense_is_no_pair_but_its_refresh_token_is_kept() {
    for (body, fault) in [
        (r#"{"refresh_token":"refresh-B","expires_in":9}"#, "access_token"),
        (r#"{"access_token":"","refresh_token":"refresh-B","expires_in":9}"#, "access_token"),
        (r#"{"access_token":"a\nb","refresh_token":"refresh-B","expires_in":9}"#, "access_token"),
        (r#"{"access_token":7,"refresh_token":"refresh-B","expires_in":9}"#, "access_token"),
        (r#"{"access_token":"access-B","refresh_token":"refresh-B"}"#, "expires_in"),
        (r#"{"access_token":"access-B","refresh_token":"refresh-B","expires_in":0}"#, "expires_in"),
        (
            r#"{"access_token":"access-B","refresh_token":"refresh-B","expires_in":-1}"#,
            "expires_in",
        ),
        (
            r#"{"access_token":"access-B","refresh_token":"refresh-B","expires_in":1e18}"#,
            "expires_in",
        ),
        (
            r#"{"access_token":"access-B","refresh_token":"refresh-B","expires_in":"x"}"#,
            "expires_in",
        ),
        (r#"{"access_token":"access-B","refresh_token":"refresh-B","expi"#, "expires_in"),
    ] {
        let Answer::Kept(token, why) = of(200, body) else { panic!("{body}: {:?}", of(200, body)) };
        assert_eq!(token, Secret::new("refresh-B"), "{body}");
        assert!(why.contains(fault), "{body}: {why}");
    }
    for body in [
        r#"{"access_token":"access-B"}"#,
        r#"{"access_token":"access-B","expires_in":9,"refresh_token":["x"]}"#,
        r#"{"access_token":"access-B","expires_in":9,"refr"#,
        "{}",
        "[]",
        "",
        "\u{0}",
    ] {
        assert!(matches!(of(200, body), Answer::Nothing(Outcome::Deferred { .. })), "{body}");
    }
}

#[test]
fn a_cut_answer_is_used_as_far_as_it_goes() {
    let cut =
        r#"{"access_token":"access-B","refresh_token":"refresh-B","expires_in":60,"scope":"a"#;
    assert_eq!(of(200, cut), Answer::Granted(grant(60, Some("refresh-B"))));
}

#[test]
fn what_is_no_text_costs_no_pair() {
    let pair = br#"{"access_token":"access-B","refresh_token":"refresh-B","expires_in":60"#;
    for rest in [
        &b",\"account\":{\"name\":\"M\xc3"[..],
        b",\"account\":{\"name\":\"\xf0\x9f\x98",
        b",\"account\":{\"name\":\"M\xfcller\"}}",
        b",\"account\":{\"name\":\"M\xfcller\"}",
    ] {
        let body = [pair, rest].concat();
        let answer = read(200, &body, NOW, None);
        assert_eq!(answer, Answer::Granted(grant(60, Some("refresh-B"))), "{rest:?}");
    }
    // It is part of no token.
    let body = b"{\"access_token\":\"a\xff\",\"refresh_token\":\"refresh-B\",\"expires_in\":60}";
    assert!(matches!(read(200, body, NOW, None), Answer::Kept(..)));
    let refused = b"{\"error\":\"invalid_grant\",\"error_description\":\"\xff\"}";
    assert!(matches!(read(400, refused, NOW, None), Answer::Nothing(Outcome::Rejected { .. })));
}

#[test]
fn only_invalid_grant_says_anything_about_the_login() {
    let grant = r#"{"error":"invalid_grant","error_description":"refresh-A"}"#;
    let nested = r#"{"type":"error","error":{"type":"invalid_grant","message":"refresh-A"}}"#;
    for (status, body) in [(400, grant), (401, grant), (400, nested)] {
        let Answer::Nothing(Outcome::Rejected { cause }) = of(status, body) else {
            panic!("{status} {body}")
        };
        assert!(!cause.contains("refresh-A"), "{cause}");
    }
    for (status, body, words) in [
        (400, r#"{"error":"invalid_request"}"#, "HTTP 400 invalid_request"),
        (400, r#"{"error":"invalid_client"}"#, "HTTP 400 invalid_client"),
        (400, r#"{"error":"invalid_scope"}"#, "HTTP 400 invalid_scope"),
        (400, r#"{"error":"refresh-A"}"#, "HTTP 400"),
        (400, "", "HTTP 400"),
        (401, r#"{"error":{"type":"authentication_error"}}"#, "HTTP 401 authentication_error"),
        (403, "<html>Just a moment...</html>", "HTTP 403"),
        (403, grant, "HTTP 403 invalid_grant"),
        (404, "", "HTTP 404"),
        (408, "", "HTTP 408"),
        (429, r#"{"error":{"type":"rate_limit_error"}}"#, "HTTP 429 rate_limit_error"),
        (500, grant, "HTTP 500 invalid_grant"),
        (503, "<html>", "HTTP 503"),
        (302, "", "redirects"),
        (200, "<html>portal</html>", "not JSON"),
        (200, "{\"access_tok", "not JSON"),
        (200, "{\"ok\":true}", "no tokens"),
    ] {
        let Answer::Nothing(Outcome::Deferred { cause, .. }) = of(status, body) else {
            panic!("{status} {body}")
        };
        assert!(cause.contains(words) && !cause.contains("refresh-A"), "{status} {body}: {cause}");
    }
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let now = Timestamp::parse("2026-11-22T15:00:00Z").unwrap();
    for (text, seconds) in [
        ("120", Some(120)),
        ("0", Some(0)),
        ("Sun, 22 Nov 2026 15:01:30 GMT", Some(90)),
        ("Sun, 22 Nov 2026 14:01:30 GMT", Some(0)),
        ("soon", None),
        ("-1", None),
        ("Sun, 22 Foo 2026 15:01:30 GMT", None),
    ] {
        assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
    }
}

#[test]
fn tokens_are_found_in_whatever_form_they_come() {
    let plain = r#"{"access_token":"a","refresh_token":"r","expires_in":5}"#;
    let wide = |little: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(plain.encode_utf16());
        units
            .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect()
    };
    for body in [
        plain.as_bytes().to_vec(),
        format!("\u{feff}{plain}").into_bytes(),
        format!(" [ {plain} ] ").into_bytes(),
        wide(true),
        wide(false),
    ] {
        let answer = tokens(&body, Timestamp(0));
        assert!(matches!(answer, Some(Answer::Granted(_))), "{body:?}");
    }
    let bare: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [
        &bare[..],
        br#"[{"access_token":"a"},{}]"#,
        br#"{"data":{"refresh_token":"r"}}"#,
        b"access_token=a&refresh_token=r",
        br#"{"token":"sk-ant-ort01-x"}"#,
        br#"{"access_token":"a"#,
    ] {
        assert_eq!(tokens(body, Timestamp(0)), None, "{body:?}");
        assert!(mentions_token(body), "{body:?}");
    }
    for body in [
        &b""[..],
        b"\xff",
        b"\xff\xfe",
        b"<html>",
        br#"{"access_token":7,"refresh_token":""}"#,
        br#"{"error":"invalid_grant","error_description":"the refresh_token is spent"}"#,
    ] {
        assert!(!mentions_token(body), "{body:?}");
    }
}
