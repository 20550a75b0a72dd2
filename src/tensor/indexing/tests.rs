//! `get`, `set` and their gradients against the definition: for each element of the result, where it comes from.

use super::super::index::{Ellipsis, Index, NewAxis, Slice, step};
use crate::shape::view::{indices, numel};
use crate::{DType, Tensor};
use proptest::prelude::*;

/// One index of a test: with its values at hand, unlike an [`Index`].
#[derive(Clone, Debug)]
enum Token {
    At(isize),
    Slice(Slice),
    NewAxis,
    Ellipsis,
    Tensor(Vec<i64>, Vec<usize>),
}

impl Token {
    fn index(&self) -> Index {
        match self {
            Token::At(at) => Index::At(*at),
            Token::Slice(slice) => Index::Slice(*slice),
            Token::NewAxis => NewAxis.into(),
            Token::Ellipsis => Ellipsis.into(),
            Token::Tensor(values, shape) => Tensor::from_slice(values, shape).into(),
        }
    }
}

/// The shape of the result, and for each of its elements the row-major position of where it comes from; `None` for out of range.
fn definition(shape: &[usize], tokens: &[Token]) -> (Vec<usize>, Vec<Option<usize>>) {
    /// What an axis of the indexed tensor is at: a fixed place, a walk along an axis of the result, or a list of a tensor.
    enum From {
        At(usize),
        Walk(usize, Vec<usize>),
        Tensor(Vec<i64>, Vec<usize>),
    }
    let used = tokens
        .iter()
        .filter(|t| !matches!(t, Token::NewAxis | Token::Ellipsis))
        .count();
    let whole = vec![
        Token::Slice(Slice {
            start: None,
            stop: None,
            step: 1
        });
        shape.len() - used
    ];
    let dots = tokens
        .iter()
        .position(|t| matches!(t, Token::Ellipsis))
        .unwrap_or(tokens.len());
    let rest = tokens.iter().skip(dots + 1).cloned();
    let tokens: Vec<Token> = tokens[..dots]
        .iter()
        .cloned()
        .chain(whole)
        .chain(rest)
        .collect();

    // The common shape of all index tensors, and where its axes go.
    let mut common: Vec<usize> = Vec::new();
    for token in &tokens {
        if let Token::Tensor(_, own) = token {
            common = crate::shape::args::broadcast(&common, own).expect("broadcastable tensors");
        }
    }
    let kinds: Vec<bool> = tokens
        .iter()
        .filter(|t| !matches!(t, Token::At(_)))
        .map(|t| matches!(t, Token::Tensor(..)))
        .collect();
    let first = kinds.iter().position(|&tensor| tensor);
    let last = kinds.iter().rposition(|&tensor| tensor);
    let split = first
        .zip(last)
        .is_some_and(|(first, last)| kinds[first..=last].contains(&false));

    let (mut result, mut from, mut block) = (Vec::new(), Vec::new(), None);
    if split {
        (block, result) = (Some(0), common.clone());
    }
    for token in &tokens {
        let axis = from.len();
        match token {
            Token::NewAxis => result.push(1),
            Token::Ellipsis => unreachable!("filled in"),
            Token::At(at) => from.push(From::At(at.rem_euclid(shape[axis] as isize) as usize)),
            Token::Slice(slice) => {
                let (start, count) = slice.resolve(shape[axis]);
                from.push(From::Walk(
                    result.len(),
                    (0..count)
                        .map(|i| (start as isize + i as isize * slice.step) as usize)
                        .collect(),
                ));
                result.push(count);
            }
            Token::Tensor(values, own) => {
                if block.is_none() {
                    block = Some(result.len());
                    result.extend(&common);
                }
                from.push(From::Tensor(values.clone(), own.clone()));
            }
        }
    }
    let sources = indices(&result).map(|index| {
        from.iter()
            .zip(shape)
            .try_fold(0, |position, (from, &size)| {
                let at = match from {
                    From::At(at) => *at,
                    From::Walk(axis, places) => places[index[*axis]],
                    From::Tensor(values, own) => {
                        let block = &index[block.expect("it has been placed")..][..common.len()];
                        let aligned = &block[common.len() - own.len()..];
                        let at = aligned
                            .iter()
                            .zip(own)
                            .fold(0, |at, (&i, &n)| at * n + if n == 1 { 0 } else { i });
                        let value = if values[at] < 0 {
                            values[at] + size as i64
                        } else {
                            values[at]
                        };
                        usize::try_from(value).ok().filter(|&at| at < size)?
                    }
                };
                Some(position * size + at)
            })
    });
    (result.clone(), sources.collect())
}

