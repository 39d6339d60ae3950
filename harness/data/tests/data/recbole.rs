//! RecBole atomic files.

use std::path::PathBuf;

use trailmark_core::config::{Future, Source};

use crate::{config, load, sequence, tokens};

#[test]
fn titles_genres_ratings_and_user_labels_are_found_by_their_usual_names() {
    let mut config = config(Source::Recbole { path: PathBuf::from("films.inter") });
    config.labels = vec!["gender".to_owned(), "age".to_owned()];
    let mut sequence = sequence();
    sequence.text = "{event} {title} ({category}) {value}".to_owned();
    let data = load(&config, &sequence, Future::None).unwrap();
    assert_eq!(data.sequences.texts[0], "rate Shoes (Drama) 3, rate The \"Red\" Hat (Comedy Drama) 4.5");
    assert_eq!(data.sequences.texts[1], "rate () 1, rate The \"Red\" Hat (Comedy Drama) 5", "item 12 has no facts");
    assert_eq!(tokens(&data, 1), ["rate:12", "rate:10"]);
    assert_eq!((data.labels[0].name.as_str(), &data.labels[0].classes[..]), ("gender", &["F".into(), "M".into()][..]));
    assert_eq!(data.labels[0].values, [Some(0), Some(1)]);
    assert_eq!(data.labels[1].classes, ["30", "41"], "user 3 is not in the log");
}
