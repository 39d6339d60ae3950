//! From a run folder to what reports and comparisons read, and back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use trailmark_core::{Key, Labels, Score};
use trailmark_evaluate::{ArmScores, Family, FoldScore, compare as compare_arms, mean_per_user};
use trailmark_report::{RunView, SilhouetteSample};
use trailmark_store::artifact::Artifact;
use trailmark_store::{
    CellRecord, LabelsArtifact, NClusters, ObjectStore, Outcome, Role, RunDir, RunManifest, Split, UserScores,
};
use trailmark_suite::Suite;
use trailmark_suite::checked::{Compare, CompareArms};

use crate::error::{CliError, CliResult};
use crate::output::note;
use crate::{exit_code, runs};

/// Reads everything a report needs.
pub(crate) fn read(run: &RunDir, manifest: RunManifest) -> CliResult<RunView> {
    let records = own_records(run, &manifest)?;
    let silhouettes = silhouettes(&records, &runs::store_of(&manifest)?)?;
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
fn silhouettes(records: &[CellRecord], store: &ObjectStore) -> CliResult<Vec<SilhouetteSample>> {
    let mut samples = Vec::new();
    for record in records {
        let cell = &record.cell;
        let Outcome::Ok(scores) = &record.outcome else { continue };
        if cell.n_clusters != NClusters::Auto || cell.fold != 0 || cell.repeat != 0 {
            continue;
        }
        // An object that is gone costs a chart, not the report.
        let users = load::<UserScores>(store, &scores.user_scores)?;
        let labels = load::<LabelsArtifact>(store, &scores.labels)?;
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
    let records = own_records(run, manifest)?;
    let store = runs::store_of(manifest)?;
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
            planned_blocks: manifest.folds * manifest.repeats,
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
                let mut folds: Vec<FoldScore> =
                    records.iter().map(|record| fold_score(record, &declared.metric)).collect();
                let users = match per_user {
                    None => None,
                    Some(store) => match user_scores(records, &declared.metric, store)? {
                        Ok(users) => Some(users),
                        // The test that claims is chosen by the design; without its data there is no claim.
                        Err(gone) => {
                            folds.iter_mut().for_each(|fold| fold.score = Score::Failed { cause: gone.clone() });
                            None
                        }
                    },
                };
                arms.push(ArmScores {
                    dataset: dataset.id.clone(),
                    arm: arm.clone(),
                    shared: shared.clone(),
                    folds,
                    users,
                });
            }
        }
    }
    Ok(arms)
}

fn fold_score(record: &CellRecord, metric: &str) -> FoldScore {
    let score = match &record.outcome {
        Outcome::Failed(failure) => Score::Failed { cause: failure.to_string() },
        Outcome::Ok(scores) => scores
            .rows
            .iter()
            .find(|row| row.split == Split::Test && row.role == Role::Arm && row.metric == metric)
            .map_or_else(|| Score::Failed { cause: format!("the cell has no {metric}") }, |row| row.score.clone()),
    };
    FoldScore {
        repeat: record.cell.repeat,
        fold: record.cell.fold,
        n_train: record.n_train,
        n_test: record.n_test,
        score,
    }
}

/// One score per held-out user, over folds and repeats; or which cell's scores are no longer in the store.
fn user_scores(
    records: &[&CellRecord],
    metric: &str,
    store: &ObjectStore,
) -> CliResult<Result<BTreeMap<u32, f64>, String>> {
    let mut values = Vec::new();
    for record in records {
        let Outcome::Ok(scores) = &record.outcome else { continue };
        let users = load::<UserScores>(store, &scores.user_scores)?;
        let Some(column) = users.as_ref().and_then(|users| Some((&users.users, users.column(metric)?))) else {
            return Ok(Err(format!(
                "the per-user scores of {} are not in the store; run the suite again",
                record.cell
            )));
        };
        values.extend(column.0.iter().zip(column.1).filter_map(|(user, value)| Some((*user, (*value)?))));
    }
    Ok(Ok(mean_per_user(values)))
}

/// Reads an artifact; a damaged one is set aside, said, and counts as gone.
fn load<A: Artifact>(store: &ObjectStore, key: &Key) -> CliResult<Option<A>> {
    let mut damaged = Vec::new();
    let found = store.load::<A>(key, &mut damaged)?;
    for path in damaged {
        note(format!(
            "warning: a damaged object was set aside as {}; run the suite again to make it anew",
            path.display()
        ));
    }
    Ok(found)
}

/// The records of a run, without those of another protocol or encoder than its manifest names: numbers of two kinds
/// are never set side by side.
fn own_records(run: &RunDir, manifest: &RunManifest) -> CliResult<Vec<CellRecord>> {
    let (own, other): (Vec<CellRecord>, Vec<CellRecord>) = run.records()?.into_iter().partition(|record| {
        manifest.datasets.get(&record.cell.dataset).is_some_and(|facts| facts.protocol_id == record.protocol_id)
    });
    if !other.is_empty() {
        note(format!("warning: {} records are of other data than run.json names and are left out", other.len()));
    }
    Ok(own)
}
