use super::*;
use holdfast_protocol::{
    ids::{ConnectionId, Thumbprint},
    pop::{Challenge, Held, Refusal},
};

fn half() -> u32 {
    1 << 31
}

fn binding() -> Binding {
    let connection = ConnectionId::make([1; 16]);
    Binding::new("https://console.example", connection, "nonce", Thumbprint::from_hash(&[2; 32])).unwrap()
}

fn challenge(sequence: u64) -> Challenge {
    let connection = ConnectionId::make([1; 16]);
    Challenge { connection, sequence, nonce: "n".to_owned(), expires_at_ms: 5 }
}

fn connecting() -> Machine {
    let mut machine = Machine::new(half, Dialling::Alone);
    let effects = machine.start(0);
    assert_eq!(effects, [Effect::Report(State::Connecting), Effect::Mint(machine.attempt())]);
    machine
}

fn proving() -> Machine {
    let mut machine = connecting();
    assert!(machine.on_dialled(machine.attempt(), binding()));
    assert_eq!(machine.on_opened(), [Effect::Report(State::Proving)]);
    machine
}

fn live() -> Machine {
    let mut machine = proving();
    assert!(matches!(machine.on_challenge(&challenge(1)), Some(Ok(_))));
    assert_eq!(machine.standing(), Standing::Unproven);
    let effects = machine.on_control(&Message::Proven { sequence: 1, rtt_ms: 7 }, 20);
    assert_eq!(effects, [Effect::Report(State::Open { rtt_ms: 7 }), Effect::Release]);
    assert_eq!(machine.standing(), Standing::Proven);
    machine
}

fn again(machine: &Machine) -> [Effect; 2] {
    [Effect::Report(State::Connecting), Effect::Mint(machine.attempt())]
}

fn hung_up_and_again(machine: &Machine) -> [Effect; 3] {
    let [report, mint] = again(machine);
    [Effect::HangUp, report, mint]
}

const WAITING_250: [Effect; 2] = [Effect::HangUp, Effect::Report(State::Waiting { retry_in_ms: 250 })];

fn ended(why: End) -> [Effect; 4] {
    [Effect::HangUp, Effect::Drop, Effect::Report(State::Ended(why)), Effect::Leave]
}

#[test]
fn a_lost_connection_comes_back_with_a_new_ticket() {
    let mut machine = live();
    assert_eq!(machine.on_lost(1006, 100), WAITING_250);
    assert_eq!(machine.on_deadline(349), []);
    assert_eq!(machine.on_deadline(350), again(&machine));
}

#[test]
fn every_failure_doubles_the_wait_until_it_has_been_steady() {
    let mut machine = live();
    for expected in [250, 500, 1000] {
        let now_ms = 100;
        let effects = machine.on_lost(1006, now_ms);
        assert_eq!(effects[1], Effect::Report(State::Waiting { retry_in_ms: expected }));
        machine.retry_now(now_ms);
        assert!(machine.on_dialled(machine.attempt(), binding()));
    }
    machine.on_challenge(&challenge(1));
    machine.on_control(&Message::Proven { sequence: 1, rtt_ms: 7 }, 100);
    machine.on_challenge(&challenge(2));
    machine.on_control(&Message::Proven { sequence: 2, rtt_ms: 7 }, 60_100);
    assert_eq!(machine.on_lost(1001, 60_100), WAITING_250);
}

#[test]
fn close_codes_that_need_a_person_are_never_retried() {
    for (code, why) in [(4404, End::EndedByOwner), (4400, End::Refused)] {
        let mut machine = live();
        assert_eq!(machine.on_lost(code, 100), ended(why), "{code}");
        assert_eq!(machine.deadline_ms(), None);
        assert_eq!(machine.on_wake(Line::Down, 200), []);
        assert_eq!(machine.retry_now(200), []);
    }
    for code in [4401, 4413, 4450, 1001, 1005, 1006, 1011, 1012, 1013] {
        assert_eq!(live().on_lost(code, 100), WAITING_250, "{code}");
        assert_eq!(live().on_control(&Message::End { code }, 100), WAITING_250, "{code}");
    }
}

