/// `2026-11-22 14:05 UTC`: the same text on both sides, wherever they are.
pub fn utc_minute(ms: u64) -> String {
    let minutes = ms / 60_000;
    let (days, minute_of_day) = (minutes / 1440, minutes % 1440);
    let Date { year, month, day } = Date::of(days);
    let two = |number: u64| [if number < 10 { "0" } else { "" }, &number.to_string()].concat();
    let (hour, minute) = (minute_of_day / 60, minute_of_day % 60);
    [&year.to_string(), "-", &two(month), "-", &two(day), " ", &two(hour), ":", &two(minute), " UTC"].concat()
}

/// A day of the Gregorian calendar.
struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Date {
    /// So many days after the first of January 1970. Counted from a first of March, leap days come last.
    fn of(days: u64) -> Self {
        const FROM_YEAR_0: u64 = 719_468;
        const IN_400_YEARS: u64 = 146_097;
        let days = days + FROM_YEAR_0;
        let (eras, day) = (days / IN_400_YEARS, days % IN_400_YEARS);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        // March to July, and August to December, have 153 days each.
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Self { year: eras * 400 + year + next_year, month, day }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_the_calendars_dates() {
        for (day, date) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_453, "2025-12-31"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(utc_minute(day * 86_400_000), format!("{date} 00:00 UTC"));
            assert_eq!(utc_minute(day * 86_400_000 + 86_399_999), format!("{date} 23:59 UTC"));
        }
    }
}
