//! A cut of a tree, with what the tree itself has to say.

use std::sync::{Arc, OnceLock};

use trailmark_core::contract::{ModelValue, Partition, Points};
use trailmark_core::{Failure, Labels};

use crate::cophenetic::Correlation;
use crate::dendrogram::Dendrogram;
use crate::to_members::Members;

/// What all cuts of a sweep share.
pub(crate) struct Tree {
    /// The merges.
    pub(crate) dendrogram: Dendrogram,
    /// The linked samples.
    pub(crate) members: Arc<Members>,
    /// Correlation of heights and distances, once somebody asked.
    pub(crate) correlation: OnceLock<Option<f64>>,
    /// True when a merge can be lower than those it joins.
    pub(crate) inverts: bool,
    /// The rows that were linked, ascending, where not all were.
    pub(crate) drawn: Option<Vec<usize>>,
}

impl Tree {
    /// A second pass over all pairs of vectors, a few rows at a time: sweeps, which do not ask, do not pay for it.
    fn cophenetic_correlation(&self) -> Option<f64> {
        *self.correlation.get_or_init(|| {
            let mut correlation = Correlation::new(&self.dendrogram);
            self.members.own_distances(|distances| correlation.add(distances));
            correlation.value()
        })
    }
}

/// A partition whose labels come from a tree. How new rows are assigned is the inner one's affair.
pub(crate) struct TreePartition {
    /// The cut of the linked samples.
    pub(crate) inner: Box<dyn Partition>,
    /// The tree.
    pub(crate) tree: Arc<Tree>,
    /// What changes when only some samples were linked.
    pub(crate) sampled: Option<Sampled>,
}

/// All training rows, of which only some were linked.
pub(crate) struct Sampled {
    /// Labels of all training rows.
    pub(crate) labels: Labels,
    /// Their inertia.
    pub(crate) inertia: Option<f64>,
}

impl Partition for TreePartition {
    fn labels(&self) -> &Labels {
        self.sampled.as_ref().map_or_else(|| self.inner.labels(), |sampled| &sampled.labels)
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        self.inner.assign(rows)
    }

    fn assignment_rule(&self) -> &'static str {
        self.inner.assignment_rule()
    }

    fn inertia(&self) -> Option<f64> {
        self.sampled.as_ref().map_or_else(|| self.inner.inertia(), |sampled| sampled.inertia)
    }

    fn model(&self) -> Vec<(&'static str, ModelValue)> {
        let tree = &self.tree;
        let mut model = self.inner.model();
        if self.sampled.is_some() {
            // The inner partition knows the linked samples alone.
            model.retain(|(name, _)| *name != "inertia");
            model.extend(self.inertia().map(|inertia| ("inertia", ModelValue::Number(inertia))));
        }
        model.push(("dendrogram", ModelValue::Table(tree.dendrogram.table())));
        let heights = tree.dendrogram.merges().iter().map(|merge| merge.height).collect();
        model.push(("heights", ModelValue::Numbers(heights)));
        if let Some(n_clusters) = tree.dendrogram.gap_n_clusters() {
            model.push(("dendrogram_gap_n_clusters", ModelValue::Count(n_clusters as u64)));
        }
        if let Some(correlation) = tree.cophenetic_correlation() {
            model.push(("cophenetic_correlation", ModelValue::Number(correlation)));
        }
        if tree.inverts {
            model.push(("n_inversions", ModelValue::Count(tree.dendrogram.n_inversions() as u64)));
        }
        if let Some(drawn) = &tree.drawn {
            model.push(("linked_rows", ModelValue::Numbers(drawn.iter().map(|&row| row as f64).collect())));
        }
        model
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.inner.warnings();
        if let (Some(sampled), Some(drawn)) = (&self.sampled, &self.tree.drawn) {
            let n = sampled.labels.len();
            warnings.push(format!(
                "the tree links {} of {n} users, drawn by the seed of the step (above_max = \"subsample\"); the other \
                 {} went to their clusters as new users do: {}",
                drawn.len(),
                n - drawn.len(),
                self.assignment_rule()
            ));
        }
        warnings
    }
}
