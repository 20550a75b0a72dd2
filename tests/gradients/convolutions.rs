//! Convolutions and pools with all that they have: kernels, strides, dilations, paddings and groups, over one axis, two and three.
//!
//! **In:** nothing. **Out:** entries. Over one axis every option meets every other; over more axes each axis has options of its own, so
//! that none can be taken for another.

use super::entry::{Entry, entry};
use teenygrad::tensor::conv::{Conv, Pool};

/// Convolutions with all that they have.
pub fn convolutions() -> Vec<Entry> {
    let mut entries = straight();
    entries.extend(transposed());
    entries.extend(pools());
    entries
}

/// Convolutions over one axis, two and three.
fn straight() -> Vec<Entry> {
    let mut entries = Vec::new();
    // One axis: everything with everything.
    for (kernel, stride, dilation) in
        (1..=3).flat_map(|k| (1..=3).flat_map(move |s| (1..=2).map(move |d| (k, s, d))))
    {
        for (padding, groups) in [(vec![0], 1), (vec![1], 2), (vec![0, 2], 1), (vec![2, 1], 2)] {
            let options = Conv::default()
                .stride(stride)
                .dilation(dilation)
                .padding(&padding)
                .groups(groups);
            let what = format!(
                "1 axis, kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding:?}, {groups} groups"
            );
            entries.push(entry(
                "conv2d_with",
                what,
                &[&[1, 2, 6], &[2, 2 / groups, kernel], &[2]],
                move |x| x[0].conv2d_with(&x[1], Some(&x[2]), options.clone()),
            ));
        }
    }
    // Two axes, different ones.
    let two: [(
        [usize; 2],
        [usize; 2],
        [usize; 2],
        &'static [i32],
        usize,
        usize,
        usize,
    ); 9] = [
        // kernel, stride, dilation, padding, groups, channels in, channels out
        ([3, 3], [1, 1], [1, 1], &[0], 1, 2, 3),
        ([3, 3], [1, 1], [1, 1], &[1], 1, 1, 2),
        ([2, 3], [2, 1], [1, 1], &[1, 0], 1, 2, 2),
        ([2, 2], [3, 3], [1, 1], &[0], 1, 1, 2),
        ([2, 2], [2, 3], [2, 2], &[1], 1, 2, 1),
        ([3, 1], [2, 2], [2, 1], &[0, 1, 2, 0], 1, 1, 1),
        ([2, 2], [1, 2], [1, 2], &[1], 2, 4, 2),
        ([2, 2], [1, 1], [1, 1], &[0], 3, 3, 3),
        ([1, 1], [2, 2], [1, 1], &[0], 1, 2, 3),
    ];
    for (kernel, stride, dilation, padding, groups, channels, out) in two {
        let options = Conv::default()
            .stride(stride)
            .dilation(dilation)
            .padding(padding)
            .groups(groups);
        let what = format!(
            "2 axes, kernel {kernel:?}, stride {stride:?}, dilation {dilation:?}, padding {padding:?}, {groups} groups, {channels} to {out}"
        );
        let weight = [out, channels / groups, kernel[0], kernel[1]];
        entries.push(entry(
            "conv2d_with",
            what,
            &[&[2, channels, 5, 5], &weight],
            move |x| x[0].conv2d_with(&x[1], None, options.clone()),
        ));
    }
    entries.push(entry(
        "conv2d",
        "and what comes before and after",
        &[&[1, 2, 4, 4], &[2, 2, 2, 2], &[2]],
        |x| {
            x[0].square()
                .conv2d(&x[1].sin(), Some(&x[2]))
                .relu()
                .sum([2, 3])
        },
    ));
    // Three axes.
    for (stride, dilation, padding) in [(1, 1, 0), (2, 1, 1), (2, 2, 1)] {
        let options = Conv::default()
            .stride(stride)
            .dilation(dilation)
            .padding(padding);
        let what = format!("3 axes, stride {stride}, dilation {dilation}, padding {padding}");
        entries.push(entry(
            "conv2d_with",
            what,
            &[&[1, 1, 3, 3, 3], &[2, 1, 2, 2, 2]],
            move |x| x[0].conv2d_with(&x[1], None, options.clone()),
        ));
    }
    entries
}

