//! `[[encoder]]` with its post steps, and `[[clusterer]]`: kinds and parameters against the catalogue.

use trailmark_core::spec::ParamDefault;
use trailmark_core::{Catalogue, Params, Spec};

use super::{EMPTY, Ids, owned, required_tables};
use crate::checked::{ClustererArm, EncoderArm, PostStep};
use crate::diagnostic::Sink;
use crate::fields;
use crate::mistake::Mistake;
use crate::reader::{Located, Reader, single};
use crate::wire::Value;

/// The encoder id of the controls that all arms share.
const SHARED_CONTROLS: &str = "none";

pub(super) fn encoders(root: &Reader<'_>, catalogue: &Catalogue) -> Vec<EncoderArm> {
    let mut ids = Ids::default();
    let mut arms = Vec::new();
    let mut fusions = Vec::new();
    for (table, place) in required_tables(root, "encoder", &fields::ENCODER) {
        let mut reader = Reader::lenient(&fields::ENCODER, table, Some(place), root.sink);
        let id = ids.take(&reader, "encoder");
        if id == SHARED_CONTROLS {
            let reason = "cells of the controls that all encoders share have this name";
            root.sink.push(Mistake::BadId { key: "id".to_owned(), id: id.clone(), reason }, reader.place_of("id"));
        }
        let post = post(&reader, catalogue);
        let specs = catalogue.encoder_specs();
        let names = || specs.iter().map(|spec| spec.name);
        let find = |name: &str| specs.iter().find(|spec| spec.name == name).copied();
        if let Some(spec) = kind(&reader, "encoder", find, names) {
            let params = arm_params(&mut reader, spec);
            match catalogue.fusion(spec.name) {
                Some(entry) => fusions.push((arms.len(), parts(&reader, entry.max_parts))),
                None if reader.node("parts").is_some() => {
                    let beside = format!("with kind = {:?}: only fusions have parts", spec.name);
                    let mistake = Mistake::Meaningless { key: "parts".to_owned(), beside };
                    root.sink.push(mistake, reader.key_place("parts"));
                }
                None => {}
            }
            arms.push(EncoderArm { id, spec, params, post, parts: Vec::new() });
        }
    }
    let is_fusion: Vec<usize> = fusions.iter().map(|(at, _)| *at).collect();
    for (at, parts) in fusions {
        for (name, place) in parts {
            match arms.iter().position(|arm| arm.id == name) {
                Some(part) if is_fusion.contains(&part) => {
                    root.sink.push(Mistake::NestedFusion { id: name }, Some(place));
                }
                Some(part) => arms[at].parts.push(part),
                // An arm that is declared and wrong has been reported where it stands.
                None if ids.has(&name) => {}
                None => {
                    let encoders = arms.iter().enumerate().filter(|(at, _)| !is_fusion.contains(at));
                    let valid = owned(encoders.map(|(_, arm)| arm.id.as_str()));
                    let what = "encoder".to_owned();
                    root.sink.push(Mistake::UnknownName { what, name, origin: "in this suite", valid }, Some(place));
                }
            }
        }
    }
    arms
}

/// Ids of the parts of a fusion, at least two and each once.
fn parts(reader: &Reader<'_>, max_parts: Option<usize>) -> Vec<Located<String>> {
    let Some(parts) = reader.names("parts") else {
        if reader.node("parts").is_none() {
            let mistake = Mistake::MissingKey {
                within: reader.within.clone(),
                key: "parts".to_owned(),
                about: "parts: ids of the encoders that it joins; takes a list of at least two".to_owned(),
            };
            reader.sink.push(mistake, reader.place);
        }
        return Vec::new();
    };
    let n_parts = parts.len();
    if n_parts < 2 || max_parts.is_some_and(|most| n_parts > most) {
        let range = match max_parts {
            Some(2) => "two encoders".to_owned(),
            Some(most) => format!("2 to {most} encoders"),
            None => "two encoders or more".to_owned(),
        };
        let mistake = Mistake::NumberOfParts { within: reader.within.clone(), range, n_parts };
        reader.sink.push(mistake, reader.place_of("parts"));
    }
    parts
}