fn token(size: usize) -> impl Strategy<Value = Token> {
    let n = size as isize;
    let end = proptest::option::of(-n - 2..=n + 2);
    let shapes = prop_oneof![
        Just(vec![]),
        Just(vec![2]),
        Just(vec![1]),
        Just(vec![3, 1]),
        Just(vec![3, 2])
    ];
    prop_oneof![
        2 => (-n..n).prop_map(Token::At),
        4 => (end.clone(), end, prop_oneof![Just(1), Just(2), Just(-1), Just(-2), Just(3)])
            .prop_map(|(start, stop, step)| Token::Slice(Slice { start, stop, step })),
        3 => shapes.prop_flat_map(move |shape: Vec<usize>| {
            // Now and then out of range, on either side.
            proptest::collection::vec(-(n as i64) - 1..=n as i64, numel(&shape)).prop_map(move |values| Token::Tensor(values, shape.clone()))
        }),
    ]
}

/// A shape, and indices for its first axes, or with an ellipsis between some first and some last ones; and new axes anywhere.
fn tokens() -> impl Strategy<Value = (Vec<usize>, Vec<Token>)> {
    proptest::collection::vec(1..5usize, 1..4).prop_flat_map(|shape| {
        let each: Vec<_> = shape.iter().map(|&size| token(size)).collect();
        let rank = shape.len();
        (
            Just(shape),
            each,
            0..=rank,
            0..=rank,
            any::<bool>(),
            proptest::collection::vec(0..5usize, 0..3),
        )
            .prop_map(|(shape, each, front, back, dots, new_axes)| {
                let mut tokens = each[..front].to_vec();
                if dots {
                    tokens.push(Token::Ellipsis);
                    tokens.extend_from_slice(&each[front.max(each.len() - back)..]);
                }
                for at in new_axes {
                    tokens.insert(at.min(tokens.len()), Token::NewAxis);
                }
                (shape, tokens)
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn get_follows_the_definition((shape, tokens) in tokens()) {
        let (result, sources) = definition(&shape, &tokens);
        let data: Vec<f32> = (0..numel(&shape)).map(|i| i as f32 + 1.0).collect();
        let x = Tensor::from_vec(data.clone(), &shape).requires_grad(true);
        let list: Vec<Index> = tokens.iter().map(Token::index).collect();
        let y = x.get(list);
        prop_assert_eq!(y.shape(), &result[..]);
        let expected: Vec<f32> = sources.iter().map(|source| source.map_or(0.0, |i| data[i])).collect();
        prop_assert_eq!(y.to_vec::<f32>(), expected);
        // d Σ (k + 1)·y[k] / dx: each x gets the weights of all places that it went to.
        let weights: Vec<f32> = (0..sources.len()).map(|k| k as f32 + 1.0).collect();
        y.mul(Tensor::from_vec(weights.clone(), &result)).sum(()).backward();
        let mut grad = vec![0.0; data.len()];
        for (source, weight) in sources.iter().zip(&weights) {
            source.iter().for_each(|i| grad[*i] += weight);
        }
        prop_assert_eq!(x.grad().unwrap().to_vec::<f32>(), grad);
    }

    #[test]
    fn set_follows_the_definition((shape, tokens) in tokens()) {
        let (result, sources) = definition(&shape, &tokens);
        let mut expected: Vec<i32> = (0..numel(&shape) as i32).collect();
        let x = Tensor::from_vec(expected.clone(), &shape);
        let before = x.mul(1);
        let values: Vec<i32> = (0..sources.len() as i32).map(|k| -k - 1).collect();
        let list: Vec<Index> = tokens.iter().map(Token::index).collect();
        x.set(list, Tensor::from_vec(values.clone(), &result));
        let old = expected.clone();
        for (source, value) in sources.iter().zip(&values) {
            source.iter().for_each(|i| expected[*i] = *value); // in order: the last one stays
        }
        prop_assert_eq!(x.to_vec::<i32>(), expected);
        prop_assert_eq!(before.to_vec::<i32>(), old); // what was computed from the old values keeps them
    }
}

#[test]
fn the_last_of_many_writers_wins() {
    // 1000 writers, 7 places, of which one is out of range.
    let places: Vec<i64> = (0..1000).map(|i| (i * i + i / 3) % 7 - 1).collect();
    let values: Vec<i32> = (0..1000).collect();
    let mut expected = vec![-1; 5];
    for (place, value) in places.iter().zip(&values) {
        match place {
            -1 => expected[4] = *value, // counted from the end
            5.. => {}
            _ => expected[*place as usize] = *value,
        }
    }
    let x = Tensor::from(vec![-1; 5]);
    x.set(Tensor::from(places), Tensor::from(values));
    assert_eq!(x.to_vec::<i32>(), expected);
}

#[test]
fn places_out_of_range_in_one_axis_are_not_places_of_the_next_row() {
    let x = Tensor::from([[1, 2], [3, 4]]);
    let (rows, columns) = (Tensor::from([0, 1, 0, 1]), Tensor::from([2, 1, -3, -1]));
    assert_eq!(x.get((&rows, &columns)).to_vec::<i32>(), [0, 4, 0, 4]);
    x.set((&rows, &columns), 9);
    assert_eq!(x.to_vec::<i32>(), [1, 2, 3, 9]);
}

#[test]
fn values_stretch_and_are_cast() {
    let x = Tensor::zeros([2, 3]);
    x.set((.., 1), 7);
    x.set(0, Tensor::from([[[2u8], [2]]]).get((0, 0))); // [1] over [3]
    assert_eq!(
        (x.to_vec::<f32>(), x.dtype()),
        (vec![2.0, 2.0, 2.0, 0.0, 7.0, 0.0], DType::Float32)
    );
    x.set(.., Tensor::from([[[1], [5]]])); // axes of size 1 in front don't count
    assert_eq!(x.to_vec::<f32>(), [1.0, 1.0, 1.0, 5.0, 5.0, 5.0]);
    x.set(step(..0, -1), 3); // element 1 of 2 alone
    assert_eq!(x.to_vec::<f32>(), [1.0, 1.0, 1.0, 3.0, 3.0, 3.0]);
    x.set(5.., 8); // nothing
    assert_eq!(x.to_vec::<f32>(), [1.0, 1.0, 1.0, 3.0, 3.0, 3.0]);
}

#[test]
fn a_tensor_may_be_set_to_itself() {
    let x = Tensor::from([1, 2, 3, 4]);
    x.set(.., x.flip(0).add(x.mul(10)));
    assert_eq!(x.to_vec::<i32>(), [14, 23, 32, 41]);
    x.set(step(.., 2), x.get(step(1.., 2)));
    assert_eq!(x.to_vec::<i32>(), [23, 23, 41, 41]);
}

#[test]
fn parameters_are_set_without_gradients_only() {
    let w = Tensor::from([1.0, 2.0]).requires_grad(true);
    Tensor::no_grad(|| w.set(0, 5.0));
    assert_eq!(
        (w.to_vec::<f32>(), w.needs_grad()),
        (vec![5.0, 2.0], Some(true))
    );
    let refused = std::panic::catch_unwind(|| w.set(0, 6.0)).unwrap_err();
    assert!(
        refused
            .downcast_ref::<String>()
            .unwrap()
            .starts_with("set: this tensor requires a gradient")
    );
}

#[test]
fn a_large_table_is_read_row_by_row() {
    let table = Tensor::arange(50_000 * 8)
        .reshape([50_000, 8])
        .cast(DType::Float32)
        .requires_grad(true);
    let rows = table.get(Tensor::from([49_999, 3, 3]));
    assert_eq!(rows.get((0, 7)).item::<f32>(), 399_999.0);
    rows.sum(()).backward();
    let grad = table.grad().unwrap();
    assert_eq!(grad.sum(1).get(2..5).to_vec::<f32>(), [0.0, 16.0, 0.0]);
    assert_eq!(grad.sum(()).item::<f32>(), 24.0);
}
