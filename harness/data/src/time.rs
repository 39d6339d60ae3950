//! How the time of a row is written, and what it is in Unix milliseconds.

use csv::StringRecord;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use trailmark_core::config::TimeColumns;

use crate::error::DataError;
use crate::events::Clock;
use crate::table::{Table, missing};
use crate::template::DAY_MS;

/// Times beyond this many milliseconds are no times (the year 9999).
const LATEST_MS: f64 = 253_402_207_200_000.0;

pub(crate) const MISSING: &str = "missing_time";
pub(crate) const UNREADABLE: &str = "unreadable_time";

/// Columns resolved to places.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TimeReader {
    FileOrder,
    UnixS(usize),
    UnixMs(usize),
    Iso(usize),
    Parts([usize; 3]),
}

impl TimeReader {
    pub(crate) fn new(table: &Table, time: Option<&TimeColumns>) -> Result<Self, DataError> {
        Ok(match time {
            None => Self::FileOrder,
            Some(TimeColumns::UnixS { column }) => Self::UnixS(table.column(column, "time")?),
            Some(TimeColumns::UnixMs { column }) => Self::UnixMs(table.column(column, "time")?),
            Some(TimeColumns::Iso { column }) => Self::Iso(table.column(column, "time")?),
            Some(TimeColumns::Parts { year, month, day }) => {
                Self::Parts([table.column(year, "year")?, table.column(month, "month")?, table.column(day, "day")?])
            }
        })
    }

    /// What the times mean.
    pub(crate) fn clock(self) -> Clock {
        match self {
            Self::FileOrder => Clock::None,
            Self::Parts(_) => Clock::Days,
            Self::UnixS(_) | Self::UnixMs(_) | Self::Iso(_) => Clock::Instants,
        }
    }

    /// The time of a row in Unix milliseconds, or the reason to drop it.
    pub(crate) fn read(self, row: &StringRecord) -> Result<i64, &'static str> {
        let field = |at: usize| Some(&row[at]).filter(|text| !missing(text)).ok_or(MISSING);
        match self {
            Self::FileOrder => Ok(0),
            Self::UnixS(at) => unix(field(at)?, 1000),
            Self::UnixMs(at) => unix(field(at)?, 1),
            Self::Iso(at) => iso(field(at)?).ok_or(UNREADABLE),
            Self::Parts([year, month, day]) => {
                let date = || {
                    let (year, month) = (row[year].parse().ok()?, row[month].parse().ok()?);
                    Date::new(year, month, row[day].parse().ok()?).ok()
                };
                for at in [year, month, day] {
                    field(at)?;
                }
                let date = date().ok_or(UNREADABLE)?;
                let days = date.since(Date::constant(1970, 1, 1)).map_err(|_| UNREADABLE)?.get_days();
                Ok(i64::from(days) * DAY_MS)
            }
        }
    }
}

fn unix(text: &str, scale: i64) -> Result<i64, &'static str> {
    let ms = match text.parse::<i64>() {
        Ok(whole) => whole.checked_mul(scale).ok_or(UNREADABLE)?,
        Err(_) => {
            let ms = text.parse::<f64>().map_err(|_| UNREADABLE)? * scale as f64;
            if !ms.is_finite() || ms.abs() > LATEST_MS {
                return Err(UNREADABLE);
            }
            ms.round() as i64
        }
    };
    if (ms as f64).abs() > LATEST_MS { Err(UNREADABLE) } else { Ok(ms) }
}

/// ISO 8601 with or without zone (UTC then); `T` or a blank; an optional ` UTC`.
fn iso(text: &str) -> Option<i64> {
    let text = text.strip_suffix(" UTC").unwrap_or(text).trim_end();
    // The zoned form first: a civil time would read "+02:00" and forget it.
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_millisecond());
    }
    let civil = text.parse::<DateTime>().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_that_pandas_reads() {
        for case in &trailmark_kit::oracle("data", "time").case {
            let expected = case["ms"].as_integer().unwrap();
            if let Some(text) = case.get("iso") {
                assert_eq!(iso(text.as_str().unwrap()), Some(expected), "{text}");
            } else {
                let parts = case["parts"].as_array().unwrap().iter().map(toml::Value::to_string).collect::<Vec<_>>();
                let row = StringRecord::from(parts);
                assert_eq!(TimeReader::Parts([0, 1, 2]).read(&row), Ok(expected), "{row:?}");
            }
        }
        for text in ["yesterday", "2019-02-30", "2019-10-01 25:00:00", "1569888000"] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    #[test]
    fn unix_times_are_exact_in_whole_numbers_and_rounded_in_fractions() {
        assert_eq!(unix("881250949", 1000), Ok(881_250_949_000));
        assert_eq!(unix("1.5", 1000), Ok(1500));
        assert_eq!(unix("1659304800025", 1), Ok(1_659_304_800_025));
        assert_eq!(unix("NaN", 1000), Err(UNREADABLE));
        assert_eq!(unix("9223372036854775807", 1000), Err(UNREADABLE));
    }
}
