//! The two machines against each other in simulated time: generated schedules of delay, reordering, loss,
//! sleep, clock jumps and attackers. Nothing here waits; a day takes microseconds.
//!
//! Each step of the verifier is held against `rules.rs`, which says a second time, and in other words, what
//! an input leads to. `HOLDFAST_SCHEDULES` sets how many schedules each property sees.
#![expect(clippy::unwrap_used, clippy::as_conversions, reason = "a test that cannot go on fails")]

mod rules;
mod world;

use holdfast_protocol::pop::{Challenge, Close, Message, Timing};
use world::{CALM, Event, Random, Weather, World};

fn schedules(mut property: impl FnMut(u64)) {
    let count = std::env::var("HOLDFAST_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000);
    for seed in 0..count {
        property(seed);
    }
}

const HOUR_MS: u64 = 3_600_000;

#[test]
fn a_browser_that_is_awake_is_never_held_back() {
    schedules(|seed| {
        let mut world = World::open(seed, CALM);
        world.run_until(HOUR_MS);
        assert_eq!((world.closed, world.held.len()), (None, 0), "seed {seed}");
        assert!(world.proven.len() > 90, "seed {seed}: {} proofs an hour", world.proven.len());
    });
}

#[test]
fn the_servers_wall_clock_may_jump_by_months() {
    schedules(|seed| {
        let mut world = World::open(seed, Weather { clock_jumps: true, ..CALM });
        world.run_until(HOUR_MS);
        assert_eq!((world.closed, world.held.len()), (None, 0), "seed {seed}");
    });
}

#[test]
fn a_short_sleep_holds_back_at_most_and_the_connection_recovers() {
    // Too long for one answer, too short for two: the second challenge is still answered.
    schedules(|seed| {
        let weather = Weather { sleep_ms: 18_000, latency_ms: 400, ..CALM };
        let mut world = World::open(seed, weather);
        world.run_until(HOUR_MS);
        assert_eq!(world.closed, None, "seed {seed}");
        let last_held = world.held.iter().rev().find(|held| **held < HOUR_MS - 20_000).copied().unwrap_or(0);
        assert!(world.proven.last().is_some_and(|proven| *proven >= last_held), "seed {seed}");
    });
}

#[test]
fn a_long_sleep_ends_in_4401_and_never_in_data_for_nobody() {
    schedules(|seed| {
        let weather = Weather { sleep_ms: 4 * HOUR_MS, ..CALM };
        let mut world = World::open(seed, weather);
        world.run_until(24 * HOUR_MS);
        if let Some((_, close)) = world.closed {
            assert_eq!(close, Close::Unproven, "seed {seed}");
            assert!(!world.held.is_empty(), "seed {seed}: held back before it is closed");
        }
    });
}

#[test]
fn a_thief_is_never_proven_and_is_cut_off_by_the_second_deadline() {
    let timing = Timing::default();
    let longest_ms = u64::from(timing.interval_ms + timing.jitter_ms + 2 * timing.answer_within_ms);
    schedules(|seed| {
        let stolen_after_ms = Random(seed ^ 0xdead).below(HOUR_MS);
        let weather = Weather { stolen_after_ms: Some(stolen_after_ms), ..CALM };
        let mut world = World::open(seed, weather);
        world.run_until(2 * HOUR_MS);
        let (closed_at_ms, close) = world.closed.unwrap_or_else(|| panic!("seed {seed}: alive"));
        assert_eq!(close, Close::Unproven, "seed {seed}");
        // An honest answer may still be under way when the theft happens.
        let last_honest_ms = stolen_after_ms + CALM.latency_ms;
        assert!(world.proven.last().is_none_or(|proven| *proven <= last_honest_ms), "seed {seed}");
        assert!(closed_at_ms <= last_honest_ms + longest_ms, "seed {seed}: closed at {closed_at_ms}");
    });
}

#[test]
fn an_answer_for_another_connection_proves_nothing() {
    schedules(|seed| {
        let (mut mine, mut other) = (World::open(seed, CALM), World::open(seed ^ 0xffff_0000, CALM));
        // One key, two connections: the relay hands the challenge of the one to the other's browser.
        other.key = mine.key;
        let Some(Event::ToBrowser(Message::Challenge(challenge))) =
            mine.queue.pop_first().map(|(_, event)| event)
        else {
            panic!("a connection opens with a challenge")
        };
        let refusal = other.prover.on_challenge(&challenge).unwrap_err();
        // Renamed to that connection, it is signed, and the signature is worth nothing here.
        let renamed = match other.queue.pop_first().map(|(_, event)| event) {
            Some(Event::ToBrowser(Message::Challenge(own))) => {
                Challenge { connection: own.connection, ..challenge.clone() }
            }
            _ => panic!("a connection opens with a challenge"),
        };
        let to_sign = other.prover.on_challenge(&renamed).unwrap();
        let answer = to_sign.answer(mine.key.sign(&to_sign.transcript));
        for message in [refusal, answer] {
            let mut fresh = World::open(seed, CALM);
            fresh.put(1, Event::ToServer(message));
            fresh.run_until(1);
            assert_eq!((fresh.proven.len(), fresh.held.len()), (0, 1), "seed {seed}");
        }
    });
}

#[test]
fn in_any_weather_the_rules_decide_and_nothing_else() {
    let mut seen = Seen::default();
    schedules(|seed| {
        let mut random = Random(seed ^ 0xbad_cafe);
        let theft_ms = random.below(HOUR_MS);
        let weather = Weather {
            latency_ms: random.one_of([50, 2_000, 9_000, 30_000]),
            sleep_ms: random.one_of([0, 0, 18_000, HOUR_MS]),
            loses_one_in: random.one_of([0, 0, 100, 10]),
            stolen_after_ms: random.one_of([None, None, Some(theft_ms)]),
            timers_late_ms: random.one_of([0, 0, 5_000]),
            clock_jumps: random.below(2) == 0,
        };
        let mut world = World::open(seed, weather);
        // Its own steps are where it would fail.
        world.run_until(3 * HOUR_MS);
        match world.closed {
            Some(_) if weather.stolen_after_ms.is_some() => seen.thieves += 1,
            Some(_) => seen.ended += 1,
            None => {
                assert_eq!(weather.stolen_after_ms, None, "seed {seed}: a thief is alive");
                seen.alive += 1;
            }
        }
    });
    // The weather is neither too fine nor too foul to show anything.
    assert!(seen.thieves.min(seen.ended).min(seen.alive) > 0, "{seen:?}");
}

#[derive(Debug, Default)]
struct Seen {
    thieves: u32,
    ended: u32,
    alive: u32,
}
