/// A part's role, in the words of WAI-ARIA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Alert,
    AlertDialog,
    Banner,
    Button,
    Cell,
    Checkbox,
    ColumnHeader,
    Combobox,
    ContentInfo,
    Dialog,
    Form,
    Group,
    Heading,
    /// A heading of one level, 1 to 6.
    HeadingLevel(u8),
    Image,
    Link,
    List,
    ListItem,
    Log,
    Main,
    Navigation,
    Option,
    ProgressBar,
    Radio,
    Region,
    Row,
    Search,
    Status,
    Switch,
    Tab,
    Table,
    TabPanel,
    Textbox,
    Timer,
}

impl Role {
    /// The name in WAI-ARIA, and its older or newer spelling where browsers differ.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Alert => &["alert"],
            Self::AlertDialog => &["alertdialog"],
            Self::Banner => &["banner"],
            Self::Button => &["button"],
            Self::Cell => &["cell", "gridcell"],
            Self::Checkbox => &["checkbox"],
            Self::ColumnHeader => &["columnheader"],
            Self::Combobox => &["combobox"],
            Self::ContentInfo => &["contentinfo"],
            Self::Dialog => &["dialog"],
            Self::Form => &["form"],
            Self::Group => &["group"],
            Self::Heading | Self::HeadingLevel(_) => &["heading"],
            Self::Image => &["image", "img"],
            Self::Link => &["link"],
            Self::List => &["list"],
            Self::ListItem => &["listitem"],
            Self::Log => &["log"],
            Self::Main => &["main"],
            Self::Navigation => &["navigation"],
            Self::Option => &["option"],
            Self::ProgressBar => &["progressbar"],
            Self::Radio => &["radio"],
            Self::Region => &["region"],
            Self::Row => &["row"],
            Self::Search => &["search"],
            Self::Status => &["status"],
            Self::Switch => &["switch"],
            Self::Tab => &["tab"],
            Self::Table => &["table"],
            Self::TabPanel => &["tabpanel"],
            Self::Textbox => &["textbox"],
            Self::Timer => &["timer"],
        }
    }

    /// A selector of everything that may have the role: by itself, or because it says so. The browser
    /// has the last word on each candidate.
    pub(super) fn candidates(self) -> String {
        let implicit = match self {
            Self::Banner => "header",
            Self::Button => "button, summary, input[type=button], input[type=submit], input[type=reset]",
            Self::Cell => "td",
            Self::Checkbox => "input[type=checkbox]",
            Self::ColumnHeader => "th",
            Self::Combobox => "select, input[list]",
            Self::ContentInfo => "footer",
            Self::Dialog => "dialog",
            Self::Form => "form",
            Self::Group => "fieldset, details",
            Self::Heading => "h1, h2, h3, h4, h5, h6",
            Self::HeadingLevel(level) => {
                return format!("h{level}:not([aria-level]), [role=heading][aria-level='{level}']");
            }
            Self::Image => "img, svg, [role=image]",
            Self::Link => "a[href]",
            Self::List => "ul, ol, menu",
            Self::ListItem => "li",
            Self::Main => "main",
            Self::Navigation => "nav",
            Self::Option => "option",
            Self::ProgressBar => "progress",
            Self::Radio => "input[type=radio]",
            Self::Region => "section",
            Self::Row => "tr",
            Self::Search => "search",
            Self::Status => "output",
            Self::Switch => "input[type=checkbox][switch]",
            Self::Table => "table",
            Self::Textbox => {
                "input:not([type]), input[type=text], input[type=email], input[type=password], \
                 input[type=tel], input[type=url], textarea, [contenteditable]"
            }
            Self::Alert | Self::AlertDialog | Self::Log | Self::Tab | Self::TabPanel | Self::Timer => "",
        };
        let explicit = self.names().iter().map(|name| format!("[role={name}]"));
        let implicit = (!implicit.is_empty()).then(|| implicit.to_owned());
        explicit.chain(implicit).collect::<Vec<_>>().join(", ")
    }
}
