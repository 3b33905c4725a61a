use super::{BOTH, INTERVAL_MS, TOO_LONG_MS};
use crate::support::{Heard, Line, World, name_of, run};
use holdfast_protocol::{
    history::{Activity, ActivityPage},
    pop::{Close, Held, Message, Refusal},
};

#[tokio::test]
async fn a_challenge_comes_first_and_no_data_before_it_is_answered() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        world.happens(&browser.account, "early").await;
        let Heard::Control(Message::Challenge(challenge)) = line.hear().await else { panic!() };
        assert_eq!((challenge.sequence, &challenge.connection), (1, &line.id));
        line.hear_nothing().await;

        line.answer(&challenge).await;
        line.hear_proven(&challenge).await;
        assert_eq!(name_of(&line.hear_activity().await), Some("early"));
        assert_eq!(line.hear_connections().await.connections.len(), 1);
        world.happens(&browser.account, "later").await;
        assert_eq!(name_of(&line.hear_activity().await), Some("later"));
    }
}

#[tokio::test]
async fn what_happened_before_the_opening_is_not_streamed() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        world.happens(&browser.account, "before").await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        world.happens(&browser.account, "after").await;
        assert_eq!(name_of(&line.hear_activity().await), Some("after"));
    }
}

#[tokio::test]
async fn another_key_is_cut_off_at_once_and_closed_at_its_second_answer() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        let foreign = browser.foreign_key();
        line.prove().await;
        world.advance_ms(INTERVAL_MS);
        let challenge = line.hear_challenge().await;
        line.answer_with(&challenge, &foreign).await;
        line.hear_held(Held::Wrong).await;

        // From here on nothing but control messages.
        let Heard::Control(Message::Challenge(second)) = line.hear().await else { panic!() };
        assert_eq!(second.sequence, challenge.sequence + 1);
        world.happens(&browser.account, "secret").await;
        world.advance_ms(600);
        line.hear_nothing().await;
        line.answer_with(&second, &foreign).await;
        let rest = line.hear_until_close(Close::Unproven).await;
        let held = Message::Held { sequence: second.sequence, why: Held::Wrong };
        assert_eq!(rest, [Heard::Control(held)]);

        let trail: ActivityPage = browser.get("/v1/activity").await.json();
        let connection = line.id.clone();
        let closed = Activity::ConnectionClosed { connection: connection.clone() };
        let held = Activity::ConnectionHeld { connection, why: "wrong".to_owned() };
        for what in [closed, held] {
            let event = trail.events.iter().find(|event| event.what == what).unwrap();
            assert_eq!(event.session.as_ref(), Some(&browser.session));
            assert!(event.device.is_some());
        }
    }
}

#[tokio::test]
async fn a_key_that_never_was_right_receives_nothing_at_all() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        world.happens(&browser.account, "secret").await;
        for _ in 0..2 {
            let challenge = line.hear_challenge().await;
            line.answer_with(&challenge, &browser.foreign_key()).await;
            line.hear_held(Held::Wrong).await;
        }
        assert_eq!(line.hear_until_close(Close::Unproven).await, []);
    }
}

#[tokio::test]
async fn two_late_answers_close_the_connection() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        world.advance_ms(INTERVAL_MS);
        let first = line.hear_challenge().await;
        world.advance_ms(TOO_LONG_MS);
        world.happens(&browser.account, "secret").await;
        line.hear_held(Held::Late).await;
        let Heard::Control(Message::Challenge(_)) = line.hear().await else { panic!() };
        // The answer to the first, too late: it is no second failure, and no success either.
        line.answer(&first).await;
        line.hear_nothing().await;
        world.advance_ms(TOO_LONG_MS);
        let rest = line.hear_until_close(Close::Unproven).await;
        assert!(matches!(rest[..], [Heard::Control(Message::Held { why: Held::Late, .. })]), "{rest:?}");
    }
}

#[tokio::test]
async fn one_success_clears_one_failure_and_what_was_held_comes_whole_and_in_order() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        // The first failure is an event of its own; the same again within a minute is not.
        for failures in [1, 0] {
            world.advance_ms(INTERVAL_MS);
            line.hear_challenge().await;
            world.advance_ms(TOO_LONG_MS);
            line.hear_held(Held::Late).await;
            // More than a batch, more than a queue.
            let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
            world.all_happen(&browser.account, &names).await;
            let Heard::Control(Message::Challenge(challenge)) = line.hear().await else { panic!() };
            line.hear_nothing().await;
            line.answer(&challenge).await;
            line.hear_proven(&challenge).await;
            let mut heard = Vec::new();
            for _ in 0..names.len() + failures {
                heard.push(line.hear_activity().await);
            }
            let heard: Vec<&str> = heard.iter().filter_map(name_of).collect();
            assert_eq!(heard, names);
        }
    }
}

#[tokio::test]
async fn the_answer_of_another_connection_is_wrong_here() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut mine = Line::open(&browser, transport).await;
        let mut other = Line::open(&browser, transport).await;
        let (challenge, others) = (mine.hear_challenge().await, other.hear_challenge().await);
        assert_eq!(challenge.sequence, others.sequence);
        let relayed = other.signed(&others, &browser.key);
        mine.say(&relayed).await;
        mine.hear_held(Held::Wrong).await;
    }
}

#[tokio::test]
async fn a_relayed_challenge_that_the_browser_refuses_is_reported() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        let challenge = line.hear_challenge().await;
        line.say(&Message::Refuse { sequence: challenge.sequence, why: Refusal::Relayed }).await;
        line.hear_held(Held::Refused(Refusal::Relayed)).await;
        world
            .until(async || browser.get("/v1/activity").await.json::<ActivityPage>().events.len() == 2)
            .await;
        let trail: ActivityPage = browser.get("/v1/activity").await.json();
        let connection = line.id.clone();
        let why = "relayed".to_owned();
        assert_eq!(trail.events[0].what, Activity::ConnectionHeld { connection: connection.clone(), why });
        assert_eq!(trail.events[1].what, Activity::RelayRefused { connection });
    }
}

#[tokio::test]
async fn who_asks_is_challenged_before_the_time() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        world.advance_ms(1_000);
        line.say(&Message::Ask).await;
        line.prove().await;
    }
}

#[tokio::test]
async fn a_flood_of_messages_gains_no_time() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        let challenge = line.hear_challenge().await;
        world.advance_ms(TOO_LONG_MS);
        for _ in 0..20 {
            line.say(&Message::Ask).await;
        }
        line.answer(&challenge).await;
        line.hear_held(Held::Late).await;
        line.hear_challenge().await;
        line.hear_nothing().await;
    }
}

#[tokio::test]
async fn a_session_that_ended_where_nobody_told_is_noticed_at_the_next_proof() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        line.hear_connections().await;
        let ended = "UPDATE sessions SET ended_at_ms = 1 WHERE id = $1";
        assert_eq!(run!(world.app.db, ended, browser.session.as_str()), 1);
        world.advance_ms(INTERVAL_MS);
        let challenge = line.hear_challenge().await;
        // To a WebSocket, since a POST would be refused for its cookie.
        if transport == BOTH[0] {
            line.answer(&challenge).await;
            line.hear_proven(&challenge).await;
        } else {
            world.app.live.wake_all();
        }
        line.hear_close(Close::SessionEnded).await;
    }
}
