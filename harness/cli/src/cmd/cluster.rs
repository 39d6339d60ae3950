//! `trailmark cluster KIND FILE -o LABELS`: groups of plain vectors, without a suite.

use std::path::Path;

use serde_json::{Map, Value, json};
use trailmark_core::contract::{Context, ModelValue, NumberOfClusters, Partition, Points, SweepPoint};
use trailmark_core::{Failure, FailureClass, Labels, ParamValue, Space, random};
use trailmark_suite::checked::ClustererArm;

use crate::args::ClusterArgs;
use crate::catalogue::catalogue;
use crate::error::{CliError, CliResult};
use crate::output::{answer, note};
use crate::{exit_code, host, runs, vectors};

/// A suite around the one clusterer, so that kinds, parameters and messages are those of suites.
const AROUND: &str = r#"schema = 1
suite.name = "cluster"
dataset = [{ id = "vectors", source = "synthetic", labels = ["persona"] }]
encoder = [{ id = "encoder", kind = "tfidf" }]
clusterer = [{ id = "clusterer", kind = "kmeans" }]
score.primary = "adjusted_rand_score"
"#;

/// What is written for a sample in no cluster, as scikit-learn does.
const NOISE: &str = "-1";

type Fit = Result<Box<dyn Partition>, Failure>;

pub(crate) fn run(args: &ClusterArgs) -> CliResult<u8> {
    let catalogue = catalogue();
    let text = AROUND.replace("\"kmeans\"", &format!("{:?}", args.kind));
    let set: Vec<String> = args.set.iter().map(|set| format!("clusterer.clusterer.{set}")).collect();
    let suite = trailmark_suite::parse(&text, "cluster", Path::new("."), &set, &runs::check_context(&catalogue))
        .map_err(|mistakes| CliError::new(exit_code::SUITE, mistakes))?;
    let arm = &suite.clusterers[0];
    let data = |what: String| CliError::new(exit_code::DATA, format!("error: {what}"));
    let entry = catalogue.clusterer(arm.spec.name).ok_or_else(|| data(format!("no clusterer {}", arm.spec.name)))?;
    let clusterer = (entry.build)(&arm.params).map_err(|error| data(error.to_string()))?;
    let asked = asked(arm, args.n_clusters.as_ref().map(|values| values.0.as_slice()))?;

    let file = vectors::read(&args.file)?;
    let new = args.assign.as_ref().map(|path| vectors::read(path)).transpose()?;
    let points = vectors::points(&file);
    let context = Context {
        seed: random::seed(args.seed, "cluster", &[]),
        threads: args.threads.map_or_else(host::threads, usize::from),
        memory_bytes: args.memory.unwrap_or_else(host::default_memory),
    };
    let sweep: Vec<SweepPoint> = asked
        .iter()
        .map(|&n_clusters| SweepPoint {
            n_clusters,
            seed: random::seed(args.seed, "cluster", &[&n_clusters.unwrap_or(0).to_string()]),
        })
        .collect();
    let fits = clusterer.fit_sweep(&Space::of(points), &sweep, &context);

    for (n_clusters, fit) in asked.iter().zip(&fits) {
        tell(&args.kind, *n_clusters, fit);
    }
    let done: Vec<(Option<usize>, &dyn Partition)> =
        asked.iter().zip(&fits).filter_map(|(n_clusters, fit)| Some((*n_clusters, &**fit.as_ref().ok()?))).collect();
    if done.is_empty() {
        let refused =
            fits.iter().filter_map(|fit| fit.as_ref().err()).all(|failure| failure.class != FailureClass::Bug);
        let code = if refused { exit_code::DATA } else { exit_code::INTERNAL };
        return Err(CliError::new(code, "error: no partition was made, and nothing is written"));
    }
    let all: Vec<&Labels> = done.iter().map(|(_, partition)| partition.labels()).collect();
    vectors::write_bytes(&args.output, labels_csv(&asked_of(&done), &all).as_bytes())?;
    if let (Some(new), Some(path)) = (&new, &args.assigned) {
        let assigned: Result<Vec<Labels>, Failure> =
            done.iter().map(|(_, partition)| partition.assign(vectors::points(new))).collect();
        let assigned = assigned.map_err(|failure| data(failure.to_string()))?;
        let all: Vec<&Labels> = assigned.iter().collect();
        vectors::write_bytes(path, labels_csv(&asked_of(&done), &all).as_bytes())?;
    }
    if let Some(path) = &args.model {
        let model = model(args, arm, points, &done);
        let text = serde_json::to_string_pretty(&model).map_err(|error| data(error.to_string()))?;
        vectors::write_bytes(path, (text + "\n").as_bytes())?;
    }
    Ok(if done.len() == fits.len() { exit_code::OK } else { exit_code::CELLS_FAILED })
}

fn asked_of(done: &[(Option<usize>, &dyn Partition)]) -> Vec<Option<usize>> {
    done.iter().map(|(n_clusters, _)| *n_clusters).collect()
}

