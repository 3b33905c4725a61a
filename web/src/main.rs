//! Starts the page.

use holdfast_web::app::App;
use yew::Renderer;

fn main() {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"));
    match root {
        Some(root) => Renderer::<App>::with_root(root).render(),
        None => Renderer::<App>::new().render(),
    };
}