#[test]
fn an_applications_last_word_ends_a_proven_web_socket_and_nothing_else() {
    for code in [1000, 1003, 1008, 3000, 4999] {
        assert_eq!(live().on_lost(code, 100), ended(End::EndedByApplication), "{code}");
        // Nobody has proven to this browser that there is an application, or not since a sleep.
        assert_eq!(proving().on_lost(code, 100), WAITING_250, "{code}");
        let mut woken = live();
        woken.on_wake(Line::Up, 100);
        assert_eq!(woken.on_lost(code, 100), WAITING_250, "{code}");
        // As of any `EventSource`: what ends is opened anew.
        let mut events = live();
        events.dialling = Dialling::Shared;
        assert_eq!(events.on_control(&Message::End { code }, 100), WAITING_250, "{code}");
    }
}

#[test]
fn a_session_that_ended_is_over_unless_another_tab_has_a_new_key() {
    for found in [KeyCheck::Same, KeyCheck::Newer] {
        let mut machine = live();
        machine.on_lost(4403, 100);
        assert_eq!(machine.on_deadline(1_599), []);
        assert_eq!(machine.on_deadline(1_600), [Effect::CheckKey(machine.attempt())]);
        let effects = machine.on_key_checked(machine.attempt(), found, 1_610);
        match found {
            KeyCheck::Same => assert_eq!(effects, ended(End::SignedOut)),
            KeyCheck::Newer => assert_eq!(effects, again(&machine)),
        }
    }
}

#[test]
fn a_look_for_a_new_key_that_never_comes_back_hangs_nothing() {
    let mut machine = live();
    machine.on_lost(4403, 100);
    machine.on_deadline(1_600);
    assert_eq!(machine.on_deadline(6_600), ended(End::SignedOut));
}

#[test]
fn another_tabs_sign_in_is_followed_at_once_and_takes_nothing_along() {
    let mut machine = connecting();
    let attempt = machine.attempt();
    machine.on_not_dialled(attempt, NotDialled::SignedOut, 50);
    let effects = machine.on_key_replaced(60);
    assert_eq!(effects[0], Effect::Drop);
    assert_eq!(effects[1..], again(&machine));
    assert_eq!(live().on_key_replaced(60), [Effect::Drop]);
}

#[test]
fn refusals_of_a_ticket() {
    for (why, end) in [(NotDialled::NoKey, End::NoKey), (NotDialled::Refused, End::Refused)] {
        let mut machine = connecting();
        assert_eq!(machine.on_not_dialled(machine.attempt(), why, 50), ended(end));
    }
    let mut machine = connecting();
    let later = NotDialled::Later { after_ms: 3_000 };
    let effects = machine.on_not_dialled(machine.attempt(), later, 50);
    assert_eq!(effects[1], Effect::Report(State::Waiting { retry_in_ms: 3_250 }));
    let mut machine = connecting();
    let later = NotDialled::Later { after_ms: u64::MAX };
    let effects = machine.on_not_dialled(machine.attempt(), later, 50);
    assert_eq!(effects[1], Effect::Report(State::Waiting { retry_in_ms: 600_250 }));
}

#[test]
fn what_comes_late_from_an_earlier_try_is_nobodys() {
    let mut machine = connecting();
    let first = machine.attempt();
    assert_eq!(machine.on_deadline(15_000), WAITING_250);
    machine.on_deadline(15_250);
    assert!(!machine.on_dialled(first, binding()));
    assert_eq!(machine.on_not_dialled(first, NotDialled::Refused, 15_300), []);
    assert_eq!(machine.on_key_checked(first, KeyCheck::Same, 15_300), []);
}

#[test]
fn a_try_that_is_not_proven_in_time_is_given_up() {
    let mut machine = proving();
    machine.on_challenge(&challenge(1));
    assert_eq!(machine.on_deadline(14_999), []);
    assert_eq!(machine.on_deadline(15_000), WAITING_250);
}

