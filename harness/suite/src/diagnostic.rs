//! Mistakes with their places, and how they look: message, source line, caret, help.

use std::cell::RefCell;
use std::fmt;

use crate::mistake::Mistake;
use crate::wire::Place;

/// Collects mistakes while a suite is checked, so that one pass finds all of them.
#[derive(Debug)]
pub(crate) struct Sink {
    file_name: String,
    /// The file, then every override as it stood behind `--set`.
    sources: Vec<String>,
    found: RefCell<Vec<Diagnostic>>,
}

impl Sink {
    pub(crate) fn new(file_name: &str, text: &str, overrides: &[String]) -> Self {
        let sources = std::iter::once(text.to_owned()).chain(overrides.iter().cloned()).collect();
        Self { file_name: file_name.to_owned(), sources, found: RefCell::default() }
    }

    pub(crate) fn push(&self, mistake: Mistake, place: Option<Place>) {
        self.add(Diagnostic { mistake, place });
    }

    pub(crate) fn add(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Where a place is, in words, for a message about another place.
    pub(crate) fn words(&self, place: Place) -> String {
        if place.source == 0 {
            format!("on line {}", Spot::of(&self.sources[0], place).line)
        } else {
            "on the command line".to_owned()
        }
    }

    /// The place of a part of a text value, where the text is written without escapes; else the whole value.
    pub(crate) fn part(&self, place: Place, text: &str, start: usize, end: usize) -> Place {
        let raw = &self.sources[place.source][place.start..place.end];
        match raw.find(text) {
            Some(at) => Place { source: place.source, start: place.start + at + start, end: place.start + at + end },
            None => place,
        }
    }

    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        let mut found = self.found.into_inner();
        // Stable, so that mistakes of one place stay in the order they were found.
        found.sort_by_key(|diagnostic| diagnostic.place.map_or((usize::MAX, 0), |place| (place.source, place.start)));
        Diagnostics { file_name: self.file_name, sources: self.sources, found }
    }
}

/// A mistake and its place; none when something is missing from the whole file.
#[derive(Debug, Clone)]
pub(crate) struct Diagnostic {
    mistake: Mistake,
    place: Option<Place>,
}

impl Diagnostic {
    /// Boxed, because it travels as an error.
    pub(crate) fn new(mistake: Mistake, place: Option<Place>) -> Box<Self> {
        Box::new(Self { mistake, place })
    }
}

/// All mistakes of a suite. Its `Display` is for people.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    file_name: String,
    sources: Vec<String>,
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Number of mistakes.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Never true for what `load` and `parse` return.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// True when the file could not even be read, so that nothing is known about the suite.
    pub fn is_unreadable(&self) -> bool {
        self.mistakes().any(|mistake| matches!(mistake, Mistake::Unreadable { .. }))
    }

    /// The mistakes in order of place.
    pub fn mistakes(&self) -> impl Iterator<Item = &Mistake> {
        self.found.iter().map(|diagnostic| &diagnostic.mistake)
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.found.iter().enumerate() {
            if at > 0 {
                f.write_str("\n\n")?;
            }
            self.render(diagnostic, f)?;
        }
        Ok(())
    }
}

impl Diagnostics {
    fn render(&self, diagnostic: &Diagnostic, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { mistake, place } = diagnostic;
        write!(f, "error: {mistake}")?;
        let mut gutter = 1;
        match place {
            None => write!(f, "\n --> {}", self.file_name)?,
            Some(place) => {
                let spot = Spot::of(&self.sources[place.source], *place);
                let (title, number, before) = if place.source == 0 {
                    (format!("{}:{}:{}", self.file_name, spot.line, spot.column), spot.line.to_string(), "")
                } else {
                    ("command line".to_owned(), " ".to_owned(), "--set ")
                };
                gutter = number.len();
                let blank = " ".repeat(gutter);
                let indent = " ".repeat(before.len() + spot.indent);
                let carets = "^".repeat(spot.width);
                let label = mistake.label().map(|label| format!(" {label}")).unwrap_or_default();
                write!(f, "\n{blank}--> {title}\n{blank} |\n{number} | {before}{}", spot.text)?;
                write!(f, "\n{blank} | {indent}{carets}{label}")?;
            }
        }
        for help in mistake.help() {
            write!(f, "\n{} = help: {help}", " ".repeat(gutter))?;
        }
        Ok(())
    }
}

/// A place as people see it.
struct Spot {
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    /// The line, tabs as single blanks.
    text: String,
    /// Columns on the screen before the token.
    indent: usize,
    /// Columns of the token on its first line, at least 1.
    width: usize,
}

impl Spot {
    fn of(source: &str, place: Place) -> Self {
        let start = floor_char_boundary(source, place.start);
        let end = floor_char_boundary(source, place.end).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let before = &source[line_start..start];
        let token = &source[start..end.min(line_end)];
        Self {
            line: source[..line_start].matches('\n').count() + 1,
            column: before.chars().count() + 1,
            text: source[line_start..line_end].trim_end().replace('\t', " "),
            indent: screen_width(before),
            width: screen_width(token.trim_end()).max(1),
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Columns on a terminal: the East Asian wide blocks take two, so that carets stand below Chinese text too.
fn screen_width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
