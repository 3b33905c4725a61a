//! Starts the Security page.

fn main() {
    holdfast_web::browser::show::<holdfast_web::app::App>();
}
