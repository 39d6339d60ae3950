//! Light encoders, one file each: behaviour sequences in, one vector per sample out.
//!
//! An encoder is a `Spec`, a constructor and a line in [`registry`]. What is learnt (vocabularies, document
//! frequencies, token vectors) is learnt from the training rows alone, in an order that depends on token names and
//! never on the numbers that tokens happen to have in the whole dataset.

mod alphabet;
mod analyzer;
mod bag_of_events;
mod behaviour_features;
mod concatenation;
mod counting;
mod event_features;
mod glove;
mod hogwild;
mod lanes;
mod length_only;
mod negative_sampling;
pub mod npy;
mod panels;
mod pooling;
mod precomputed;
mod random_vector;
mod sgt;
mod shards;
mod svd;
mod symmetric_eigen;
mod tfidf;
mod token_vectors;
mod transition_matrix;
mod vocabulary;
mod weighted_sum;
mod word2vec;
mod word_file;
mod word_vectors;

use trailmark_core::catalogue::{EncoderEntry, FusionEntry};
use trailmark_core::{Failure, Matrix};

/// All fusions, ascending by name.
pub fn fusions() -> Vec<FusionEntry> {
    vec![
        FusionEntry { spec: &concatenation::SPEC, max_parts: None, build: concatenation::build },
        FusionEntry { spec: &weighted_sum::SPEC, max_parts: Some(2), build: weighted_sum::build },
    ]
}

/// The number of rows of all parts.
fn same_rows(parts: &[&Matrix<f32>]) -> Result<usize, Failure> {
    let rows = parts.first().map_or(0, |part| part.rows());
    match parts.iter().find(|part| part.rows() != rows) {
        Some(part) => Err(Failure::bug(format!("parts of {rows} and {} rows cannot be joined", part.rows()))),
        None => Ok(rows),
    }
}

/// All light encoders, ascending by name.
pub fn registry() -> Vec<EncoderEntry> {
    vec![
        EncoderEntry { spec: &bag_of_events::SPEC, build: bag_of_events::build },
        EncoderEntry { spec: &behaviour_features::SPEC, build: behaviour_features::build },
        EncoderEntry { spec: &glove::SPEC, build: glove::build },
        EncoderEntry { spec: &length_only::SPEC, build: length_only::build },
        EncoderEntry { spec: &precomputed::SPEC, build: precomputed::build },
        EncoderEntry { spec: &random_vector::SPEC, build: random_vector::build },
        EncoderEntry { spec: &sgt::SPEC, build: sgt::build },
        EncoderEntry { spec: &tfidf::SPEC, build: tfidf::build },
        EncoderEntry { spec: &transition_matrix::SPEC, build: transition_matrix::build },
        EncoderEntry { spec: &word2vec::SPEC, build: word2vec::build },
        EncoderEntry { spec: &word_vectors::SPEC, build: word_vectors::build },
    ]
}

#[cfg(test)]
mod tests {
    use trailmark_core::Params;
    use trailmark_kit::{oracle, rows};

    use super::*;

    #[test]
    fn every_encoder_has_a_unique_name_a_reference_and_an_oracle_table() {
        let entries = registry();
        assert!(entries.windows(2).all(|pair| pair[0].spec.name < pair[1].spec.name), "names ascend and are unique");
        for entry in entries {
            assert!(!entry.spec.reference.is_empty(), "{} has no reference", entry.spec.name);
            assert!(!entry.spec.summary.is_empty(), "{} has no summary", entry.spec.name);
            let cost = entry.spec.cost;
            assert!(!cost.time.is_empty() && !cost.memory.is_empty(), "{} does not say its cost", entry.spec.name);
            // `precomputed` computes nothing: its vectors are the file's, and its tests read files made by hand. No
            // reference can say what `random_vector` should draw.
            if !["precomputed", "random_vector"].contains(&entry.spec.name) {
                trailmark_kit::oracle("encode", entry.spec.name);
            }
        }
    }

    fn fuse(name: &str, params: &[(&str, f64)], parts: &[&Matrix<f32>]) -> Result<Matrix<f32>, Failure> {
        let entry = fusions().into_iter().find(|entry| entry.spec.name == name).unwrap();
        let params = params.iter().fold(Params::defaults(entry.spec), |all, (name, value)| {
            all.with(name, trailmark_core::ParamValue::Number(*value))
        });
        (entry.build)(&params).unwrap().fuse(parts)
    }

    #[test]
    fn every_fusion_agrees_with_its_oracle() {
        let entries = fusions();
        assert!(entries.windows(2).all(|pair| pair[0].spec.name < pair[1].spec.name), "names ascend and are unique");
        for entry in entries {
            assert!(!entry.spec.reference.is_empty() && !entry.spec.summary.is_empty(), "{}", entry.spec.name);
            let table = oracle("encode", entry.spec.name);
            for case in &table.case {
                let parts: Vec<Matrix<f32>> = case["parts"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|part| {
                        let rows: Vec<Vec<f64>> = part.clone().try_into().unwrap();
                        Matrix::from_rows(&rows).unwrap().cast()
                    })
                    .collect();
                let params: Vec<(&str, f64)> = ["alpha", "beta"]
                    .into_iter()
                    .filter_map(|name| Some((name, case.get(name)?.as_float().unwrap())))
                    .collect();
                let fused = fuse(entry.spec.name, &params, &parts.iter().collect::<Vec<_>>()).unwrap();
                let expected = rows(case, "expected");
                assert_eq!((fused.rows(), fused.cols()), (expected.len(), expected[0].len()), "{}", entry.spec.name);
                for (got, expected) in fused.as_slice().iter().zip(expected.iter().flatten()) {
                    table.assert_close(entry.spec.name, f64::from(*got), *expected);
                }
            }
        }
    }

    #[test]
    fn a_weighted_sum_of_different_widths_says_how_to_make_them_equal() {
        let (wide, narrow) = (Matrix::zeros(3, 5), Matrix::zeros(3, 2));
        let failure = fuse("weighted_sum", &[], &[&wide, &narrow]).unwrap_err();
        assert_eq!(
            failure.message,
            "weighted_sum adds vectors of equal width, and its parts have 5 and 2 features; give the wider one the \
             post step pca with n_components = 2, or use concatenation"
        );
    }
}
