//! What agents do with them.

use super::{Agent, Console, name};
use crate::support::{Answer, Browser, PlainBody, Program, World};
use axum::{Router, http::Method};
use futures_util::future::join_all;
use holdfast_protocol::{
    agents::{FileScope, Revocation, Teardown},
    credentials::{CredentialValue, LastRead, ReadableCredentials},
    history::Activity,
    problem::Code,
};
use holdfast_server::{access, app::App, credentials, vault};

async fn ask(browser: &Browser, path: &str, agent: Option<&Agent>) -> Answer {
    let mut request = browser.request(Method::GET, path);
    if let Some(Agent { account, id, channel }) = agent {
        request = request.header("x-agent", format!("{account} {id} {}", channel.as_str()));
    }
    browser.send(request.body(PlainBody::default()).unwrap()).await
}

#[tokio::test]
async fn an_agent_reads_what_its_channel_has_and_else_what_every_channel_has() {
    // Beside the real ones, whose agents have one channel each.
    let routes =
        |app: &App| Router::new().nest("/any", credentials::agent_routes::<Agent>().with_state(app.clone()));
    let world = World::serving(routes).await;
    let console = Console::of(world).await;
    console.store("default", "BOTH", b"every channel's").await;
    console.store("chat", "BOTH", b"chat's").await;
    console.store("chat", "CHAT", b"chat's alone").await;
    console.store("code", "CODE", b"code's alone").await;
    let stranger = console.world.browser().await;
    let theirs = Agent { account: stranger.account, ..console.agent("agt_9", "chat") };
    let [chat, code, none] = [("agt_1", "chat"), ("agt_2", "code"), ("agt_3", "default")]
        .map(|(id, channel)| console.agent(id, channel));
    for (agent, names) in
        [(&chat, &["BOTH", "CHAT"][..]), (&code, &["BOTH", "CODE"]), (&none, &["BOTH"]), (&theirs, &[])]
    {
        let answer = ask(&console.owner.browser, "/any/v1/agents/credentials", Some(agent)).await;
        let ReadableCredentials { names: read } = answer.json();
        assert_eq!(read, names.iter().map(|key| name(key)).collect::<Vec<_>>());
    }
    for (agent, key, value) in [
        (&chat, "BOTH", Some("chat's")),
        (&chat, "CHAT", Some("chat's alone")),
        (&chat, "CODE", None),
        (&code, "BOTH", Some("every channel's")),
        (&code, "CHAT", None),
        (&none, "BOTH", Some("every channel's")),
        (&none, "CHAT", None),
        (&theirs, "BOTH", None),
        (&theirs, "CHAT", None),
        (&chat, "NOTHING", None),
        (&chat, "..", None),
        (&chat, "%00", None),
        (&chat, "%ff", None),
    ] {
        let answer =
            ask(&console.owner.browser, &format!("/any/v1/agents/credentials/{key}"), Some(agent)).await;
        match value {
            None => assert_eq!(answer.code(), Code::NotFound, "{key}"),
            Some(value) => {
                assert_eq!(answer.json::<CredentialValue>().value.0, value.as_bytes());
            }
        }
    }
    // Nobody reads without being an agent.
    for path in ["/any/v1/agents/credentials", "/any/v1/agents/credentials/BOTH"] {
        assert_eq!(ask(&console.owner.browser, path, None).await.code(), Code::SignedOut);
    }
}

#[tokio::test]
async fn an_agents_own_channel_is_its_id_and_goes_with_it() {
    let console = Console::new().await;
    let agent = console.world.agent(&console.owner.browser.account).await;
    let other = console.world.agent(&console.owner.browser.account).await;
    console.store(agent.id.as_str(), "KEY", b"its own").await;
    console.store("default", "BOTH", b"every channel's").await;
    let value = async |agent: &Program, key: &str| {
        let answer = agent.read(&format!("/v1/agents/credentials/{key}")).await;
        let CredentialValue { value } = answer.json();
        value.0
    };
    assert_eq!(value(&agent, "KEY").await, b"its own");
    assert_eq!(value(&other, "BOTH").await, b"every channel's");
    assert_eq!(other.read("/v1/agents/credentials/KEY").await.code(), Code::NotFound);
    let ReadableCredentials { names } = agent.read("/v1/agents/credentials").await.json();
    assert_eq!(names, [name("BOTH"), name("KEY")]);
    let teardown = Teardown { agent: agent.id.clone(), name: "Shopper".to_owned() };
    assert_eq!(console.act(teardown, None).await.status, 204);
    assert_eq!(agent.read("/v1/agents/credentials/BOTH").await.code(), Code::AgentTokenInvalid);
    let left: Vec<_> = console.list().await.into_iter().map(|view| view.name).collect();
    assert_eq!(left, [name("BOTH")]);
}

