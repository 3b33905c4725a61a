//! Starts the page.

use holdfast_web::app::App;
use yew::Renderer;

// A sixth of the size of the standard library's, which is made for larger programs.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

fn main() {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"));
    match root {
        Some(root) => Renderer::<App>::with_root(root).render(),
        None => Renderer::<App>::new().render(),
    };
}
