//! Light encoders, one file each: behaviour sequences in, one vector per sample out.
//!
//! An encoder is a `Spec`, a constructor and a line in [`registry`]. What is learnt (vocabularies, document
//! frequencies, token vectors) is learnt from the training rows alone, in an order that depends on token names and
//! never on the numbers that tokens happen to have in the whole dataset.

mod alphabet;
mod analyzer;
mod bag_of_events;
mod behaviour_features;
mod counting;
mod event_features;
mod glove;
mod lanes;
mod length_only;
mod negative_sampling;
pub mod npy;
mod pooling;
mod precomputed;
mod random_vector;
mod sgt;
mod svd;
mod tfidf;
mod token_vectors;
mod transition_matrix;
mod vocabulary;
mod word2vec;
mod word_file;
mod word_vectors;

use trailmark_core::catalogue::EncoderEntry;

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
}
