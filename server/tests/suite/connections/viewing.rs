use super::{BOTH, INTERVAL_MS, TOO_LONG_MS};
use crate::support::{Line, World};
use holdfast_protocol::{
    connections::{Beat, ConnectionList, ConnectionView, Transport},
    pop::{Held, Standing},
};

#[tokio::test]
async fn the_list_tells_how_each_connection_stands() {
    for transport in BOTH {
        let world = World::new().await;
        let (browser, stranger) = (world.browser().await, world.browser().await);
        let other = world.sign_in(&browser.account).await;
        let opened_at_ms = world.clock.now().unix_ms;
        let mut line = Line::open(&browser, transport).await;
        let challenge = line.hear_challenge().await;
        let view = only(&browser.get("/v1/connections").await.json());
        assert_eq!((view.standing, view.proven_at_ms, view.beats.len()), (Standing::Unproven, None, 0));

        world.advance_ms(7);
        line.answer(&challenge).await;
        line.hear_proven(&challenge).await;
        let view = only(&browser.get("/v1/connections").await.json());
        let expected = ConnectionView {
            id: line.id.clone(),
            session: browser.session.clone(),
            stream: "/v1/streams/activity".to_owned(),
            device: view.device.clone(),
            transport,
            opened_at_ms,
            standing: Standing::Proven,
            beats: vec![Beat::Proven { rtt_ms: 7 }],
            proven_at_ms: Some(opened_at_ms + 7),
            failures: 0,
            this_browser: true,
        };
        assert_eq!(view, expected);

        world.advance_ms(INTERVAL_MS);
        line.hear_challenge().await;
        world.advance_ms(TOO_LONG_MS);
        line.hear_held(Held::Late).await;
        let view = only(&other.get("/v1/connections").await.json());
        assert_eq!((view.standing, view.failures, view.this_browser), (Standing::Held, 1, false));
        assert_eq!(view.beats, [Beat::Proven { rtt_ms: 7 }, Beat::Failed]);

        let none: ConnectionList = stranger.get("/v1/connections").await.json();
        assert_eq!(none.connections, []);
    }
}

fn only(list: &ConnectionList) -> ConnectionView {
    assert_eq!(list.connections.len(), 1);
    list.connections[0].clone()
}

#[tokio::test]
async fn a_proven_connection_is_told_of_the_others_at_most_twice_a_second() {
    let world = World::new().await;
    let browser = world.browser().await;
    let other = world.sign_in(&browser.account).await;
    let mut line = Line::open(&browser, Transport::WebSocket).await;
    line.prove().await;
    line.hear_connections().await;
    let mut second = Line::open(&other, Transport::ServerSentEvents).await;
    second.prove().await;
    line.hear_nothing().await;
    world.advance_ms(500);
    let list = line.hear_connections().await;
    let sessions: Vec<_> = list.connections.iter().map(|view| (&view.session, view.this_browser)).collect();
    assert_eq!(sessions, [(&browser.session, true), (&other.session, false)]);

    drop(second);
    world
        .until(async || browser.get("/v1/connections").await.json::<ConnectionList>().connections.len() == 1)
        .await;
    line.hear_nothing().await;
    world.advance_ms(500);
    assert_eq!(line.hear_connections().await.connections.len(), 1);
}

/// Each beat of each would otherwise be told to all.
#[tokio::test]
async fn a_beat_of_another_is_told_with_a_beat_of_ones_own() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        line.hear_connections().await;
        let mut second = Line::open(&browser, Transport::WebSocket).await;
        second.prove().await;
        line.hear_nothing().await;
        world.advance_ms(500);
        assert_eq!(line.hear_connections().await.connections.len(), 2);

        for beats in 2..5 {
            world.advance_ms(INTERVAL_MS);
            let challenge = line.hear_challenge().await;
            second.prove().await;
            line.hear_nothing().await;
            line.answer(&challenge).await;
            line.hear_proven(&challenge).await;
            let list = line.hear_connections().await;
            assert!(list.connections.iter().all(|view| view.beats.len() == beats), "{beats} {list:?}");
        }
        // And one that comes right after it, a while later.
        world.advance_ms(INTERVAL_MS);
        line.prove().await;
        let list = line.hear_connections().await;
        assert_eq!(list.connections.iter().map(|view| view.beats.len()).collect::<Vec<_>>(), [5, 4]);
        second.prove().await;
        line.hear_nothing().await;
        world.advance_ms(8_000);
        let list = line.hear_connections().await;
        assert_eq!(list.connections.iter().map(|view| view.beats.len()).collect::<Vec<_>>(), [5, 5]);
    }
}

#[tokio::test]
async fn the_last_thirty_beats_are_kept() {
    let world = World::new().await;
    let browser = world.browser().await;
    let mut line = Line::open(&browser, Transport::WebSocket).await;
    for rtt_ms in 0..33 {
        let challenge = line.hear_challenge().await;
        world.advance_ms(rtt_ms);
        line.answer(&challenge).await;
        line.hear_proven(&challenge).await;
        world.advance_ms(INTERVAL_MS);
    }
    line.hear_challenge().await;
    let view = only(&browser.get("/v1/connections").await.json());
    let expected: Vec<Beat> = (3..33).map(|rtt_ms| Beat::Proven { rtt_ms }).collect();
    assert_eq!(view.beats, expected);
}