/// Transposed ones.
fn transposed() -> Vec<Entry> {
    let mut entries = Vec::new();
    for (kernel, stride, dilation) in
        (1..=3).flat_map(|k| (1..=3).flat_map(move |s| (1..=2).map(move |d| (k, s, d))))
    {
        for (padding, output_padding, groups) in [(0, 0, 1), (1, 1, 2)] {
            if output_padding >= stride.max(dilation)
                || 2 * padding >= 2 * stride + dilation * (kernel - 1)
            {
                continue;
            }
            let options = Conv::default()
                .stride(stride)
                .dilation(dilation)
                .padding(padding)
                .output_padding(output_padding)
                .groups(groups);
            let what = format!(
                "1 axis, kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}, more {output_padding}, {groups} groups"
            );
            entries.push(entry(
                "conv_transpose2d_with",
                what,
                &[&[1, 2, 3], &[2, 2, kernel]],
                move |x| x[0].conv_transpose2d_with(&x[1], None, options.clone()),
            ));
        }
    }
    entries.push(entry(
        "conv_transpose2d",
        "2 axes",
        &[&[1, 2, 3, 2], &[2, 1, 2, 3], &[1]],
        |x| x[0].conv_transpose2d(&x[1], Some(&x[2])),
    ));
    let options = Conv::default()
        .stride([2, 1])
        .dilation([1, 2])
        .padding(1)
        .output_padding([1, 0]);
    entries.push(entry(
        "conv_transpose2d_with",
        "2 axes, all options",
        &[&[1, 2, 3, 2], &[2, 1, 2, 3]],
        move |x| x[0].conv_transpose2d_with(&x[1], None, options.clone()),
    ));
    entries
}

/// The largest and the average of each window.
fn pools() -> Vec<Entry> {
    let mut entries = Vec::new();
    for (kernel, stride, dilation) in
        (1..=3).flat_map(|k| (1..=4).flat_map(move |s| (1..=2).map(move |d| (k, s, d))))
    {
        let options = Pool::default().stride(stride).dilation(dilation);
        let (what, other) = (
            format!("kernel [{kernel}], stride {stride}, dilation {dilation}"),
            options.clone(),
        );
        entries.push(entry("max_pool2d_with", &what, &[&[2, 7]], move |x| {
            x[0].max_pool2d_with([kernel], options.clone())
        }));
        entries.push(entry("avg_pool2d_with", &what, &[&[2, 7]], move |x| {
            x[0].avg_pool2d_with([kernel], other.clone())
        }));
    }
    entries.extend([
        entry("max_pool2d", "2 by 2", &[&[1, 2, 5, 4]], |x| {
            x[0].max_pool2d(2)
        }),
        entry("avg_pool2d", "2 by 3", &[&[1, 2, 5, 4]], |x| {
            x[0].avg_pool2d([2, 3])
        }),
        entry("max_pool2d_with", "overlapping", &[&[1, 1, 5, 4]], |x| {
            x[0].max_pool2d_with([3, 2], Pool::default().stride([1, 2]))
        }),
        entry(
            "max_pool2d_with",
            "stride and dilation",
            &[&[1, 1, 6, 6]],
            |x| x[0].max_pool2d_with(2, Pool::default().stride(3).dilation(2)),
        ),
        entry(
            "avg_pool2d_with",
            "stride and dilation",
            &[&[1, 1, 6, 6]],
            |x| x[0].avg_pool2d_with(2, Pool::default().stride(3).dilation(2)),
        ),
        entry("max_pool2d_with", "3 axes", &[&[1, 3, 3, 3]], |x| {
            x[0].max_pool2d_with([2, 2, 2], Pool::default().stride(1))
        }),
    ]);
    entries
}
