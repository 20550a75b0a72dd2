//! # rows: the list of all rows
//!
//! | file | rows |
//! |---|---|
//! | [`steps`] | training steps |
//! | [`products`] | matrix products and convolutions: arithmetic is what takes the time |
//! | [`streams`] | one pass or a few over 64 MiB: memory is what takes the time |
//! | [`engine`] | many small things: bookkeeping is what takes the time |
//! | [`machine`] | what the machine can do, without the library |

pub mod engine;
pub mod machine;
pub mod products;
pub mod steps;
pub mod streams;

use crate::case::{Case, Setup};

/// One kind of work.
pub struct Row {
    pub name: &'static str,
    pub about: &'static str,
    pub make: fn(Setup) -> Case,
}

macro_rules! rows {
    ($($name:literal, $about:literal, $make:expr;)*) => {
        /// All rows, in the order in which they are run.
        pub const ROWS: &[Row] = &[$(Row { name: $name, about: $about, make: $make }),*];
    };
}

rows! {
    "mlp_step", "784 → 128 → 10, batch 128, Adam", steps::mlp;
    "tinyconv_step", "convolutions of 8 and 16 channels on 28×28, batch 128, Adam", |s| steps::convnet(s, 8, 16, 128);
    "bigconv_step", "the same with 32 and 64 channels", |s| steps::convnet(s, 32, 64, 128);
    "bigconv_step_b32", "the same with batch 32", |s| steps::convnet(s, 32, 64, 32);
    "bigconv_step_b1024", "the same with batch 1024", |s| steps::convnet(s, 32, 64, 1024);
    "gpt_step", "4 layers, width 256, 4 heads, context 128, vocabulary 512, batch 8, AdamW", steps::gpt;
    "resnet_step", "3×32×32, stages of 16, 32, 64 channels, batch 64, SGD with momentum", steps::resnet;
    "matmul_256", "256×256 @ 256×256", |s| products::matmul(s, 256);
    "matmul_512", "512×512 @ 512×512", |s| products::matmul(s, 512);
    "matmul_1024", "1024×1024 @ 1024×1024", |s| products::matmul(s, 1024);
    "matmul_2048", "2048×2048 @ 2048×2048", |s| products::matmul(s, 2048);
    "matmul_tn_1024", "the left operand transposed", products::matmul_tn;
    "bmm_64x128x64x128", "64 products of 128×64 @ 64×128", products::bmm;
    "matvec_4096", "4096×4096 @ 4096", products::matvec;
    "conv_fwd_3x224s2", "8×3×224×224, 64 filters 7×7, stride 2", |s| products::conv_fwd(s, products::STEM);
    "conv_fwd_64x56", "8×64×56×56, 64 filters 3×3", |s| products::conv_fwd(s, products::MIDDLE);
    "conv_fwd_dw128x28", "8×128×28×28, a filter 3×3 for each channel", |s| products::conv_fwd(s, products::DEPTHWISE);
    "conv_bwd_3x224s2", "forward, and the gradients of input and filters", |s| products::conv_bwd(s, products::STEM);
    "conv_bwd_64x56", "forward, and the gradients of input and filters", |s| products::conv_bwd(s, products::MIDDLE);
    "conv_bwd_dw128x28", "forward, and the gradients of input and filters", |s| products::conv_bwd(s, products::DEPTHWISE);
    "add_4096", "a + b, both 4096×4096", streams::add;
    "chain_4096", "(a * 2 + 1).relu().neg().exp().sum()", streams::chain;
    "softmax_4096", "along rows", streams::softmax;
    "log_softmax_bwd_4096", "along rows, forward and the gradient", streams::log_softmax_bwd;
    "gelu_4096", "the tanh form", streams::gelu;
    "layernorm_4096", "along rows, no gain or bias", streams::layernorm;
    "sum_4096", "of all elements", streams::sum;
    "sum_axis0_4096", "of each column", streams::sum_axis0;
    "max_pool_64x56", "2×2 windows of 8×64×56×56", streams::max_pool;
    "transpose_4096", "rows become columns, in memory", streams::transpose;
    "cumsum_4096", "along rows", streams::cumsum;
    "gather_embedding", "8192 rows of 512 from a table of 50000", streams::gather;
    "adam_10m", "one step of Adam, 10 million parameters in 50 tensors", engine::adam;
    "graph_1000", "1000 additions to 4 numbers", engine::graph;
    "graph_1000_new", "the same, each run another graph", engine::graph_new;
    "cast_f16_4096", "float32 to float16", streams::cast_f16;
    "machine_fma_peak", "multiply-adds in registers, all threads", machine::fma_peak;
    "machine_stream_add", "a plain loop with add_4096's traffic", machine::stream_add;
    "machine_stream_sum", "a plain loop with sum_4096's traffic", machine::stream_sum;
}

/// The rows that a filter means: the one of that name, or all whose names contain it.
///
/// # Errors
/// If there is none: a message with the nearest name.
pub fn matching(filter: Option<&str>) -> Result<Vec<&'static Row>, String> {
    let Some(filter) = filter else {
        return Ok(ROWS.iter().collect());
    };
    if let Some(row) = ROWS.iter().find(|row| row.name == filter) {
        return Ok(vec![row]);
    }
    let found: Vec<&Row> = ROWS
        .iter()
        .filter(|row| row.name.contains(filter))
        .collect();
    if found.is_empty() {
        let nearest = ROWS
            .iter()
            .min_by_key(|row| edits(filter, row.name))
            .expect("there are rows");
        return Err(format!(
            "no row's name contains \"{filter}\"; did you mean {}? --list shows all",
            nearest.name
        ));
    }
    Ok(found)
}

/// How many characters must be inserted, removed or replaced to make one word of another. (Wagner & Fischer, *The String-to-String
/// Correction Problem*, 1974; one row of their table is enough.)
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
