//! The list of what can be named in a suite. `cli` builds it from the crates' registries and hands it to `suite`
//! (names, types, ranges) and to `runner` (constructors), which therefore name no algorithm.

use crate::contract::{Assets, Clusterer, Encoder, Fusion, Metric, NumberOfClusters, Post, Recommender};
use crate::spec::{Params, Spec};

/// Why a component could not be made from valid parameters: a missing or unreadable asset, or parameters that
/// contradict each other. The suite is fine, the data is not: exit code 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError(pub String);

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BuildError {}

/// Makes an encoder.
pub type BuildEncoder = fn(&Params, &dyn Assets) -> Result<Box<dyn Encoder>, BuildError>;

/// An encoder in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct EncoderEntry {
    /// Name card.
    pub spec: &'static Spec,
    /// Constructor.
    pub build: BuildEncoder,
}

/// A way to join the vectors of other encoders. In a suite it is an `[[encoder]]` with `parts`.
#[derive(Debug, Clone, Copy)]
pub struct FusionEntry {
    /// Name card.
    pub spec: &'static Spec,
    /// The most parts it joins; none for any number. The fewest are two.
    pub max_parts: Option<usize>,
    /// Constructor.
    pub build: fn(&Params) -> Result<Box<dyn Fusion>, BuildError>,
}

/// A clusterer in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct ClustererEntry {
    /// Name card.
    pub spec: &'static Spec,
    /// Whether it takes the number of clusters or finds it.
    pub n_clusters: NumberOfClusters,
    /// Constructor.
    pub build: fn(&Params) -> Result<Box<dyn Clusterer>, BuildError>,
}

/// A post step in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct PostEntry {
    /// Name card.
    pub spec: &'static Spec,
    /// Constructor.
    pub build: fn(&Params) -> Result<Box<dyn Post>, BuildError>,
}

/// Everything a suite can name.
#[derive(Default)]
pub struct Catalogue {
    /// Encoders, ascending by name.
    pub encoders: Vec<EncoderEntry>,
    /// Fusions of encoders, ascending by name; no name is an encoder's too.
    pub fusions: Vec<FusionEntry>,
    /// Clusterers, ascending by name.
    pub clusterers: Vec<ClustererEntry>,
    /// Post steps, ascending by name.
    pub posts: Vec<PostEntry>,
    /// Partition metrics, ascending by name.
    pub metrics: Vec<&'static dyn Metric>,
    /// Recommenders, ascending by name.
    pub recommenders: Vec<&'static dyn Recommender>,
    /// Names of per-sample ranking metrics (`ndcg`, `recall`, ..), ascending.
    pub ranking_metrics: Vec<&'static Spec>,
    /// The generator's name card.
    pub synthetic: Option<&'static Spec>,
    /// Names of datasets known by manifest.
    pub datasets: Vec<String>,
}

impl Catalogue {
    /// The encoder of that name.
    pub fn encoder(&self, name: &str) -> Option<&EncoderEntry> {
        self.encoders.iter().find(|entry| entry.spec.name == name)
    }

    /// The fusion of that name.
    pub fn fusion(&self, name: &str) -> Option<&FusionEntry> {
        self.fusions.iter().find(|entry| entry.spec.name == name)
    }

    /// Name cards of all that can be the kind of an `[[encoder]]`, ascending by name.
    pub fn encoder_specs(&self) -> Vec<&'static Spec> {
        let fusions = self.fusions.iter().map(|entry| entry.spec);
        let mut specs: Vec<&'static Spec> = self.encoders.iter().map(|entry| entry.spec).chain(fusions).collect();
        specs.sort_by_key(|spec| spec.name);
        specs
    }

    /// The clusterer of that name.
    pub fn clusterer(&self, name: &str) -> Option<&ClustererEntry> {
        self.clusterers.iter().find(|entry| entry.spec.name == name)
    }

    /// The post step of that name.
    pub fn post(&self, name: &str) -> Option<&PostEntry> {
        self.posts.iter().find(|entry| entry.spec.name == name)
    }

    /// The metric of that name.
    pub fn metric(&self, name: &str) -> Option<&'static dyn Metric> {
        self.metrics.iter().copied().find(|metric| metric.spec().name == name)
    }

    /// The recommender of that name.
    pub fn recommender(&self, name: &str) -> Option<&'static dyn Recommender> {
        self.recommenders.iter().copied().find(|recommender| recommender.spec().name == name)
    }
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalogue")
            .field("encoders", &self.encoders.len())
            .field("clusterers", &self.clusterers.len())
            .field("metrics", &self.metrics.len())
            .finish_non_exhaustive()
    }
}