#[test]
fn after_a_sleep_one_round_trip_proves_the_connection_or_ends_it() {
    let mut machine = live();
    let ask = [Effect::Ask, Effect::Report(State::Proving)];
    assert_eq!(machine.on_wake(Line::Up, 1_000), ask);
    assert_eq!(machine.standing(), Standing::Unproven);
    assert_eq!(machine.on_wake(Line::Up, 1_001), []);
    assert_eq!(machine.on_deadline(6_000), hung_up_and_again(&machine));

    let mut machine = live();
    machine.on_wake(Line::Up, 1_000);
    machine.on_challenge(&challenge(2));
    // An overtaken verdict proves nothing.
    assert_eq!(machine.on_control(&Message::Proven { sequence: 1, rtt_ms: 1 }, 1_150), []);
    machine.on_control(&Message::Proven { sequence: 2, rtt_ms: 9 }, 1_200);
    assert_eq!(machine.standing(), Standing::Proven);
    assert_eq!(machine.deadline_ms(), Some(91_200));

    let mut machine = live();
    assert_eq!(machine.on_wake(Line::Down, 1_000), hung_up_and_again(&machine));
}

#[test]
fn a_silent_connection_is_asked_and_then_left() {
    let mut machine = live();
    assert_eq!(machine.on_deadline(90_019), []);
    assert_eq!(machine.on_deadline(90_020), [Effect::Ask, Effect::Report(State::Proving)]);
    assert_eq!(machine.on_deadline(95_020), hung_up_and_again(&machine));
}

#[test]
fn held_is_told_and_lifted_by_the_next_success() {
    let mut machine = live();
    let held = Message::Held { sequence: 2, why: Held::Late };
    assert_eq!(machine.on_control(&held, 100), [Effect::Report(State::Held)]);
    assert_eq!(machine.standing(), Standing::Held);
    assert_eq!(machine.on_wake(Line::Up, 110), [Effect::Ask]);
    machine.on_challenge(&challenge(3));
    let effects = machine.on_control(&Message::Proven { sequence: 3, rtt_ms: 1 }, 130);
    assert_eq!(effects[1], Effect::Release);
}

#[test]
fn a_relayed_or_replayed_challenge_is_refused() {
    let mut machine = live();
    let refusal = Message::Refuse { sequence: 1, why: Refusal::Stale };
    assert_eq!(machine.on_challenge(&challenge(1)), Some(Err(refusal)));
    let relayed = Challenge { connection: ConnectionId::make([3; 16]), ..challenge(2) };
    let refusal = Message::Refuse { sequence: 2, why: Refusal::Relayed };
    assert_eq!(machine.on_challenge(&relayed), Some(Err(refusal)));
}

#[test]
fn words_of_a_browser_from_a_server_are_nonsense() {
    assert_eq!(live().on_control(&Message::Ask, 100), WAITING_250);
}

#[test]
fn the_back_forward_cache_finds_no_connection_and_gets_it_back() {
    let mut machine = live();
    assert_eq!(machine.on_sleep(), [Effect::HangUp, Effect::Leave, Effect::Report(State::Connecting)]);
    assert_eq!(machine.deadline_ms(), None);
    assert_eq!(machine.on_lost(1006, 100), []);
    assert_eq!(machine.on_wake(Line::Down, 1_000), again(&machine));
}

#[test]
fn closing_is_final() {
    for mut machine in [Machine::new(half, Dialling::Alone), connecting(), proving(), live()] {
        assert_eq!(machine.end(End::Closed), ended(End::Closed));
        assert_eq!(machine.end(End::SignedOut), []);
        assert_eq!(machine.start(0), []);
        assert_eq!(machine.on_sleep(), []);
        assert_eq!(machine.on_challenge(&challenge(1)), None);
        assert_eq!(machine.on_wake(Line::Up, 1), []);
    }
}
