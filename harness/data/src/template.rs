//! Templates of the text and the token of one event: `"{event} {category} {price_band}"`.

/// The names that a template may use.
pub const PLACEHOLDERS: &[&str] =
    &["event", "item", "title", "category", "price", "price_band", "value", "gap", "query"];

/// Names of price bands from the cheapest up; further bands are `band_6`, `band_7`, ..
const BANDS: [&str; 5] = ["cheap", "mid", "high", "premium", "luxury"];

/// Upper bounds in milliseconds (exclusive) of the pause since the previous event, with the word of each. Longer ones
/// are [`LONGEST_GAP`]. The cuts are the quartiles of pauses inside real click sessions (25, 56 and 129 s), the 30
/// minutes that usually end a session, a day and a week.
const GAPS: [(i64, &str); 6] = [
    (25_000, "at once"),
    (56_000, "quickly"),
    (129_000, "soon"),
    (30 * 60_000, "later"),
    (86_400_000, "hours later"),
    (7 * 86_400_000, "days later"),
];

/// The word of a pause of a week or more.
const LONGEST_GAP: &str = "weeks later";

/// One day in milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Event,
    Item,
    Title,
    Category,
    Price,
    PriceBand,
    Value,
    Gap,
    Query,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Field(Field),
}

/// What an event gives to a template. Absent texts are empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) event: &'a str,
    pub(crate) item: &'a str,
    pub(crate) title: &'a str,
    pub(crate) category: &'a str,
    pub(crate) query: &'a str,
    pub(crate) price: Option<f64>,
    pub(crate) value: Option<f64>,
    /// Pause since the previous event.
    pub(crate) gap_ms: Option<i64>,
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

impl Template {
    /// Reads a template.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            if rest[open..].starts_with('}') {
                return Err("it has a } without a {".to_owned());
            }
            if open > 0 {
                pieces.push(Piece::Literal(rest[..open].to_owned()));
            }
            let inside = &rest[open + 1..];
            let close = inside.find('}').ok_or("it has a { without a }")?;
            pieces.push(Piece::Field(field(&inside[..close])?));
            rest = &inside[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        if !pieces.iter().any(|piece| matches!(piece, Piece::Field(_))) {
            return Err(format!("it has no placeholder; use at least one of {}", braced()));
        }
        Ok(Self(pieces))
    }

    /// True when it needs cuts of prices.
    pub(crate) fn uses_price_band(&self) -> bool {
        self.0.contains(&Piece::Field(Field::PriceBand))
    }

    /// The text of one event. Absent fields are empty, and runs of blanks become one.
    pub(crate) fn render(&self, fields: &Fields<'_>, price_bands: &[f64]) -> String {
        let mut raw = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => raw.push_str(text),
                Piece::Field(field) => push_field(&mut raw, *field, fields, price_bands),
            }
        }
        let mut out = String::with_capacity(raw.len());
        for word in raw.split_whitespace() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
        out
    }
}

fn field(name: &str) -> Result<Field, String> {
    Ok(match name {
        "event" => Field::Event,
        "item" => Field::Item,
        "title" => Field::Title,
        "category" => Field::Category,
        "price" => Field::Price,
        "price_band" => Field::PriceBand,
        "value" => Field::Value,
        "gap" => Field::Gap,
        "query" => Field::Query,
        _ => return Err(format!("no placeholder is named {{{name}}}; there are {}", braced())),
    })
}

fn braced() -> String {
    PLACEHOLDERS.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(" ")
}

fn push_field(out: &mut String, field: Field, fields: &Fields<'_>, price_bands: &[f64]) {
    match field {
        Field::Event => out.push_str(fields.event),
        Field::Item => out.push_str(fields.item),
        Field::Title => out.push_str(fields.title),
        Field::Category => out.push_str(fields.category),
        Field::Query => out.push_str(fields.query),
        Field::Price => push_number(out, fields.price),
        Field::Value => push_number(out, fields.value),
        Field::PriceBand => {
            if let Some(price) = fields.price {
                let band = price_bands.iter().take_while(|cut| price > **cut).count();
                match BANDS.get(band) {
                    Some(name) => out.push_str(name),
                    None => out.push_str(&format!("band_{}", band + 1)),
                }
            }
        }
        Field::Gap => {
            if let Some(gap) = fields.gap_ms {
                out.push_str(GAPS.iter().find(|(below, _)| gap < *below).map_or(LONGEST_GAP, |(_, word)| word));
            }
        }
    }
}

fn push_number(out: &mut String, number: Option<f64>) {
    if let Some(number) = number {
        out.push_str(&number.to_string());
    }
}

/// Checks a template before any data is read.
///
/// # Errors
/// A message that names the valid placeholders.
pub fn check_template(template: &str) -> Result<(), String> {
    Template::parse(template).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, fields: &Fields<'_>) -> String {
        Template::parse(template).unwrap().render(fields, &[10.0, 50.0])
    }

    #[test]
    fn fields_are_filled_in_and_blanks_around_absent_ones_collapse() {
        let fields = Fields { event: "view", category: "shoes", price: Some(12.5), ..Fields::default() };
        assert_eq!(render("{event} {title}  {category} at {price}", &fields), "view shoes at 12.5");
        assert_eq!(render(" {query} {event}:{category}", &fields), "view:shoes");
    }

    #[test]
    fn a_price_on_a_cut_belongs_to_the_lower_band() {
        let band = |price| render("{price_band}", &Fields { price: Some(price), ..Fields::default() });
        assert_eq!((band(10.0), band(10.01), band(50.5)), ("cheap".into(), "mid".into(), "high".into()));
        assert_eq!(render("{price_band}", &Fields::default()), "");
    }

    #[test]
    fn pauses_are_told_in_words() {
        let gap = |gap_ms| render("{gap}", &Fields { gap_ms: Some(gap_ms), ..Fields::default() });
        assert_eq!(gap(0), "at once");
        assert_eq!(gap(25_000), "quickly");
        assert_eq!(gap(29 * 60_000), "later");
        assert_eq!(gap(30 * 60_000), "hours later");
        assert_eq!(gap(9 * DAY_MS), "weeks later");
    }

    #[test]
    fn an_unknown_placeholder_is_answered_with_the_valid_ones() {
        assert_eq!(
            check_template("{event} {colour}").unwrap_err(),
            "no placeholder is named {colour}; there are {event} {item} {title} {category} {price} {price_band} \
             {value} {gap} {query}"
        );
        assert_eq!(check_template("{event").unwrap_err(), "it has a { without a }");
        assert_eq!(check_template("event}").unwrap_err(), "it has a } without a {");
        assert!(check_template("plain").unwrap_err().starts_with("it has no placeholder"));
    }

    #[test]
    fn every_listed_placeholder_parses() {
        for name in PLACEHOLDERS {
            assert_eq!(check_template(&format!("{{{name}}}")), Ok(()), "{name}");
        }
    }
}