/// The values of n_clusters to fit.
fn asked(arm: &ClustererArm, given: Option<&[usize]>) -> CliResult<Vec<Option<usize>>> {
    let usage = |what: String| Err(CliError::new(exit_code::USAGE, format!("error: {what}")));
    match (arm.n_clusters, given) {
        (NumberOfClusters::Asked, Some(values)) => Ok(values.iter().copied().map(Some).collect()),
        (NumberOfClusters::Found, None) => Ok(vec![None]),
        (NumberOfClusters::Asked, None) => {
            usage(format!("{} needs -k, the number of clusters: -k 8, -k 2,4,8 or -k 2-10", arm.spec.name))
        }
        (NumberOfClusters::Found, Some(_)) => {
            usage(format!("{} finds the number of clusters itself; leave -k out", arm.spec.name))
        }
    }
}

/// One line a partition: what was found, or why nothing was.
fn tell(kind: &str, n_clusters: Option<usize>, fit: &Fit) {
    let name = n_clusters.map_or_else(|| kind.to_owned(), |value| format!("{kind}, n_clusters = {value}"));
    match fit {
        Err(failure) => note(format!("error: {name}: {}", failure.message)),
        Ok(partition) => {
            for warning in partition.warnings() {
                note(format!("warning: {name}: {warning}"));
            }
            let sizes = sizes(partition.labels());
            let noise = partition.labels().0.iter().filter(|label| label.is_none()).count();
            let range = match (sizes.iter().max(), sizes.iter().min()) {
                (Some(most), Some(least)) => format!("{} clusters of {least} to {most} samples", sizes.len()),
                _ => "no cluster".to_owned(),
            };
            let noise = if noise > 0 { format!(", {noise} samples in none") } else { String::new() };
            let inertia = partition.inertia().map_or_else(String::new, |value| format!(", inertia {value:.6e}"));
            answer(format!("{name}: {range}{noise}{inertia}"));
        }
    }
}

fn sizes(labels: &Labels) -> Vec<usize> {
    let mut counts = std::collections::BTreeMap::<u32, usize>::new();
    for name in labels.0.iter().flatten() {
        *counts.entry(*name).or_insert(0) += 1;
    }
    counts.into_values().collect()
}

/// `sample,label`, or one column a value of n_clusters.
fn labels_csv(asked: &[Option<usize>], all: &[&Labels]) -> String {
    let columns: Vec<String> = match asked {
        [_] => vec!["label".to_owned()],
        many => many.iter().map(|value| format!("n_clusters_{}", value.unwrap_or(0))).collect(),
    };
    let mut out = format!("sample,{}\n", columns.join(","));
    for sample in 0..all.first().map_or(0, |labels| labels.len()) {
        let row: Vec<String> = all
            .iter()
            .map(|labels| labels.0[sample].map_or_else(|| NOISE.to_owned(), |label| label.to_string()))
            .collect();
        out += &format!("{sample},{}\n", row.join(","));
    }
    out
}

fn model(
    args: &ClusterArgs,
    arm: &ClustererArm,
    points: Points<'_>,
    done: &[(Option<usize>, &dyn Partition)],
) -> Value {
    let params: Map<String, Value> = arm.params.iter().map(|(name, value)| (name.to_owned(), param(value))).collect();
    let partitions: Vec<Value> = done
        .iter()
        .map(|(n_clusters, partition)| {
            let model: Map<String, Value> =
                partition.model().into_iter().map(|(name, value)| (name.to_owned(), model_value(value))).collect();
            json!({
                "n_clusters": n_clusters,
                "n_clusters_found": sizes(partition.labels()).len(),
                "sizes": sizes(partition.labels()),
                "n_noise": partition.labels().0.iter().filter(|label| label.is_none()).count(),
                "assignment_rule": partition.assignment_rule(),
                "inertia": partition.inertia(),
                "warnings": partition.warnings(),
                "model": model,
            })
        })
        .collect();
    json!({
        "trailmark": env!("CARGO_PKG_VERSION"),
        "kind": arm.spec.name,
        "revision": arm.spec.revision,
        "params": params,
        "seed": args.seed,
        "n_samples": points.rows(),
        "n_features": points.cols(),
        "partitions": partitions,
    })
}

fn param(value: &ParamValue) -> Value {
    match value {
        ParamValue::Flag(value) => json!(value),
        ParamValue::Integer(value) => json!(value),
        ParamValue::Number(value) => json!(value),
        ParamValue::Text(value) => json!(value),
    }
}

/// JSON has no infinity: an unreachable distance (OPTICS begins every cluster with one) becomes null, as NaN would.
fn model_value(value: ModelValue) -> Value {
    match value {
        ModelValue::Number(value) => json!(value),
        ModelValue::Count(value) => json!(value),
        ModelValue::Text(value) => json!(value),
        ModelValue::Numbers(values) => json!(values),
        ModelValue::Table(table) => table.iter_rows().map(|row| json!(row)).collect(),
    }
}