/// Its token was believed when its request came, and its owner was told that it is revoked before it was answered.
#[tokio::test]
async fn an_agent_that_is_revoked_before_it_is_answered_reads_nothing() {
    let console = Console::new().await;
    console.store("default", "KEY", b"hunter2").await;
    let (app, account) = (&console.world.app, &console.owner.browser.account);
    let id = console.world.agent(account).await.id;
    let believed = access::Agent {
        id: id.clone(),
        account: account.clone(),
        name: "Shopper".to_owned(),
        scope: FileScope::Workspace,
        channel: name(id.as_str()),
    };
    let read = async || {
        let secret = vault::read(app, &believed, &name("KEY")).await;
        secret.map(|secret| secret.to_vec()).map_err(|refusal| refusal.code())
    };
    assert_eq!(read().await, Ok(b"hunter2".to_vec()));
    let revocation = Revocation { agent: id, name: "Shopper".to_owned() };
    assert_eq!(console.act(revocation, None).await.status, 204);
    assert_eq!(read().await, Err(Code::AgentTokenInvalid));
}

#[tokio::test]
async fn a_reading_is_told_at_most_once_a_minute() {
    let console = Console::new().await;
    console.store("default", "KEY", b"hunter2").await;
    let app = &console.world.app;
    let (one, other) = (console.agent("agt_1", "chat"), console.agent("agt_2", "chat"));
    let read = |agent: &str| Activity::CredentialRead { name: "KEY".to_owned(), agent: agent.to_owned() };
    let told = async || {
        let told = console.activity().await.into_iter();
        told.filter(|what| matches!(what, Activity::CredentialRead { .. })).collect::<Vec<_>>()
    };
    assert_eq!(join_all((0..8).map(|_| one.read(app, "KEY"))).await, vec![Ok(b"hunter2".to_vec()); 8]);
    assert_eq!(told().await, [read("agt_1")]);
    console.world.advance_ms(30_000);
    for agent in [&other, &one, &other, &one] {
        assert!(agent.read(app, "KEY").await.is_ok());
    }
    assert_eq!(told().await, [read("agt_2"), read("agt_1")]);
    let last = LastRead { agent: "agt_1".to_owned(), at_ms: 1_800_000_030_000 };
    assert_eq!(console.list().await[0].read, Some(last));
    console.world.advance_ms(60_000);
    assert!(one.read(app, "KEY").await.is_ok());
    assert_eq!(told().await, [read("agt_1"), read("agt_2"), read("agt_1")]);
}

#[tokio::test]
async fn an_agent_reads_so_often_and_no_more() {
    let console = Console::new().await;
    console.store("default", "KEY", b"hunter2").await;
    let app = &console.world.app;
    let (one, other) = (console.agent("agt_1", "chat"), console.agent("agt_2", "chat"));
    for _ in 0..60 {
        assert!(one.read(app, "KEY").await.is_ok());
    }
    assert_eq!(one.read(app, "KEY").await, Err(Code::RateLimited));
    assert_eq!(one.read(app, "NOTHING").await, Err(Code::RateLimited));
    assert!(other.read(app, "KEY").await.is_ok());
    console.world.advance_ms(1_000);
    assert!(one.read(app, "KEY").await.is_ok());
    assert_eq!(one.read(app, "KEY").await, Err(Code::RateLimited));
}

#[tokio::test]
async fn what_belongs_to_a_torn_down_agent_is_deleted_and_nothing_else() {
    let console = Console::new().await;
    for (channel, key) in [("agt_1", "A"), ("agt_1", "B"), ("agt_2", "A"), ("default", "A")] {
        console.store(channel, key, b"hunter2").await;
    }
    let stranger = console.world.browser().await.account;
    let mut tx = console.world.app.db.write().await.unwrap();
    assert_eq!(vault::remove_channel(&mut tx, &stranger, &name("agt_1")).await.unwrap(), 0);
    assert_eq!(
        vault::remove_channel(&mut tx, &console.owner.browser.account, &name("agt_1")).await.unwrap(),
        2
    );
    tx.commit(&console.world.app.live).await.unwrap();
    let left = console.list().await.into_iter().map(|view| (view.channel, view.name)).collect::<Vec<_>>();
    assert_eq!(left, [(name("agt_2"), name("A")), (name("default"), name("A"))]);
}