pub(super) fn clusterers(root: &Reader<'_>, catalogue: &Catalogue) -> Vec<ClustererArm> {
    let mut ids = Ids::default();
    let mut arms = Vec::new();
    for (table, place) in required_tables(root, "clusterer", &fields::CLUSTERER) {
        let mut reader = Reader::lenient(&fields::CLUSTERER, table, Some(place), root.sink);
        let id = ids.take(&reader, "clusterer");
        let names = || catalogue.clusterers.iter().map(|entry| entry.spec.name);
        let found = kind(&reader, "clusterer", |name| catalogue.clusterer(name).map(|entry| entry.spec), names);
        if let Some(spec) = found {
            let params = arm_params(&mut reader, spec);
            let n_clusters = catalogue.clusterer(spec.name).map(|entry| entry.n_clusters).unwrap_or_default();
            arms.push(ClustererArm { id, spec, n_clusters, params });
        }
    }
    arms
}

/// The Spec of `kind`. Without one nobody knows which other keys are right, so they are left unjudged.
fn kind<'a, N: Iterator<Item = &'a str>>(
    reader: &Reader<'_>,
    what: &str,
    find: impl Fn(&str) -> Option<&'static Spec>,
    names: impl Fn() -> N,
) -> Option<&'static Spec> {
    named(reader.text("kind")?, reader.sink, what, find, names)
}

/// The Spec of a name and its place.
fn named<'a, N: Iterator<Item = &'a str>>(
    (name, place): Located<String>,
    sink: &Sink,
    what: &str,
    find: impl Fn(&str) -> Option<&'static Spec>,
    names: impl Fn() -> N,
) -> Option<&'static Spec> {
    let spec = find(&name);
    if spec.is_none() {
        let mistake = Mistake::UnknownName { what: what.to_owned(), name, origin: "built in", valid: owned(names()) };
        sink.push(mistake, Some(place));
    }
    spec
}

fn arm_params(reader: &mut Reader<'_>, spec: &'static Spec) -> Params {
    reader.within = format!("{} of kind {:?}", reader.section.name, spec.name);
    reader.refuse_unknown(spec.params);
    params(reader, spec)
}

/// The parameters of a Spec that stand beside the reader's own keys.
pub(super) fn params(reader: &Reader<'_>, spec: &'static Spec) -> Params {
    let mut params = Params::defaults(spec);
    for param in spec.params {
        match reader.node(param.name) {
            Some(node) => {
                if let Some(value) = single(reader.sink, param.name, param.summary, param.kind, node) {
                    params.set(param.name, value);
                }
            }
            None if param.default == ParamDefault::Required => {
                let about = format!("{}: {}; takes {}", param.name, param.summary, param.kind);
                let mistake = Mistake::MissingKey { within: reader.within.clone(), key: param.name.to_owned(), about };
                reader.sink.push(mistake, reader.place);
            }
            None => {}
        }
    }
    params
}

/// The post steps: a word is the step with its defaults, a table names it as `kind` and gives its parameters.
fn post(reader: &Reader<'_>, catalogue: &Catalogue) -> Vec<PostStep> {
    let find = |name: &str| catalogue.post(name).map(|entry| entry.spec);
    let names = || catalogue.posts.iter().map(|entry| entry.spec.name);
    let mut steps = Vec::new();
    for node in reader.nodes("post").unwrap_or_default() {
        match &node.value {
            Value::Text(name) => {
                let found = named((name.clone(), node.place), reader.sink, "post step", find, names);
                // A step that must be told something says so as if the word were its table.
                let table = Reader::lenient(&fields::POST_STEP, &EMPTY, Some(node.place), reader.sink);
                steps.extend(found.map(|spec| post_step(table, spec)));
            }
            Value::Table(table) => {
                let table = Reader::lenient(&fields::POST_STEP, table, Some(node.place), reader.sink);
                let found = kind(&table, "post step", find, names);
                steps.extend(found.map(|spec| post_step(table, spec)));
            }
            _ => reader.wrong_type("post", node),
        }
    }
    steps
}

fn post_step(mut reader: Reader<'_>, spec: &'static Spec) -> PostStep {
    PostStep { spec, params: arm_params(&mut reader, spec) }
}
