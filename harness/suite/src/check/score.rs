//! `[sweep]`, `[score]`, `[[compare]]` and `[[gate]]`: what is tried, measured, tested and guarded. A question that
//! this suite cannot answer is refused here, in second 1.

use regex::Regex;
use trailmark_core::Catalogue;
use trailmark_core::config::Future;
use trailmark_core::contract::Distance;

use super::dataset::CheckedDataset;
use super::{owned, required_table};
use crate::checked::{Compare, CompareArms, GateKind, GateRule, PickRule, RecommendConfig, ScoreConfig, Sweep};
use crate::fields::{self, MAX_CLUSTERS, MAX_SWEEP};
use crate::metric_name::MetricName;
use crate::mistake::Mistake;
use crate::reader::Reader;
use crate::wire::{Place, Value};

pub(super) fn sweep(reader: &Reader<'_>) -> Sweep {
    let pick = match reader.text("pick") {
        Some((pick, _)) if pick == PickRule::Elbow.name() => PickRule::Elbow,
        _ => PickRule::Silhouette,
    };
    let n_clusters = n_clusters(reader).unwrap_or_else(|| (2..=10).collect());
    Sweep { n_clusters, pick, min_silhouette: reader.number("min_silhouette").unwrap_or(0.0) }
}

fn n_clusters(reader: &Reader<'_>) -> Option<Vec<usize>> {
    let node = reader.node("n_clusters")?;
    if matches!(node.value, Value::Table(_)) {
        let range = reader.table("n_clusters", &fields::RANGE)?;
        let (from, to) = (range.size("from"), range.size("to"));
        let step = if range.node("step").is_some() { range.size("step")? } else { 1 };
        let (from, to) = (from?, to?);
        if from > to {
            let mistake =
                Mistake::LowAboveHigh { low_key: "from", low: from.to_string(), high_key: "to", high: to.to_string() };
            reader.sink.push(mistake, range.place_of("from"));
        }
        let values: Vec<usize> = (from..=to).step_by(step).collect();
        refuse_many(reader, values.len(), node.place);
        return Some(values);
    }
    let listed = reader.list("n_clusters", |value| match value {
        Value::Integer(value) => Some(*value),
        _ => None,
    })?;
    reader.refuse_twice("n_clusters", &listed, ToString::to_string);
    if listed.is_empty() {
        let about = "n_clusters: the values to try, as in [2, 3, 4]".to_owned();
        reader.sink.push(Mistake::EmptyList { key: "n_clusters".to_owned(), about }, Some(node.place));
    }
    refuse_many(reader, listed.len(), node.place);
    let mut values = Vec::with_capacity(listed.len());
    for (value, place) in listed {
        match usize::try_from(value) {
            Ok(size) if (2..=MAX_CLUSTERS).contains(&value) => values.push(size),
            _ => {
                let mistake = Mistake::OutOfRange {
                    key: "n_clusters".to_owned(),
                    range: format!("whole numbers from 2 to {MAX_CLUSTERS}"),
                    value: value.to_string(),
                    about: "one cluster is the control that stands beside every arm".to_owned(),
                };
                reader.sink.push(mistake, Some(place));
            }
        }
    }
    values.sort_unstable();
    Some(values)
}

fn refuse_many(reader: &Reader<'_>, count: usize, place: Place) {
    if count > MAX_SWEEP {
        let mistake = Mistake::OutOfRange {
            key: "n_clusters".to_owned(),
            range: format!("at most {MAX_SWEEP} values"),
            value: format!("{count} values"),
            about: "n_clusters: a larger step tries fewer".to_owned(),
        };
        reader.sink.push(mistake, Some(place));
    }
}

/// What scores are checked against.
pub(super) struct Scoring<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) datasets: &'a [CheckedDataset],
    pub(super) future: Future,
}

