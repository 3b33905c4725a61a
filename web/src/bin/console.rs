//! Starts the console.

fn main() {
    holdfast_web::browser::show::<holdfast_web::console::Console>();
}
