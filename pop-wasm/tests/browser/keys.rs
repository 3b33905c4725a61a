use super::fakes::{
    ORIGIN, break_store, corrupt, fresh, hurry, is_page, is_stored, isolate, leaked, open, page_event,
    signed_in, thumbprint_of, until, until_idle, verified, wipe,
};
use holdfast_pop::{Kept, Options, PopClient, PopError, Status};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

fn listen(client: &PopClient) -> Rc<RefCell<Vec<Status>>> {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let list = Rc::clone(&heard);
    client.on_status(move |status| list.borrow_mut().push(status)).forget();
    heard
}

#[wasm_bindgen_test]
async fn nothing_gives_the_private_half_away() {
    let _client = signed_in().await;
    assert_eq!(leaked().await, "");
}

#[wasm_bindgen_test]
async fn a_proof_is_what_the_server_wants() {
    let client = signed_in().await;
    let proof = client.proof("GET", "/v1/me?x=1#y").await.unwrap();
    let signed = verified(&proof, "GET", "/v1/me");
    assert_eq!(Some(signed.jkt), client.thumbprint());
    assert_eq!(signed.claims.nonce, None);
    assert!(signed.claims.iat > 1_700_000_000);
    client.note_nonce("nonce-1");
    client.note_nonce("no\"nonce");
    let other = client.proof("POST", &[ORIGIN, "/v1/me"].concat()).await.unwrap();
    let other = verified(&other, "POST", "/v1/me");
    assert_eq!(other.claims.nonce.as_deref(), Some("nonce-1"));
    assert_ne!(other.claims.jti, signed.claims.jti);
}

#[wasm_bindgen_test]
async fn other_origins_get_no_proof() {
    let client = signed_in().await;
    for other in ["https://evil.example/v1/me", "//evil.example/", "https://console.example.evil.example/"] {
        assert_eq!(client.proof("GET", other).await, Err(PopError::WrongOrigin), "{other}");
        assert_eq!(client.connect(other, &[]).unwrap_err(), PopError::WrongOrigin, "{other}");
    }
    assert_eq!(client.proof("GE T", "/").await, Err(PopError::BadArgument));
    assert_eq!(client.proof("GET", "/a/../b").await, Err(PopError::BadArgument));
    let opened = PopClient::open(Options::new("evil")).await;
    assert_eq!(opened.err(), Some(PopError::WrongOrigin));
}

#[wasm_bindgen_test]
async fn without_a_key_there_is_nothing_to_prove_with() {
    let client = fresh().await;
    assert_eq!(client.thumbprint(), None);
    assert_eq!(client.proof("GET", "/v1/me").await, Err(PopError::NoKey));
    assert_eq!(client.connect("/v1/streams/activity", &[]).unwrap_err(), PopError::NoKey);
    assert_eq!(client.destroy().await, Ok(()));
}

#[wasm_bindgen_test]
async fn a_made_key_is_not_current_until_it_is_adopted() {
    let client = signed_in().await;
    let before = client.thumbprint().unwrap();
    let key = client.make_key().await.unwrap();
    assert_eq!(client.thumbprint(), Some(before.clone()));
    assert_eq!(open().await.thumbprint(), Some(before.clone()));
    assert_ne!(*key.thumbprint(), before);
    let made = key.thumbprint().clone();
    assert_eq!(thumbprint_of(&key, &client).await, made.to_string());
    assert_eq!(client.adopt(key).await, Ok(Kept::Stored));
    assert_eq!(client.thumbprint(), Some(made.clone()));
    assert_eq!(open().await.thumbprint(), Some(made));
}

#[wasm_bindgen_test]
async fn eight_tabs_have_one_key() {
    let client = signed_in().await;
    let opened: Rc<RefCell<Vec<PopClient>>> = Rc::default();
    for _ in 0..8 {
        let opened = Rc::clone(&opened);
        spawn_local(async move {
            let client = open().await;
            opened.borrow_mut().push(client);
        });
    }
    until("all are open", || opened.borrow().len() == 8).await;
    for other in opened.borrow().iter() {
        assert_eq!(other.thumbprint(), client.thumbprint());
    }
}

