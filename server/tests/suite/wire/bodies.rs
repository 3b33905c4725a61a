use super::{Attack, Target, attack_all};
use crate::support::{Endpoint, Framing, ORIGIN, Raw, Sample, World, sample};
use holdfast_protocol::problem::Code;
use serde_json::{Value, json};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct Attacks<'a> {
    request: &'a Raw,
    all: Vec<Attack>,
}

impl Attacks<'_> {
    fn body(&mut self, why: impl Into<String>, body: impl Into<Vec<u8>>) {
        let mut request = self.request.clone();
        request.body = body.into();
        self.all.push(Attack { why: why.into(), request, code: Code::InvalidRequest });
    }

    fn head(&mut self, why: &str, code: Code, change: impl FnOnce(&mut Raw)) {
        let mut request = self.request.clone();
        change(&mut request);
        self.all.push(Attack { why: why.to_owned(), request, code });
    }
}

/// Every place in a JSON value, as RFC 6901 pointers.
fn places(value: &Value, at: String) -> Vec<String> {
    let mut all = vec![at.clone()];
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                all.extend(places(member, format!("{at}/{name}")));
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate().take(2) {
                all.extend(places(item, format!("{at}/{number}")));
            }
        }
        _ => {}
    }
    all
}

fn with(body: &Value, at: &str, value: Value) -> String {
    let mut changed = body.clone();
    *changed.pointer_mut(at).unwrap() = value;
    changed.to_string()
}

#[tokio::test]
async fn other_types_members_and_spellings_are_refused() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        let Sample::Json { body, .. } = sample(&target.world, endpoint) else { return Vec::new() };
        let mut attacks = Attacks { request, all: Vec::new() };
        let others = [json!(null), json!(true), json!(-1), json!(1.5e300), json!("x"), json!([]), json!({})];
        for at in places(&body, String::new()) {
            let here = body.pointer(&at).unwrap();
            for other in &others {
                if std::mem::discriminant(here) != std::mem::discriminant(other) {
                    attacks.body(format!("{other} at {at:?}"), with(&body, &at, other.clone()));
                }
            }
            match here {
                Value::Object(members) => {
                    let mut more = here.clone();
                    more["__proto__"] = json!({});
                    attacks.body(format!("more in {at:?}"), with(&body, &at, more));
                    let by_position = members.values().cloned().collect();
                    attacks.body(format!("{at:?} by position"), with(&body, &at, by_position));
                    // An action may come without its confirmation; it is asked for one then.
                    for name in members.keys().filter(|name| *name != "confirmation") {
                        let mut less = here.clone();
                        less.as_object_mut().unwrap().remove(name);
                        attacks.body(format!("no {name} in {at:?}"), with(&body, &at, less));
                    }
                }
                Value::String(text) => {
                    let by_name = json!({ text.as_str(): null });
                    attacks.body(format!("{at:?} as an object"), with(&body, &at, by_name));
                }
                _ => {}
            }
        }
        let text = body.to_string();
        for (name, value) in body.as_object().unwrap() {
            attacks.body(format!("{name} twice"), text.replacen('{', &format!("{{\"{name}\":{value},"), 1));
            let number = format!("\"{name}\":{}", "9".repeat(400));
            attacks.body(
                format!("{name} an absurd number"),
                text.replace(&format!("\"{name}\":{value}"), &number),
            );
        }
        attacks.all
    })
    .await;
}

#[tokio::test]
async fn what_is_no_json_text_is_refused() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        let text = match sample(&target.world, endpoint) {
            Sample::Json { body, .. } | Sample::Report(body) => body.to_string(),
            Sample::NoBody { .. } | Sample::Text(_) => return Vec::new(),
        };
        let mut attacks = Attacks { request, all: Vec::new() };
        attacks.body("nothing", "");
        attacks.body("half", &text[..text.len() / 2]);
        attacks.body("all but one byte", &text[..text.len() - 1]);
        attacks.body("more after it", format!("{text}x"));
        attacks.body("twice", format!("{text}{text}"));
        attacks.body("a byte order mark", format!("\u{feff}{text}"));
        attacks.body("deep", "[".repeat(30_000));
        attacks.body("single quotes", text.replace('"', "'"));
        attacks.body("NaN", "NaN");
        attacks.body("a form", "jkt=x&name=y");
        let open = text.find(":\"").map_or(2, |at| at + 2);
        for (why, bytes) in [
            ("no UTF-8", &b"\xff"[..]),
            ("an overlong NUL", b"\xc0\x80"),
            ("a surrogate in UTF-8", b"\xed\xa0\x80"),
            ("half a surrogate pair", br"\ud800"),
            ("a bare line feed", b"\n\""),
        ] {
            attacks.body(why, [&text.as_bytes()[..open], bytes, &text.as_bytes()[open..]].concat());
        }
        attacks.body("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        attacks.all
    })
    .await;
}

