//! Which cell of the sweep: the name that plans, filters, records and tables share.

use std::fmt;

use serde::{Deserialize, Serialize};

/// n_clusters of a cell: a value of the sweep, or chosen inside the training fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NClusters {
    /// A value of the sweep.
    Fixed(usize),
    /// Chosen on training users by the suite's rule.
    Auto,
}

impl fmt::Display for NClusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(value) => write!(f, "{value}"),
            Self::Auto => f.write_str("auto"),
        }
    }
}

impl Serialize for NClusters {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NClusters {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            number => number.parse().map(Self::Fixed).map_err(serde::de::Error::custom),
        }
    }
}

/// Which cell. Ordered as in `scores.csv`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CellName {
    /// Dataset id.
    pub dataset: String,
    /// Encoder id; `none` for the shared controls.
    pub encoder: String,
    /// Clusterer id; the control's name for the shared controls.
    pub clusterer: String,
    /// n_clusters.
    pub n_clusters: NClusters,
    /// Fold, from 0.
    pub fold: usize,
    /// Repeat, from 0.
    pub repeat: usize,
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dataset, encoder, clusterer, n_clusters, fold, repeat } = self;
        write!(f, "{dataset}/{encoder}/{clusterer}/k={n_clusters}/fold={fold}/rep={repeat}")
    }
}