#[wasm_bindgen_test]
async fn a_record_that_is_no_key_is_removed() {
    for how in [
        "not an object",
        "no private key",
        "private key is text",
        "public key",
        "extractable",
        "other curve",
        "short x",
        "padded y",
        "other thumbprint",
        "no thumbprint",
    ] {
        drop(signed_in().await);
        corrupt(how).await;
        assert_eq!(open().await.thumbprint(), None, "{how}");
        assert!(!is_stored().await, "{how}");
    }
}

#[wasm_bindgen_test]
async fn a_record_that_cannot_be_read_here_is_left_to_those_who_can() {
    let client = signed_in().await;
    corrupt("unreadable").await;
    assert_eq!(open().await.thumbprint(), None);
    assert_eq!(client.destroy().await, Err(PopError::StorageRefused));
    assert!(is_stored().await);
}

#[wasm_bindgen_test]
async fn without_a_store_the_key_lives_in_this_page() {
    for how in ["open", "put", "hang"] {
        let client = fresh().await;
        let heard = listen(&client);
        break_store(how);
        hurry(100);
        let key = client.make_key().await.unwrap();
        assert_eq!(client.adopt(key).await, Ok(Kept::MemoryOnly), "{how}");
        assert_eq!(*heard.borrow(), [Status::MemoryOnly], "{how}");
        let proof = client.proof("GET", "/v1/me").await.unwrap();
        assert_eq!(Some(verified(&proof, "GET", "/v1/me").jkt), client.thumbprint());
        assert_eq!(client.destroy().await, Ok(()), "{how}");
        assert_eq!(client.thumbprint(), None);
    }
}

#[wasm_bindgen_test]
async fn a_wiped_store_takes_nothing_away_from_an_open_page() {
    let client = signed_in().await;
    wipe().await;
    assert!(!client.refresh_key().await);
    assert!(client.proof("GET", "/v1/me").await.is_ok());
    assert_eq!(open().await.thumbprint(), None);
}

#[wasm_bindgen_test]
async fn a_page_out_of_the_back_forward_cache_has_no_key_that_was_removed_meanwhile() {
    if !is_page() {
        return;
    }
    let client = signed_in().await;
    let heard = listen(&client);
    page_event("pagehide", true);
    assert_eq!(open().await.destroy().await, Ok(()));
    page_event("pageshow", true);
    until("it is told", || !heard.borrow().is_empty()).await;
    assert_eq!(*heard.borrow(), [Status::SignedOut]);
    assert_eq!(client.thumbprint(), None);

    // What was never put into the store is not missing there.
    let client = fresh().await;
    break_store("put");
    let key = client.make_key().await.unwrap();
    assert_eq!(client.adopt(key).await, Ok(Kept::MemoryOnly));
    page_event("pagehide", true);
    page_event("pageshow", true);
    until_idle().await;
    assert!(client.thumbprint().is_some());
}

#[wasm_bindgen_test]
async fn signing_out_removes_the_key_in_every_tab() {
    let client = signed_in().await;
    let other = open().await;
    let (here, there) = (listen(&client), listen(&other));
    assert_eq!(client.destroy().await, Ok(()));
    assert!(!is_stored().await);
    until("the other tab signs out", || !there.borrow().is_empty()).await;
    assert_eq!(*there.borrow(), [Status::SignedOut]);
    assert_eq!(other.thumbprint(), None);
    assert_eq!(*here.borrow(), []);
}

#[wasm_bindgen_test]
async fn signing_in_elsewhere_replaces_the_key_in_every_tab() {
    let client = signed_in().await;
    let other = open().await;
    let there = listen(&other);
    let key = client.make_key().await.unwrap();
    client.adopt(key).await.unwrap();
    until("the other tab has the new key", || !there.borrow().is_empty()).await;
    assert_eq!(*there.borrow(), [Status::KeyReplaced]);
    assert_eq!(other.thumbprint(), client.thumbprint());
}

#[wasm_bindgen_test]
async fn a_late_sign_out_does_not_touch_the_newer_key_of_another_tab() {
    let client = signed_in().await;
    isolate();
    let other = open().await;
    let key = client.make_key().await.unwrap();
    client.adopt(key).await.unwrap();
    assert_ne!(other.thumbprint(), client.thumbprint());
    assert_eq!(other.destroy().await, Ok(()));
    until_idle().await;
    assert!(client.thumbprint().is_some());
    assert_eq!(open().await.thumbprint(), client.thumbprint());
}