#[tokio::test]
async fn bytes_have_one_spelling() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        let Sample::Json { body, base64 } = sample(&target.world, endpoint) else { return Vec::new() };
        let mut attacks = Attacks { request, all: Vec::new() };
        for at in &base64 {
            let text = body.pointer(at).unwrap().as_str().unwrap();
            let (start, end) = text.split_at(text.len() / 2);
            let (last, before) = text.as_bytes().split_last().unwrap();
            let value = ALPHABET.iter().position(|letter| letter == last).unwrap();
            let stray = [before, &[ALPHABET[value + 1]]].concat();
            for (why, other) in [
                ("padding", format!("{text}=")),
                ("more padding", format!("{text}==")),
                ("white space before", format!(" {text}")),
                ("white space after", format!("{text} ")),
                ("a line end", format!("{text}\n")),
                ("white space inside", format!("{start} {end}")),
                ("a line end inside", format!("{start}\r\n{end}")),
                ("the other alphabet's +", format!("+{}", &text[1..])),
                ("the other alphabet's /", format!("/{}", &text[1..])),
                ("a letter of none", format!("é{}", &text[2..])),
                ("NUL", format!("{text}\u{0}")),
                ("stray bits", String::from_utf8(stray).unwrap()),
                ("a length of none", format!("{text}{}", &"AAA"[..(5 - text.len() % 4) % 4])),
                ("percent encoding", format!("%41{}", &text[1..])),
            ] {
                attacks.body(format!("{why} at {at}"), with(&body, at, json!(other)));
            }
        }
        attacks.all
    })
    .await;
}

#[tokio::test]
async fn too_much_is_refused_however_it_is_framed() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        let filler = match sample(&target.world, endpoint) {
            Sample::NoBody { .. } => return Vec::new(),
            Sample::Json { .. } | Sample::Report(_) | Sample::Text(_) => b' ',
        };
        let mut attacks = Attacks { request, all: Vec::new() };
        for (why, framing) in [("announced", Framing::Length), ("in chunks", Framing::Chunked)] {
            for bytes in [64 * 1024 + 1, 65 * 1024, 1024 * 1024] {
                attacks.head(&format!("{bytes} bytes, {why}"), Code::TooLarge, |request| {
                    request.framing = framing;
                    request.body.resize(bytes, filler);
                });
            }
        }
        attacks.all
    })
    .await;
}

#[tokio::test]
async fn another_content_type_is_refused() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        let (right, others) = match sample(&target.world, endpoint) {
            Sample::NoBody { .. } => return Vec::new(),
            Sample::Json { .. } => ("application/json", vec!["text/plain", "application/csp-report"]),
            Sample::Report(_) => ("application/csp-report", vec!["text/plain"]),
            Sample::Text(_) => ("text/plain", vec!["application/json"]),
        };
        let mut others: Vec<String> = others.into_iter().map(str::to_owned).collect();
        others.extend(
            ["", "*/*", "application/x-www-form-urlencoded", "multipart/form-data"].map(str::to_owned),
        );
        others.extend(
            ["x", ", text/html", "; charset=latin1", "; charset=utf-16", "; x=y"]
                .map(|more| format!("{right}{more}")),
        );
        let mut attacks = Attacks { request, all: Vec::new() };
        for other in others {
            attacks.head(&other, Code::UnsupportedMediaType, |request| request.set("content-type", &other));
        }
        attacks.head("none", Code::UnsupportedMediaType, |request| request.remove("content-type"));
        attacks.head("two", Code::InvalidRequest, |request| request.double("content-type"));
        attacks.all
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_one_control_message_of_the_browsers() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        let Sample::Text(text) = sample(&target.world, endpoint) else { return Vec::new() };
        let mut attacks = Attacks { request, all: Vec::new() };
        let signature = "A".repeat(86);
        for message in [
            "",
            " ",
            "ASK",
            "ask ",
            " ask",
            "ask\n",
            "ask 1",
            "asks",
            "answer",
            "answer 1",
            "answer 1 AAAA",
            "refuse 1",
            "refuse 1 why",
            "proven 1 1",
            "held 1 late",
            "end 4401",
            "challenge con_0000-0000-0000-0000 1 AAAA 1",
            "\u{1}ask",
            "{}",
            "refuse 01 stale",
        ] {
            attacks.body(message, message);
        }
        for number in
            ["-1", "+1", "01", "1.0", "1e3", "18446744073709551616", "9007199254740993999", "x", "٣"]
        {
            attacks.body(number, format!("answer {number} {signature}"));
        }
        for signature in [
            format!("{signature}=="),
            format!("{signature}\n"),
            format!(" {signature}"),
            "A".repeat(85),
            format!("{}B", "A".repeat(85)),
        ] {
            attacks.body(&signature, format!("answer 1 {signature}"));
        }
        attacks.body("no UTF-8", b"ask\xff".to_vec());
        attacks.body("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        attacks.all
    })
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for_forever() {
    let world = World::new().await;
    let mut request = Raw::new("POST", "/v1/login/options");
    request.add("origin", ORIGIN);
    request.add("content-type", "application/json");
    request.body = br#"{"jkt":"#.to_vec();
    request.framing = Framing::Promised;
    let address = world.address;
    let slow = tokio::spawn(async move { request.send(address).await });
    world
        .until(async || {
            world.advance_ms(30_000);
            slow.is_finished()
        })
        .await;
    let answer = slow.await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.code()), (408, Code::TooSlow));
    assert_eq!(world.count("ceremonies").await, 0);
}
