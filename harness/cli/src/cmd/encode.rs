//! `trailmark encode KIND FILE -o OUT`: vectors of plain texts, without a suite.

use std::collections::BTreeMap;
use std::path::Path;

use trailmark_core::contract::{Context, Scope};
use trailmark_core::{SequenceView, Sequences, random};
use trailmark_data::AssetStore;

use crate::args::EncodeArgs;
use crate::catalogue::catalogue;
use crate::error::{CliError, CliResult};
use crate::output::{answer, note};
use crate::{exit_code, host, runs, vectors};

/// A suite around the one encoder, so that kinds, parameters and messages are those of suites.
const AROUND: &str = r#"schema = 1
suite.name = "encode"
dataset = [{ id = "texts", source = "synthetic", labels = ["persona"] }]
encoder = [{ id = "encoder", kind = "tfidf" }]
clusterer = [{ id = "kmeans", kind = "kmeans" }]
score.primary = "adjusted_rand_score"
"#;

pub(crate) fn run(args: &EncodeArgs) -> CliResult<u8> {
    let catalogue = catalogue();
    if catalogue.fusion(&args.kind).is_some() {
        let what = format!("{} joins the vectors of other encoders; declare it in a suite, with parts", args.kind);
        return Err(CliError::new(exit_code::USAGE, format!("error: {what}")));
    }
    let text = AROUND.replace("\"tfidf\"", &format!("{:?}", args.kind));
    let set: Vec<String> = args.set.iter().map(|set| format!("encoder.encoder.{set}")).collect();
    let folder = std::env::current_dir()?;
    let suite = trailmark_suite::parse(&text, "encode", &folder, &set, &runs::check_context(&catalogue))
        .map_err(|mistakes| CliError::new(exit_code::SUITE, mistakes))?;
    let arm = &suite.encoders[0];
    let refuse = |what: String| CliError::new(exit_code::DATA, format!("error: {what}"));
    let entry = catalogue.encoder(arm.spec.name).ok_or_else(|| refuse(format!("no encoder {}", arm.spec.name)))?;

    vectors::check_format(&args.output)?;
    let texts = read(&args.file, args.column.as_deref())?;
    let sequences = sequences(texts);
    let assets = AssetStore::from_env(&folder, args.offline);
    let encoder = (entry.build)(&arm.params, &assets).map_err(|error| refuse(error.to_string()))?;
    let rows: Vec<usize> = (0..sequences.ids.len()).collect();
    // Nothing is held out here: an encoder that learns, learns from all texts.
    let learns = encoder.scope() == Scope::PerFold;
    let context = Context {
        seed: random::seed(args.seed, "encode", &[]),
        threads: host::threads(),
        memory_bytes: host::default_memory(),
    };
    let fitted = encoder
        .fit(SequenceView::new(&sequences, if learns { &rows } else { &[] }), &context)
        .map_err(|failure| refuse(failure.to_string()))?;
    let embeddings = fitted
        .transform(SequenceView::new(&sequences, &rows), &context)
        .map_err(|failure| refuse(failure.to_string()))?;
    for warning in fitted.warnings() {
        note(format!("warning: {warning}"));
    }
    let (n_samples, n_features) = (embeddings.n_samples(), embeddings.n_features());
    vectors::write(&args.output, embeddings.into_matrix())?;
    answer(format!("{}: {n_samples} x {n_features}", args.output.display()));
    Ok(exit_code::OK)
}

/// One text a line, or one column of a CSV file.
fn read(path: &Path, column: Option<&str>) -> CliResult<Vec<String>> {
    let refuse =
        |what: &dyn std::fmt::Display| CliError::new(exit_code::DATA, format!("error: {}: {what}", path.display()));
    let texts = match column {
        None => {
            let text = std::fs::read_to_string(path).map_err(|error| refuse(&error))?;
            text.strip_prefix('\u{feff}').unwrap_or(&text).lines().map(str::to_owned).collect::<Vec<_>>()
        }
        Some(column) => {
            let mut reader = csv::Reader::from_path(path).map_err(|error| refuse(&error))?;
            let header = reader.headers().map_err(|error| refuse(&error))?.clone();
            let at = header.iter().position(|name| name.trim_start_matches('\u{feff}') == column).ok_or_else(|| {
                refuse(&format!(
                    "no column is named {column:?}; the columns are: {}",
                    header.iter().collect::<Vec<_>>().join(", ")
                ))
            })?;
            reader
                .records()
                .map(|row| row.map(|row| row.get(at).unwrap_or_default().to_owned()).map_err(|error| refuse(&error)))
                .collect::<CliResult<Vec<_>>>()?
        }
    };
    if texts.is_empty() { Err(refuse(&"it holds no text")) } else { Ok(texts) }
}

/// Every text is a sample of its own; its tokens are its words between blanks.
fn sequences(texts: Vec<String>) -> Sequences {
    let mut names: BTreeMap<&str, u32> = BTreeMap::new();
    for word in texts.iter().flat_map(|text| text.split_whitespace()) {
        names.entry(word).or_insert(0);
    }
    names.values_mut().zip(0..).for_each(|(number, next)| *number = next);
    let tokens = texts.iter().map(|text| text.split_whitespace().map(|word| names[word]).collect()).collect();
    let token_names = names.keys().map(|name| (*name).to_owned()).collect();
    let width = texts.len().to_string().len();
    let ids = (0..texts.len()).map(|row| format!("{row:0width$}")).collect();
    Sequences { ids, tokens, token_names, texts, ..Sequences::default() }
}
