use crate::support::{Browser, World, name_of};
use holdfast_protocol::{history::ActivityPage, problem::Code};

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
