//! `bert_candle`: the encoder `bert` with its network on candle. The same parameters and, to rounding, the same vectors,
//! at a fraction of the speed.

use trailmark_core::catalogue::{BuildError, EncoderEntry};
use trailmark_core::contract::{Assets, Encoder};
use trailmark_core::{Cost, Params, Spec};
use trailmark_transformer::{BertConfig, Family};

use crate::networks::bert::Bert;

pub(crate) static SPEC: Spec = Spec {
    name: "bert_candle",
    summary: "The encoder bert on candle: the slow oracle arm, for checking the fast one",
    reference: "Devlin et al. 2019, NAACL. Network on candle-nn 0.11",
    revision: 1,
    cost: Cost { time: "as bert, several times slower", memory: "weights, padded batches" },
    params: trailmark_transformer::BERT_PARAMS,
};

pub(crate) const ENTRY: EncoderEntry = EncoderEntry { spec: &SPEC, build };

const FAMILY: Family<BertConfig> =
    Family { network: |weights, config, _| Ok(Box::new(Bert::new(weights, config)?)), ..trailmark_transformer::BERT };

fn build(params: &Params, assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    trailmark_transformer::build(params, assets, &FAMILY)
}
