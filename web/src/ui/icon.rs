use crate::ui::{Content as _, classed, element, hidden};
use yew::prelude::Html;

/// A picture that says nothing by itself: words stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Knot,
    Laptop,
    Phone,
    Key,
    Cloud,
    Check,
    Warning,
    Info,
    Person,
    Pencil,
    Pulse,
    List,
    Door,
    Copy,
    Down,
    Printer,
}

impl Icon {
    /// Paths in a square of 24, drawn with a line.
    const fn paths(self) -> &'static [&'static str] {
        match self {
            Icon::Knot => &["M12 3v18M6 8c0 4 12 4 12 8", "M6 8a6 6 0 0 1 6-5M18 16a6 6 0 0 1-6 5"],
            Icon::Laptop => &["M5.5 5h13A1.5 1.5 0 0 1 20 6.5V16H4V6.5A1.5 1.5 0 0 1 5.5 5Z", "M2 19h20"],
            Icon::Phone => {
                &["M9 3h6a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2Z", "M11 18h2"]
            }
            Icon::Key => &["M4 12a4 4 0 1 0 8 0 4 4 0 1 0-8 0", "M12 12h9M18 12v3"],
            Icon::Cloud => &["M7 18a4 4 0 0 1-.6-8A6 6 0 0 1 18 9.5a4.3 4.3 0 0 1-.5 8.5Z"],
            Icon::Check => &["m5 12.5 4.5 4.5L19 7.5"],
            Icon::Warning => &["M12 4 2.8 19.5h18.4Z", "M12 10v4.5M12 17v.2"],
            Icon::Info => &["M3 12a9 9 0 1 0 18 0 9 9 0 1 0-18 0", "M12 11v5.5M12 7.6v.2"],
            Icon::Person => &["M8 8a4 4 0 1 0 8 0 4 4 0 1 0-8 0", "M4.5 20c.6-4 3.6-6 7.5-6s6.9 2 7.5 6"],
            Icon::Pencil => &["m4 20 1-4.5L15.5 5l3.5 3.5L8.5 19Z", "m13.5 7 3.5 3.5"],
            Icon::Pulse => &["M2.5 12h4l2.5-6 5 12 2.5-6h5"],
            Icon::List => &["M9 6h11M9 12h11M9 18h11", "M4.5 6h.1M4.5 12h.1M4.5 18h.1"],
            Icon::Door => &["M13.5 4H6v16h7.5", "M10.5 12H21M17.5 8.5 21 12l-3.5 3.5"],
            Icon::Copy => &["M9 9h11v11H9Z", "M5.5 15H4V4h11v1.5"],
            Icon::Down => &["M12 4v11M7.5 11l4.5 4.5 4.5-4.5", "M4 20h16"],
            Icon::Printer => &["M7 9V4h10v5M7 17H4V9h16v8h-3", "M7 14h10v6H7Z"],
        }
    }
}

/// As it is drawn.
pub fn picture(icon: Icon) -> Html {
    let paths = icon.paths().iter().map(|d| element("path").attr("d", *d));
    hidden(classed("svg", "icon")).attr("viewBox", "0 0 24 24").with_each(paths).into_html()
}
