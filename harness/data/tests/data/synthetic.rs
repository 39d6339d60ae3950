//! The generator as a dataset.

use trailmark_core::config::{Future, Source};
use trailmark_core::{ParamValue, Params};

use crate::{config, load, sequence};

#[test]
fn a_generated_dataset_has_personas_as_labels_and_robots_have_none() {
    let params = Params::defaults(trailmark_data::synthetic_spec()).with("users", ParamValue::Integer(200));
    let mut config = config(Source::Synthetic { params });
    config.labels = vec!["persona".to_owned()];
    let data = load(&config, &sequence(), Future::Last(3)).unwrap();
    assert_eq!(data.labels[0].classes.len(), 6);
    assert_eq!(data.labels[0].values.iter().filter(|value| value.is_none()).count(), 3, "robots");
    assert!(data.n_samples() > 190 && data.future_items.iter().all(|items| items.len() <= 3));
    assert!(data.cut.iter().all(|(history, future)| future.is_some_and(|future| *history < future)));
}

#[test]
fn the_dataset_id_is_part_of_the_generators_seed() {
    let params = Params::defaults(trailmark_data::synthetic_spec()).with("users", ParamValue::Integer(20));
    let first = config(Source::Synthetic { params });
    let second = trailmark_core::config::DatasetConfig { id: "other".to_owned(), ..first.clone() };
    let key = |config: &_| load(config, &sequence(), Future::None).unwrap().key;
    assert_eq!(key(&first), key(&first));
    assert_ne!(key(&first), key(&second));
}
