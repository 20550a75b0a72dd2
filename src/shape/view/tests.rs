//! Tests of `view`.

use super::*;
use proptest::prelude::*;

/// Random movements, done twice: on the view, and on a plain list of addresses in the most obvious way.
fn naive_remap(list: &[Option<usize>], shape: &[usize], remap: &Remap) -> Vec<Option<usize>> {
    let steps = row_major_with_ones(shape);
    indices(&remap.shape)
        .map(|new| {
            let mut linear = 0;
            for (axis, (offset, coefs)) in remap.rows().enumerate() {
                let old = offset + dot(coefs, &new);
                if old < 0 || old >= shape[axis] as isize {
                    return None;
                }
                linear += old as usize * steps[axis];
            }
            list[linear]
        })
        .collect()
}

fn row_major_with_ones(shape: &[usize]) -> Vec<usize> {
    (0..shape.len())
        .map(|axis| shape[axis + 1..].iter().product())
        .collect()
}

fn any_remap(shape: Vec<usize>) -> impl Strategy<Value = Remap> {
    let rank = shape.len();
    let order = Just((0..rank).collect::<Vec<_>>()).prop_shuffle();
    let pads = prop::collection::vec((-1isize..3, 0isize..3), rank);
    let steps = prop::collection::vec(prop::sample::select(vec![-2isize, -1, 1, 2, 3]), rank);
    (0..4, order, pads, steps).prop_map(move |(kind, order, pads, steps)| match kind {
        0 => Remap::permute(&shape, &order),
        1 => Remap::stride(&shape, &steps),
        2 => Remap::pad(
            &shape,
            &pads
                .iter()
                .zip(&shape)
                .map(|(&(b, a), &n)| if n > 1 { (b, a) } else { (0, a) })
                .collect::<Vec<_>>(),
        ),
        // Windows of 2 over the first axis: old = new₀ + new₁, which leaves the shape at its end.
        _ => {
            let mut new = shape.clone();
            new.insert(1, 2);
            let mut remap = Remap::still(rank, new);
            remap.follow(0, 1, 1);
            (0..rank).for_each(|axis| remap.follow(axis, axis + usize::from(axis > 0), 1));
            remap
        }
    })
}

fn any_case() -> impl Strategy<Value = (Vec<usize>, Vec<Remap>)> {
    prop::collection::vec(1usize..5, 1..4).prop_flat_map(|shape| {
        let first = any_remap(shape.clone());
        first.prop_flat_map(move |a| {
            (
                Just(shape.clone()),
                any_remap(a.shape.clone()).prop_map(move |b| vec![a.clone(), b]),
            )
        })
    })
}

proptest! {
    #[test]
    fn remaps_agree_with_moving_each_element((shape, remaps) in any_case()) {
        let mut view = View::contiguous(&shape);
        let mut list = view.addresses();
        for remap in &remaps {
            list = naive_remap(&list, &view.shape, remap);
            view = view.remap(remap);
            prop_assert_eq!(view.addresses(), list.clone());
        }
        // A reshape, where there is one, keeps the order of the elements; flattening is the hardest.
        if let Some(flat) = view.reshape(&[view.numel()]) {
            prop_assert_eq!(flat.addresses(), list);
        }
        // Two remaps in one are the two, one after the other.
        if let Some(both) = remaps[0].then(&shape, &remaps[1]) {
            prop_assert_eq!(View::contiguous(&shape).remap(&both).addresses(), view.addresses());
        }
    }
}

#[test]
fn reshape_splits_always_and_merges_where_axes_run_on() {
    let view = View::contiguous(&[2, 3, 4]);
    assert_eq!(view.reshape(&[6, 2, 2]).unwrap().strides, [4, 2, 1]);
    let swapped = view.permute(&[1, 0, 2]); // [3, 2, 4], strides 4, 12, 1
    assert_eq!(
        swapped.reshape(&[3, 2, 2, 2]).unwrap().strides,
        [4, 12, 2, 1]
    );
    assert_eq!(swapped.reshape(&[6, 4]), None);
    let expanded = View::contiguous(&[1, 3]).remap(&Remap::expand(&[1, 3], &[2, 3]));
    assert_eq!(expanded.reshape(&[6]), None);
    assert_eq!(
        View::contiguous(&[1])
            .remap(&Remap::expand(&[1], &[6]))
            .reshape(&[2, 3])
            .unwrap()
            .strides,
        [0, 0]
    );
}

#[test]
fn empty_shapes_have_views() {
    let view = View::contiguous(&[0, 3]);
    assert_eq!(view.reshape(&[3, 0]).unwrap().shape, [3, 0]);
    assert_eq!(view.permute(&[1, 0]).shape, [3, 0]);
    assert!(view.addresses().is_empty());
}
