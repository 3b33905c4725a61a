use crate::support::{Browser, Line, World, name_of, run};
use holdfast_protocol::{connections::Transport, history::ActivityPage, problem::Code};
use holdfast_server::db::Db;

async fn names(browser: &Browser, path: &str) -> (Vec<String>, bool) {
    let page: ActivityPage = browser.get(path).await.json();
    assert!(page.events.iter().all(|event| event.at_ms == 1_800_000_000_000));
    (page.events.iter().filter_map(name_of).map(str::to_owned).collect(), page.more)
}

#[tokio::test]
async fn the_trail_is_read_page_by_page_the_newest_first() {
    let world = World::new().await;
    let (browser, stranger) = (world.browser().await, world.browser().await);
    let all: Vec<String> = (1..=120).map(|number| number.to_string()).collect();
    world.all_happen(&browser.account, &all).await;
    world.happens(&stranger.account, "a stranger's").await;

    let newest_first = |from: usize, to: usize| -> Vec<String> {
        (to..=from).rev().map(|number| number.to_string()).collect()
    };
    assert_eq!(names(&browser, "/v1/activity").await, (newest_first(120, 71), true));
    assert_eq!(names(&browser, "/v1/activity?limit=100").await, (newest_first(120, 21), true));
    assert_eq!(names(&browser, "/v1/activity?before=71").await, (newest_first(70, 21), true));
    assert_eq!(names(&browser, "/v1/activity?limit=20&before=21").await, (newest_first(20, 1), false));
    assert_eq!(names(&browser, "/v1/activity?before=1").await, (vec![], false));
    assert_eq!(names(&stranger, "/v1/activity").await, (vec!["a stranger's".to_owned()], false));
}

/// Longer than any page is what somebody has altered here; it hides nothing that lies behind it.
#[tokio::test]
async fn what_cannot_be_read_is_passed_over() {
    let world = World::new().await;
    let browser = world.browser().await;
    let all: Vec<String> = (1..=60).map(|number| number.to_string()).collect();
    world.all_happen(&browser.account, &all).await;
    let mut altered = vec![
        "UPDATE activity SET what = '{}' WHERE id BETWEEN 31 AND 56",
        "UPDATE activity SET session_id = '' WHERE id BETWEEN 11 AND 30",
    ];
    if matches!(world.app.db, Db::Sqlite(_)) {
        altered.extend([
            "UPDATE activity SET what = CAST(what AS BLOB) WHERE id BETWEEN 31 AND 50",
            "UPDATE activity SET what = CAST(X'ff' AS TEXT) WHERE id BETWEEN 16 AND 20",
            "UPDATE activity SET at_ms = CAST(at_ms AS BLOB) WHERE id BETWEEN 11 AND 15",
        ]);
    }
    for altered in altered {
        run!(world.app.db, altered);
    }
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let shown = names(&browser, "/v1/activity?limit=6").await;
    assert_eq!(shown, (named(&["60", "59", "58", "57", "10", "9"]), true));
    let shown = names(&browser, "/v1/activity?limit=6&before=57").await;
    assert_eq!(shown, (named(&["10", "9", "8", "7", "6", "5"]), true));
    let shown = names(&browser, "/v1/activity?limit=4&before=5").await;
    assert_eq!(shown, (named(&["4", "3", "2", "1"]), false));

    // Nor is what happens next kept from the live stream.
    let mut line = Line::open(&browser, Transport::WebSocket).await;
    line.prove().await;
    for number in 61_i64..=140 {
        let insert = "INSERT INTO activity (account_id, id, at_ms, what) VALUES ($1, $2, 1, '{}')";
        run!(world.app.db, insert, browser.account.as_str(), number);
    }
    run!(world.app.db, "UPDATE accounts SET activity_count = 140 WHERE id = $1", browser.account.as_str());
    world.happens(&browser.account, "after them").await;
    assert_eq!(name_of(&line.hear_activity().await), Some("after them"));
}

#[tokio::test]
async fn a_query_of_another_shape_is_refused() {
    let world = World::new().await;
    let browser = world.browser().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=-1",
        "limit=5&limit=5",
        "before=0",
        "before=-3",
        "before=9223372036854775808",
        "before=",
        "account=acc_0000-0000-0000-0000",
    ] {
        let answer = browser.get(&format!("/v1/activity?{query}")).await;
        assert_eq!(answer.code(), Code::InvalidRequest, "{query}");
    }
}