impl Scoring<'_> {
    pub(super) fn check(&self, root: &Reader<'_>) -> (ScoreConfig, Vec<Compare>, Vec<GateRule>) {
        let score = required_table(root, "score", &fields::SCORE);
        let config = match &score {
            Some(reader) => self.score(reader),
            None => ScoreConfig {
                primary: String::new(),
                metrics: self.default_metrics(),
                distance: Distance::default(),
                recommend: None,
            },
        };
        // A list or table that could not be read has been reported: what it would have computed is not known.
        let doubtful = score.as_ref().is_none_or(|reader| {
            let broken = |key: &str, given: bool| reader.node(key).is_some() && !given;
            broken("recommend", config.recommend.is_some())
        });
        let compares = self.compares(root, &config, doubtful);
        let encoders = root.node("encoder").map_or(0, |node| match &node.value {
            Value::List(nodes) => nodes.len(),
            _ => 0,
        });
        if encoders > 1 && self.internal(&config.primary) {
            let instead = self.computed(&config).into_iter().filter(|name| !self.internal(name)).collect::<Vec<_>>();
            let place = score.as_ref().and_then(|reader| reader.place_of("primary"));
            root.sink.push(Mistake::InternalAcrossSpaces { metric: config.primary.clone(), instead }, place);
        }
        let gates = self.gates(root, &config, doubtful);
        (config, compares, gates)
    }

    fn any_labels(&self) -> bool {
        self.datasets.iter().any(CheckedDataset::may_have_labels)
    }

    /// Every metric whose needs at least one dataset meets.
    fn default_metrics(&self) -> Vec<String> {
        let any_labels = self.any_labels();
        let fits = self.catalogue.metrics.iter().filter(|metric| any_labels || !metric.needs().labels_true);
        fits.map(|metric| metric.spec().name.to_owned()).collect()
    }

    fn score(&self, reader: &Reader<'_>) -> ScoreConfig {
        let distance = match reader.text("distance") {
            Some((name, _)) if name == Distance::Cosine.name() => Distance::Cosine,
            Some((name, _)) if name == Distance::SquaredEuclidean.name() => Distance::SquaredEuclidean,
            _ => Distance::Euclidean,
        };
        let metrics = match reader.names("metrics") {
            None => self.default_metrics(),
            Some(listed) => {
                let mut names = Vec::new();
                for (name, place) in listed {
                    match self.catalogue.metric(&name) {
                        Some(metric) if metric.needs().labels_true && !self.any_labels() => {
                            let lacking = "no dataset declares any".to_owned();
                            reader.sink.push(Mistake::NoLabels { metric: name, lacking }, Some(place));
                        }
                        Some(_) => names.push(name),
                        None => reader.sink.push(self.unknown_metric(name), Some(place)),
                    }
                }
                names.sort_unstable();
                names
            }
        };
        let recommend = self.recommend(reader);
        let mut config = ScoreConfig { primary: String::new(), metrics, distance, recommend };
        if let Some((primary, place)) = reader.text("primary") {
            let doubtful = reader.node("recommend").is_some() && config.recommend.is_none();
            if self.computed_metric(reader, &config, doubtful, &primary, place) {
                self.primary_everywhere(reader, &primary, place);
            }
            config.primary = primary;
        }
        config
    }

    fn unknown_metric(&self, name: String) -> Mistake {
        let valid = owned(self.catalogue.metrics.iter().map(|metric| metric.spec().name));
        Mistake::UnknownName { what: "metric".to_owned(), name, origin: "built in", valid }
    }

    /// A headline must exist on every dataset.
    fn primary_everywhere(&self, reader: &Reader<'_>, primary: &str, place: Place) {
        if let Some(MetricName::Partition { metric, .. }) = MetricName::parse(primary)
            && self.catalogue.metric(&metric).is_some_and(|metric| metric.needs().labels_true)
        {
            for dataset in self.datasets.iter().filter(|dataset| !dataset.may_have_labels()) {
                let lacking = format!("dataset {:?} declares none", dataset.config.id);
                reader.sink.push(Mistake::NoLabels { metric: primary.to_owned(), lacking }, Some(place));
            }
        }
    }

    fn recommend(&self, score: &Reader<'_>) -> Option<RecommendConfig> {
        let reader = score.table("recommend", &fields::RECOMMEND)?;
        if self.future == Future::None {
            reader.sink.push(Mistake::NoFuture, score.key_place("recommend"));
        }
        let at = reader.list("at", |value| match value {
            Value::Integer(value) => Some(*value),
            _ => None,
        });
        let mut lengths = vec![10];
        if let Some(listed) = at {
            reader.refuse_twice("at", &listed, ToString::to_string);
            if listed.is_empty() {
                let about = "at: the list lengths, as in [5, 10]".to_owned();
                reader.sink.push(Mistake::EmptyList { key: "at".to_owned(), about }, reader.place_of("at"));
            }
            lengths.clear();
            for (value, place) in listed {
                match usize::try_from(value) {
                    Ok(length) if length >= 1 => lengths.push(length),
                    _ => {
                        let mistake = Mistake::OutOfRange {
                            key: "at".to_owned(),
                            range: "whole numbers of at least 1".to_owned(),
                            value: value.to_string(),
                            about: "at: list lengths".to_owned(),
                        };
                        reader.sink.push(mistake, Some(place));
                    }
                }
            }
            lengths.sort_unstable();
        }
        let built_in = || owned(self.catalogue.recommenders.iter().map(|recommender| recommender.spec().name));
        let recommenders = match reader.names("recommenders") {
            None => built_in(),
            Some(listed) => {
                if listed.is_empty() {
                    let about = format!("built in: {}", built_in().join(", "));
                    let mistake = Mistake::EmptyList { key: "recommenders".to_owned(), about };
                    reader.sink.push(mistake, reader.place_of("recommenders"));
                }
                let mut names = Vec::new();
                for (name, place) in listed {
                    if self.catalogue.recommender(&name).is_some() {
                        names.push(name);
                    } else {
                        let what = "recommender".to_owned();
                        let mistake = Mistake::UnknownName { what, name, origin: "built in", valid: built_in() };
                        reader.sink.push(mistake, Some(place));
                    }
                }
                names
            }
        };
        let exclude_seen = reader.flag("exclude_seen").unwrap_or(false);
        Some(RecommendConfig { at: lengths, recommenders, exclude_seen })
    }

    /// Names of all scores of this suite: partition metrics, those against further labellings, ranking metrics.
    fn computed(&self, config: &ScoreConfig) -> Vec<String> {
        let mut names = config.metrics.clone();
        for name in &config.metrics {
            if self.catalogue.metric(name).is_some_and(|metric| metric.needs().labels_true) {
                let further = self.datasets.iter().flat_map(|dataset| dataset.config.labels.iter().skip(1));
                names.extend(further.map(|label| format!("{name}[{label}]")));
            }
        }
        if let Some(recommend) = &config.recommend {
            for recommender in &recommend.recommenders {
                for metric in &self.catalogue.ranking_metrics {
                    names.extend(recommend.at.iter().map(|at| format!("{recommender}/{}@{at}", metric.name)));
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Reports a metric that this suite does not compute; true when it does.
    fn computed_metric(
        &self,
        reader: &Reader<'_>,
        config: &ScoreConfig,
        doubtful: bool,
        name: &str,
        place: Place,
    ) -> bool {
        let computed = self.computed(config);
        if computed.iter().any(|known| known == name) {
            return true;
        }
        let parsed = MetricName::parse(name);
        let why = match &parsed {
            Some(MetricName::Ranking { .. }) if doubtful => return false,
            Some(MetricName::Ranking { .. }) if config.recommend.is_none() => {
                Some("scores of recommendation need `recommend` in [score] and a future in [split]".to_owned())
            }
            Some(MetricName::Partition { metric, label }) => match (self.catalogue.metric(metric), label) {
                (None, _) => {
                    let valid = computed;
                    let what = "metric".to_owned();
                    let origin = "computed by this suite";
                    let mistake = Mistake::UnknownName { what, name: name.to_owned(), origin, valid };
                    reader.sink.push(mistake, Some(place));
                    return false;
                }
                (Some(metric), _) if metric.needs().labels_true && !self.any_labels() => {
                    let lacking = "no dataset declares any".to_owned();
                    reader.sink.push(Mistake::NoLabels { metric: name.to_owned(), lacking }, Some(place));
                    return false;
                }
                (Some(_), Some(_)) => {
                    Some(format!("brackets name a further label of a dataset; the first one is plain {metric:?}"))
                }
                (Some(_), None) => Some(format!("add {name:?} to `metrics` in [score]")),
            },
            _ => None,
        };
        reader.sink.push(Mistake::NotComputed { metric: name.to_owned(), why, computed }, Some(place));
        false
    }

    fn internal(&self, name: &str) -> bool {
        match MetricName::parse(name) {
            Some(MetricName::Partition { metric, .. }) => {
                self.catalogue.metric(&metric).is_some_and(|metric| metric.internal())
            }
            _ => false,
        }
    }

    fn compares(&self, root: &Reader<'_>, config: &ScoreConfig, doubtful: bool) -> Vec<Compare> {
        let count = |name: &str| match root.node(name).map(|node| &node.value) {
            Some(Value::List(nodes)) => nodes.len(),
            _ => 0,
        };
        let mut compares = Vec::new();
        for (table, place) in root.tables("compare") {
            let reader = Reader::new(&fields::COMPARE, table, Some(place), root.sink);
            let arms = reader.text("arms").map(|(arms, place)| {
                let what = if arms == "encoder" { "encoder" } else { "clusterer" };
                if count(what) == 1 {
                    root.sink.push(Mistake::TooFewArms { count: 1, what }, Some(place));
                }
                if arms == "encoder" { CompareArms::Encoder } else { CompareArms::Clusterer }
            });
            let alpha = reader.number("alpha").unwrap_or(0.05);
            let metric = self.metric_or_primary(&reader, config, doubtful);
            if arms == Some(CompareArms::Encoder) && self.internal(&metric) {
                let instead = self.computed(config).into_iter().filter(|name| !self.internal(name)).collect::<Vec<_>>();
                let place = reader.node("metric").map_or_else(|| reader.place_of("arms"), |node| Some(node.place));
                root.sink.push(Mistake::InternalAcrossSpaces { metric: metric.clone(), instead }, place);
            }
            compares.push(Compare { arms: arms.unwrap_or(CompareArms::Encoder), metric, alpha });
        }
        compares
    }

    fn metric_or_primary(&self, reader: &Reader<'_>, config: &ScoreConfig, doubtful: bool) -> String {
        match reader.text("metric") {
            Some((metric, place)) => {
                self.computed_metric(reader, config, doubtful, &metric, place);
                metric
            }
            None => config.primary.clone(),
        }
    }

    fn gates(&self, root: &Reader<'_>, config: &ScoreConfig, doubtful: bool) -> Vec<GateRule> {
        let mut gates = Vec::new();
        for (table, place) in root.tables("gate") {
            let reader = Reader::new(&fields::GATE, table, Some(place), root.sink);
            let metric = self.metric_or_primary(&reader, config, doubtful);
            let rule = match reader.text("rule") {
                Some((rule, _)) if rule == "exact" => GateKind::Exact,
                Some((rule, _)) if rule == "non_inferior" => GateKind::NonInferior,
                _ => GateKind::Margin,
            };
            let margin = if rule == GateKind::Exact {
                if reader.node("margin").is_some() {
                    let beside = "with rule = \"exact\"".to_owned();
                    let mistake = Mistake::Meaningless { key: "margin".to_owned(), beside };
                    root.sink.push(mistake, reader.key_place("margin"));
                }
                0.0
            } else {
                reader.number("margin").unwrap_or(0.0)
            };
            gates.push(GateRule { metric, margin, rule, select: select(&reader) });
        }
        gates
    }
}

fn select(reader: &Reader<'_>) -> Option<String> {
    let node = reader.node("select")?;
    let Value::Text(pattern) = &node.value else {
        reader.wrong_type("select", node);
        return None;
    };
    if let Err(error) = Regex::new(pattern) {
        let mistake = Mistake::Unparsable {
            key: "select".to_owned(),
            what: "a regular expression",
            reason: regex_reason(&error),
            example: "a pattern on dataset/encoder/clusterer/k=..: \"^shop/w2v/.*/k=8$\"",
        };
        reader.sink.push(mistake, Some(node.place));
    }
    Some(pattern.clone())
}

/// The last line of a regular expression's error: what is wrong, without the picture above it.
pub(crate) fn regex_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
