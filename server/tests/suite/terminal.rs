//! The terminal (G6): a real one, for administrators, after a confirmation of its own, and no longer than
//! its connection.

use crate::support::{Answer, Heard, Line, Owner, World, run};
use holdfast_protocol::{
    connections::{TicketRequest, Transport},
    problem::{Code, Problem},
    step_up::Action as _,
    terminal::Admission,
};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message as Frame;

const STREAM: &str = "/v1/streams/terminal";

async fn admin(world: &World) -> Owner {
    let owner = world.owner("Ada").await;
    run!(world.app.db, "UPDATE accounts SET role = 'admin' WHERE id = $1", owner.browser.account.as_str());
    owner
}

fn admission(owner: &Owner) -> Admission {
    let account = owner.browser.account.clone();
    Admission { email: format!("{account}@example.org"), account }
}

async fn admit(owner: &Owner) {
    let request = owner.confirm(admission(owner)).await;
    let answer = owner.browser.post(Admission::KIND.path(), &request).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

async fn ask_for_ticket(owner: &Owner) -> Answer {
    let client_nonce = owner.browser.app.entropy.make_text();
    let request = TicketRequest { stream: STREAM.to_owned(), client_nonce };
    owner.browser.post("/v1/connections/tickets", &request).await
}

/// A proven terminal.
async fn open(owner: &Owner) -> Line<'_> {
    admit(owner).await;
    let mut line = Line::open_at(&owner.browser, STREAM, Transport::WebSocket).await;
    line.prove().await;
    line
}

async fn type_in(line: &mut Line<'_>, text: &str) {
    line.say_frame(Frame::binary(text.as_bytes().to_vec())).await;
}

/// Everything that is shown up to this; what was typed is shown, too.
async fn shows(line: &mut Line<'_>, end: &str) -> String {
    let mut shown = String::new();
    while !shown.contains(end) {
        match line.hear().await {
            Heard::Binary(bytes) => shown.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("{other:?} after {shown}"),
        }
    }
    shown
}

#[tokio::test]
async fn it_is_off_unless_the_operator_switches_it_on() {
    let world = World::with(|config| config.terminal = false).await;
    let owner = admin(&world).await;
    assert_eq!(owner.ask(&admission(&owner)).await.code(), Code::NotFound);
    assert_eq!(ask_for_ticket(&owner).await.code(), Code::InvalidRequest);
    assert_eq!(owner.browser.get(STREAM).await.code(), Code::NotFound);
}

#[tokio::test]
async fn each_confirmation_gives_its_own_session_one_ticket_within_a_minute() {
    let world = World::new().await;
    let owner = admin(&world).await;
    let again =
        Owner { browser: world.sign_in(&owner.browser.account).await, passkey: owner.passkey.clone() };
    let refused = ask_for_ticket(&owner).await;
    assert_eq!(refused.code(), Code::StepUpRequired);
    let problem: Problem = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(problem.preflight, Some(Admission::KIND.preflight()));

    admit(&owner).await;
    assert_eq!(ask_for_ticket(&again).await.code(), Code::StepUpRequired);
    assert_eq!(ask_for_ticket(&owner).await.status, 200);
    assert_eq!(ask_for_ticket(&owner).await.code(), Code::StepUpRequired);
    admit(&owner).await;
    world.advance_ms(60_000);
    assert_eq!(ask_for_ticket(&owner).await.code(), Code::StepUpRequired);
    // Other streams ask for nothing of the kind.
    owner.browser.mint().await;
}

#[tokio::test]
async fn only_an_administrator_opens_one() {
    let world = World::new().await;
    let (admin, member) = (admin(&world).await, world.owner("Bob").await);
    assert_eq!(member.ask(&admission(&member)).await.code(), Code::AdminOnly);
    assert_eq!(member.ask(&admission(&admin)).await.code(), Code::NotFound);
    let other = Admission { email: "x@example.org".to_owned(), ..admission(&admin) };
    assert_eq!(admin.ask(&other).await.code(), Code::TargetChanged);
    // Who is none any more when the ticket comes is none.
    admit(&admin).await;
    let minted = admin.browser.mint_for(STREAM).await;
    run!(world.app.db, "UPDATE accounts SET role = 'member'");
    let refused = crate::support::dial(&admin.browser, &minted, |_| {}).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn it_is_a_real_terminal_that_knows_nothing_of_the_servers_environment() {
    let world = World::new().await;
    let owner = admin(&world).await;
    let mut line = open(&owner).await;
    type_in(&mut line, "tty; echo $((6 * 7))_; env; echo en\"\"d\n").await;
    let shown = shows(&mut line, "end\r\n").await;
    assert!(shown.contains("/dev/pts/") && shown.contains("42_"), "{shown}");
    assert!(shown.contains("TERM=xterm-256color"), "{shown}");
    // What the program that runs these tests was started with.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!shown.contains("CARGO"), "{shown}");
    type_in(&mut line, "stty size\n").await;
    shows(&mut line, "24 80\r\n").await;
    line.say_frame(Frame::text(json!({ "columns": 101, "rows": 33 }).to_string())).await;
    type_in(&mut line, "stty size\n").await;
    shows(&mut line, "33 101\r\n").await;
}

#[tokio::test]
async fn the_connection_ends_with_the_shell_and_shows_its_last_words_and_its_status() {
    for (end, status) in [("exit 3", json!(3)), ("kill -9 $$", json!(null))] {
        let world = World::new().await;
        let owner = admin(&world).await;
        let mut line = open(&owner).await;
        type_in(&mut line, &format!("trap 'echo by\"\"e' EXIT; echo bef\"\"ore; {end}\n")).await;
        shows(&mut line, if status.is_null() { "before\r\n" } else { "bye\r\n" }).await;
        let ended = loop {
            match line.hear().await {
                Heard::Binary(_) => {}
                other => break other,
            }
        };
        assert_eq!(ended, Heard::Text(json!({ "status": status }).to_string()));
        assert_eq!(line.hear().await, Heard::Closed(1000));
    }
}

#[tokio::test]
async fn what_is_no_size_closes_it() {
    let world = World::new().await;
    let owner = admin(&world).await;
    let mut line = open(&owner).await;
    line.say_frame(Frame::text("80x24".to_owned())).await;
    loop {
        match line.hear().await {
            Heard::Binary(_) => {}
            other => return assert_eq!(other, Heard::Closed(1003)),
        }
    }
}

#[tokio::test]
async fn the_shell_and_what_it_runs_end_with_the_connection() {
    let world = World::new().await;
    let owner = admin(&world).await;
    let mut line = open(&owner).await;
    type_in(&mut line, "sh -c 'echo pid_$$_$PPID; exec sleep 100000'\n").await;
    let mut shown = String::new();
    let ids = loop {
        shown.push_str(&shows(&mut line, "\n").await);
        let ids = shown.split("pid_").skip(1).find_map(|ids| {
            // A line that is not whole yet would name another process.
            let (child, shell) = ids.split_once('\n')?.0.trim().split_once('_')?;
            Some([child.parse::<u32>().ok()?, shell.parse::<u32>().ok()?])
        });
        if let Some(ids) = ids {
            break ids;
        }
    };
    // What has ended stays in the list, as Z, until whoever inherits it has looked.
    let runs = |id: u32| {
        let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    };
    assert!(ids.into_iter().all(runs), "{shown}");
    owner.browser.post("/v1/logout", &json!({ "scope": "this_browser" })).await;
    world.until(async || !ids.into_iter().any(runs)).await;
}
