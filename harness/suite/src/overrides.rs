//! `--set path=value`: written into the tree before it is checked, so that an override is judged like the file.

use crate::diagnostic::Diagnostic;
use crate::mistake::Mistake;
use crate::wire::{Entry, Node, Place, Table, Value, read_value};

/// Writes an override into the tree. `source` is its number among the sources of the diagnostics.
///
/// Steps of the path are parted by dots. Behind `dataset`, `encoder` and `clusterer` comes an id; behind `compare`
/// and `gate`, which have none, a number from 1.
pub(crate) fn apply(root: &mut Table, text: &str, source: usize) -> Result<(), Box<Diagnostic>> {
    let whole = Place { source, start: 0, end: text.len() };
    let refuse = |missing| Err(Diagnostic::new(Mistake::OverrideForm { missing }, Some(whole)));
    let Some(equals) = text.find('=') else { return refuse("`=`") };
    let behind = &text[equals + 1..];
    let at = equals + 1 + (behind.len() - behind.trim_start().len());
    if behind.trim().is_empty() {
        return refuse("value");
    }
    let steps = steps(&text[..equals], source);
    if steps.iter().any(|step| step.name.is_empty()) {
        return refuse(if steps.len() == 1 { "path" } else { "name between two dots" });
    }
    let value = read_value(behind.trim(), source, at)?;
    set(root, &steps, value)
}

/// One step of a path.
struct Step<'a> {
    name: &'a str,
    place: Place,
}

fn steps(path: &str, source: usize) -> Vec<Step<'_>> {
    let mut start = 0;
    path.split('.')
        .map(|raw| {
            let name = raw.trim();
            let from = start + (raw.len() - raw.trim_start().len());
            start += raw.len() + 1;
            Step { name, place: Place { source, start: from, end: from + name.len() } }
        })
        .collect()
}

fn set(table: &mut Table, steps: &[Step<'_>], value: Node) -> Result<(), Box<Diagnostic>> {
    let Some((step, rest)) = steps.split_first() else { return Ok(()) };
    let position = table.entries.iter().position(|entry| entry.key == step.name);
    if rest.is_empty() {
        let entry = Entry { key: step.name.to_owned(), key_place: step.place, node: value };
        match position {
            Some(at) => table.entries[at] = entry,
            None => table.entries.push(entry),
        }
        return Ok(());
    }
    let at = position.unwrap_or_else(|| {
        let node = Node { value: Value::Table(Table::default()), place: step.place };
        table.entries.push(Entry { key: step.name.to_owned(), key_place: step.place, node });
        table.entries.len() - 1
    });
    match &mut table.entries[at].node.value {
        Value::Table(inner) => set(inner, rest, value),
        Value::List(nodes) => match rest.split_first() {
            Some((id, behind)) => {
                let inner = element(nodes, step.name, id)?;
                if behind.is_empty() {
                    return Err(Diagnostic::new(Mistake::OverrideTable { step: id.name.to_owned() }, Some(id.place)));
                }
                set(inner, behind, value)
            }
            None => Ok(()),
        },
        other => {
            let mistake = Mistake::OverrideThrough { step: step.name.to_owned(), found: other.type_name().to_owned() };
            Err(Diagnostic::new(mistake, Some(step.place)))
        }
    }
}

/// The table of a `[[what]]` with that id, or of that number where tables have no ids.
fn element<'a>(nodes: &'a mut [Node], what: &str, step: &Step<'_>) -> Result<&'a mut Table, Box<Diagnostic>> {
    let mut names = Vec::new();
    let mut found = None;
    for (at, node) in nodes.iter().enumerate() {
        if let Value::Table(table) = &node.value {
            let name = table.text("id").map_or_else(|| (at + 1).to_string(), str::to_owned);
            if name == step.name {
                found = Some(at);
            }
            names.push(name);
        }
    }
    match found.map(|at| &mut nodes[at].value) {
        Some(Value::Table(table)) => Ok(table),
        _ => {
            let mistake = Mistake::UnknownName {
                what: what.to_owned(),
                name: step.name.to_owned(),
                origin: "in this suite",
                valid: names,
            };
            Err(Diagnostic::new(mistake, Some(step.place)))
        }
    }
}
