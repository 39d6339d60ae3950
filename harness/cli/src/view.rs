//! From a run folder to what reports and comparisons read, and back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use trailmark_core::{Labels, Score};
use trailmark_evaluate::{ArmScores, Family, FoldScore, compare as compare_arms, mean_per_user};
use trailmark_report::{RunView, SilhouetteSample};
use trailmark_store::{
    CellRecord, LabelsArtifact, NClusters, ObjectStore, Outcome, Role, RunDir, RunManifest, Split, UserScores,
};
use trailmark_suite::Suite;
use trailmark_suite::checked::{Compare, CompareArms};

use crate::error::{CliError, CliResult};
use crate::{exit_code, runs};

/// Reads everything a report needs.
pub(crate) fn read(run: &RunDir, manifest: RunManifest) -> CliResult<RunView> {
    let records = run.records()?;
    let silhouettes = silhouettes(&records)?;
    Ok(RunView {
        manifest,
        comparisons: run.comparisons()?,
        silhouettes,
        timings: run.timings()?,
        resolved_suite: run.resolved_suite()?,
        records,
    })
}

/// Writes `scores.csv` and the report folder; returns the files.
pub(crate) fn write(run: &RunDir, view: &RunView) -> CliResult<Vec<PathBuf>> {
    Ok(trailmark_report::write(view, run.path())?)
}

/// The silhouette values of the chosen partitions of the first fold: what the knife charts show.
fn silhouettes(records: &[CellRecord]) -> CliResult<Vec<SilhouetteSample>> {
    let store = ObjectStore::open(&runs::store_path())?;
    let mut samples = Vec::new();
    for record in records {
        let cell = &record.cell;
        let Outcome::Ok(scores) = &record.outcome else { continue };
        if cell.n_clusters != NClusters::Auto || cell.fold != 0 || cell.repeat != 0 {
            continue;
        }
        // An object that is gone costs a chart, not the report.
        let mut damaged = Vec::new();
        let users = store.load::<UserScores>(&scores.user_scores, &mut damaged)?;
        let labels = store.load::<LabelsArtifact>(&scores.labels, &mut damaged)?;
        let (Some(users), Some(labels)) = (users, labels) else { continue };
        let Some(values) = users.column("silhouette_score") else { continue };
        let n_clusters = scores.picks.first().and_then(|pick| pick.n_clusters).unwrap_or(1);
        samples.push(SilhouetteSample {
            dataset: cell.dataset.clone(),
            encoder: cell.encoder.clone(),
            clusterer: cell.clusterer.clone(),
            n_clusters,
            fold: cell.fold,
            values: clustered(&labels.test, values),
        });
    }
    Ok(samples)
}

fn clustered(labels: &Labels, values: &[Option<f64>]) -> Vec<(u32, f64)> {
    labels.0.iter().zip(values).filter_map(|(label, value)| Some(((*label)?, (*value)?))).collect()
}

/// Tests every declared comparison over the stored scores and keeps the results.
pub(crate) fn compare(run: &RunDir, suite: &Suite, manifest: &RunManifest) -> CliResult<()> {
    let records = run.records()?;
    let store = ObjectStore::open(&runs::store_path())?;
    let mut comparisons = Vec::new();
    for declared in &suite.compares {
        let Some(facts) = manifest.metrics.get(&declared.metric) else { continue };
        let family = Family {
            metric: declared.metric.clone(),
            varies: match declared.arms {
                CompareArms::Encoder => "encoder".to_owned(),
                CompareArms::Clusterer => "clusterer".to_owned(),
            },
            higher_is_better: facts.higher_is_better,
            alpha: declared.alpha,
            seed: suite.seed,
        };
        let arms = arms(suite, declared, &records, facts.per_user.then_some(&store))?;
        comparisons.extend(
            compare_arms(&family, &arms)
                .map_err(|error| CliError::new(exit_code::INTERNAL, format!("error: {error}")))?,
        );
    }
    run.save_comparisons(&comparisons)?;
    Ok(())
}

/// The scores of every arm at n_clusters = auto, in the suite's order.
fn arms(
    suite: &Suite,
    declared: &Compare,
    records: &[CellRecord],
    per_user: Option<&ObjectStore>,
) -> CliResult<Vec<ArmScores>> {
    let by_arm: BTreeMap<(&str, &str, &str), Vec<&CellRecord>> = records
        .iter()
        .filter(|record| record.cell.n_clusters == NClusters::Auto)
        .fold(BTreeMap::new(), |mut map, record| {
            let cell = &record.cell;
            map.entry((&cell.dataset, &cell.encoder, &cell.clusterer)).or_default().push(record);
            map
        });
    let mut arms = Vec::new();
    for dataset in &suite.datasets {
        for encoder in &suite.encoders {
            for clusterer in &suite.clusterers {
                let Some(records) = by_arm.get(&(dataset.id.as_str(), encoder.id.as_str(), clusterer.id.as_str()))
                else {
                    continue;
                };
                let (arm, shared) = match declared.arms {
                    CompareArms::Encoder => (&encoder.id, &clusterer.id),
                    CompareArms::Clusterer => (&clusterer.id, &encoder.id),
                };
                let users = match per_user {
                    Some(store) => user_scores(records, &declared.metric, store)?,
                    None => None,
                };
                arms.push(ArmScores {
                    dataset: dataset.id.clone(),
                    arm: arm.clone(),
                    shared: shared.clone(),
                    folds: records.iter().map(|record| fold_score(record, &declared.metric)).collect(),
                    users,
                });
            }
        }
    }
    Ok(arms)
}

fn fold_score(record: &CellRecord, metric: &str) -> FoldScore {
    let (n_train, n_test, score) = match &record.outcome {
        Outcome::Failed(failure) => (0, 0, Score::Failed { cause: failure.to_string() }),
        Outcome::Ok(scores) => {
            let row = scores
                .rows
                .iter()
                .find(|row| row.split == Split::Test && row.role == Role::Arm && row.metric == metric);
            let score = row
                .map_or_else(|| Score::Failed { cause: format!("the cell has no {metric}") }, |row| row.score.clone());
            (scores.sizes_train.iter().sum(), scores.sizes_test.iter().sum(), score)
        }
    };
    FoldScore { repeat: record.cell.repeat, fold: record.cell.fold, n_train, n_test, score }
}

/// One score per held-out user, over folds and repeats; none when an object is gone.
fn user_scores(records: &[&CellRecord], metric: &str, store: &ObjectStore) -> CliResult<Option<BTreeMap<u32, f64>>> {
    let mut values = Vec::new();
    for record in records {
        let Outcome::Ok(scores) = &record.outcome else { continue };
        let Some(users) = store.load::<UserScores>(&scores.user_scores, &mut Vec::new())? else { return Ok(None) };
        let Some(column) = users.column(metric) else { return Ok(None) };
        values.extend(users.users.iter().zip(column).filter_map(|(user, value)| Some((*user, (*value)?))));
    }
    Ok(Some(mean_per_user(values)))
}
