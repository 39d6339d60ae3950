//! The catalogue: every crate's registry in one list. This is the only place that knows them all.

use trailmark_core::Catalogue;
use trailmark_core::catalogue::EncoderEntry;

/// Everything this build can do.
pub(crate) fn catalogue() -> Catalogue {
    let mut encoders: Vec<EncoderEntry> = trailmark_encode::registry();
    encoders.extend(trailmark_neural::registry());
    encoders.extend(trailmark_transformer::registry());
    encoders.sort_by_key(|entry| entry.spec.name);
    Catalogue {
        encoders,
        fusions: trailmark_encode::fusions(),
        clusterers: trailmark_cluster::registry(),
        posts: trailmark_evaluate::posts(),
        metrics: trailmark_metrics::registry(),
        recommenders: trailmark_recommend::registry(),
        ranking_metrics: trailmark_recommend::ranking::METRICS.iter().map(|metric| metric.spec).collect(),
        synthetic: Some(trailmark_data::synthetic_spec()),
        datasets: trailmark_data::AssetStore::from_env(".", true).names(),
    }
}
