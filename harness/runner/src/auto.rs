//! n_clusters chosen on training users: every rule is asked and shown, the suite's own rule decides.

use trailmark_evaluate::{PickAnswer, elbow_pick, silhouette_pick};
use trailmark_store::{CellRecord, NClusters, Outcome, Pick, Role, Split};
use trailmark_suite::checked::{PickRule, Sweep};

/// The answers of all rules, the suite's own first. They read training scores only.
pub(crate) fn picks(sweep: &Sweep, records: &[&CellRecord]) -> Vec<Pick> {
    let curve = |metric: &str| -> Vec<(usize, Option<f64>)> {
        records
            .iter()
            .filter_map(|record| match record.cell.n_clusters {
                NClusters::Fixed(value) => Some((value, training_score(record, metric))),
                NClusters::Auto => None,
            })
            .collect()
    };
    let silhouette = keep(silhouette_pick(&curve("silhouette_score"), sweep.min_silhouette));
    let elbow = keep(elbow_pick(&curve("inertia")));
    match sweep.pick {
        PickRule::Silhouette => vec![silhouette, elbow],
        PickRule::Elbow => vec![elbow, silhouette],
    }
}

fn keep(answer: PickAnswer) -> Pick {
    Pick { rule: answer.rule.to_owned(), n_clusters: answer.n_clusters, strength: answer.strength }
}

fn training_score(record: &CellRecord, metric: &str) -> Option<f64> {
    let Outcome::Ok(scores) = &record.outcome else { return None };
    scores
        .rows
        .iter()
        .find(|row| row.split == Split::Train && row.role == Role::Arm && row.metric == metric)
        .and_then(|row| row.score.number())
}
