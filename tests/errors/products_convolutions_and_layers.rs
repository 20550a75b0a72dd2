//! Matrix products, convolutions, pools, layers, attention and losses of shapes that do not fit.
//!
//! **In:** where problems are gathered. **Out:** those of this topic's mistakes.
//! **Law:** a layer speaks under its own name, even where what it is made of finds the mistake.

use super::Wrong;
use teenygrad::tensor::conv::{Conv, Pool};
use teenygrad::{Device, Tensor};

pub fn mistakes(wrong: &mut Wrong) {
    let (x, y, v) = (
        Tensor::ones([2, 3]),
        Tensor::ones([2, 4]),
        Tensor::from([1.0, 2.0, 3.0]),
    );
    let picture = Tensor::ones([1, 2, 5, 5]);
    fails!(
        wrong,
        x.matmul(&x),
        "matmul",
        "matmul: [2, 3] @ [2, 3]: the last axis of the left (3) and the second-last of the right (2) must be equal\n  hint: transpose one of them?"
    );
    fails!(
        wrong,
        x.matmul(2.0),
        "matmul",
        "matmul: a number on the right of [2, 3] has no axes to sum over\n  hint: * multiplies by a number"
    );
    fails!(
        wrong,
        x.matmul(Tensor::from(1.0)),
        "matmul",
        "matmul: [2, 3] @ []: a single number has no axes to sum over\n  hint: * multiplies by a number"
    );
    fails!(
        wrong,
        x.matmul(Tensor::ones([2])),
        "matmul",
        "matmul: [2, 3] @ [2]: the last axis of the left (3) and the axis of the right (2) must be equal"
    );
    fails!(
        wrong,
        Tensor::ones([2, 2, 3]).matmul(Tensor::ones([3, 3, 2])),
        "matmul",
        "matmul: [2, 2, 3] @ [3, 3, 2]: the axes in front of the matrices, [2] and [3], do not broadcast\n  hint: sizes are compared from the last of them on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.dot(&x),
        "dot",
        "dot: [2, 3] @ [2, 3]: the last axis of the left (3) and the second-last of the right (2) must be equal\n  hint: transpose one of them?"
    );
    fails!(
        wrong,
        x.linear(&x, None),
        "linear",
        "linear: [2, 3] @ [2, 3]: the last axis of the left (3) and the second-last of the right (2) must be equal\n  hint: transpose one of them?"
    );
    fails!(
        wrong,
        x.linear(&x.t(), Some(&v)),
        "linear",
        "linear: shapes [2, 2] and [3] do not broadcast: axis 1 has sizes 2 and 3\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.matmul(x.t().to(Device::REFERENCE)),
        "matmul",
        "matmul: one tensor is on CPU, another on REFERENCE\n  hint: move one of them with to()"
    );
    fails!(
        wrong,
        picture.conv2d(&x, None),
        "conv2d",
        "conv2d: input [1, 2, 5, 5] has 2 spatial axes, and weight [2, 3] has 0\n  hint: weights are [out, in / groups, kernel…]"
    );
    fails!(
        wrong,
        x.conv2d(&x, None),
        "conv2d",
        "conv2d: input [2, 3] is not [n, channels, spatial…]\n  hint: unsqueeze(0) makes a batch of one"
    );
    fails!(
        wrong,
        picture.conv2d(&Tensor::ones([4, 3, 2, 2]), None),
        "conv2d",
        "conv2d: input [1, 2, 5, 5] has 2 channels, and weight [4, 3, 2, 2] with 1 groups takes 3\n  hint: weights are [out, in / groups, kernel…]"
    );
    fails!(
        wrong,
        picture.conv2d(&Tensor::ones([4, 2, 6, 2]), None),
        "conv2d",
        "conv2d: a kernel of 6 with dilation 1 reaches over 6 elements, and axis 2 of the (padded) input [1, 2, 5, 5] has 5\n  hint: more padding, or a smaller kernel"
    );
    fails!(
        wrong,
        picture.conv2d(&Tensor::ones([4, 2, 2, 2]), Some(&v)),
        "conv2d",
        "conv2d: a bias of shape [3] for 4 output channels"
    );
    fails!(
        wrong,
        picture.conv2d_with(&Tensor::ones([3, 1, 2, 2]), None, Conv::default().groups(2)),
        "conv2d_with",
        "conv2d: the 3 output channels of weight [3, 1, 2, 2] cannot be cut into 2 groups"
    );
    fails!(
        wrong,
        picture.conv2d_with(
            &Tensor::ones([3, 2, 2, 2]),
            None,
            Conv::default().stride([1, 2, 3])
        ),
        "conv2d_with",
        "conv2d: stride [1, 2, 3] has 3 numbers for 2 axes\n  hint: one number for all axes, or one for each"
    );
    fails!(
        wrong,
        picture.conv2d_with(&Tensor::ones([3, 2, 2, 2]), None, Conv::default().stride(0)),
        "conv2d_with",
        "conv2d: stride [0]: 0 is less than 1"
    );
    fails!(
        wrong,
        picture.conv2d_with(
            &Tensor::ones([3, 2, 2, 2]),
            None,
            Conv::default().padding([1, 2, 3])
        ),
        "conv2d_with",
        "conv2d: padding [1, 2, 3] has 3 numbers for 2 axes\n  hint: one number for all axes, or one for each"
    );
    fails!(
        wrong,
        picture.conv2d_with(
            &Tensor::ones([3, 2, 2, 2]),
            None,
            Conv::default().padding(-1)
        ),
        "conv2d_with",
        "conv2d: padding [-1]: -1 is less than 0"
    );
    fails!(
        wrong,
        picture.conv2d_with(
            &Tensor::ones([3, 2, 2, 2]),
            None,
            Conv::default().dilation(9)
        ),
        "conv2d_with",
        "conv2d: a kernel of 2 with dilation 9 reaches over 10 elements, and axis 2 of the (padded) input [1, 2, 5, 5] has 5\n  hint: more padding, or a smaller kernel"
    );
    fails!(
        wrong,
        picture.conv_transpose2d(&Tensor::ones([3, 2, 2, 2]), None),
        "conv_transpose2d",
        "conv_transpose2d: input [1, 2, 5, 5] has 2 channels, and weight [3, 2, 2, 2] takes 3\n  hint: weights are [in, out / groups, kernel…]"
    );
    fails!(
        wrong,
        picture.conv_transpose2d_with(
            &Tensor::ones([2, 2, 2, 2]),
            None,
            Conv::default().output_padding(1)
        ),
        "conv_transpose2d_with",
        "conv_transpose2d: output_padding 1 of spatial axis 0 is not smaller than stride 1 or dilation 1"
    );
    fails!(
        wrong,
        picture.conv_transpose2d_with(
            &Tensor::ones([2, 2, 1, 1]),
            None,
            Conv::default().padding(3)
        ),
        "conv_transpose2d_with",
        "conv_transpose2d: padding (3, 3) of spatial axis 1 leaves nothing of input [1, 2, 5, 5] with weight [2, 2, 1, 1]"
    );
    fails!(
        wrong,
        picture.max_pool2d(6),
        "max_pool2d",
        "max_pool2d: a kernel of 6 with dilation 1 reaches over 6 elements, and axis 2 of the (padded) input [1, 2, 5, 5] has 5\n  hint: more padding, or a smaller kernel"
    );
    fails!(
        wrong,
        picture.max_pool2d([2, 2, 2, 2, 2]),
        "max_pool2d",
        "max_pool2d: a kernel [2, 2, 2, 2, 2] of 5 axes, and shape [1, 2, 5, 5] has 4"
    );
    fails!(
        wrong,
        picture.max_pool2d_with(2, Pool::default().stride(0)),
        "max_pool2d_with",
        "max_pool2d: stride [0]: 0 is less than 1"
    );
    fails!(
        wrong,
        picture.avg_pool2d(0),
        "avg_pool2d",
        "avg_pool2d: kernel [0, 0]: 0 is less than 1"
    );
    fails!(
        wrong,
        picture.avg_pool2d_with(2, Pool::default().dilation([1, 2, 3])),
        "avg_pool2d_with",
        "avg_pool2d: dilation [1, 2, 3] has 3 numbers for 2 axes\n  hint: one number for all axes, or one for each"
    );
    fails!(
        wrong,
        x.layernorm(2, 1e-5),
        "layernorm",
        "layernorm: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        v.batchnorm(None, None, &v, &v),
        "batchnorm",
        "batchnorm: shape [3] is not [n, channels, …]"
    );
    fails!(
        wrong,
        x.batchnorm(None, None, &v, &Tensor::ones([2])),
        "batchnorm",
        "batchnorm: invstd has shape [2], and input [2, 3] has 3 channels\n  hint: one number a channel"
    );
    fails!(
        wrong,
        x.dropout(1.5),
        "dropout",
        "dropout: 1.5 is no probability\n  hint: 0 drops nothing, 1 everything"
    );
    fails!(
        wrong,
        v.scaled_dot_product_attention(&x, &x, None, 0.0, false),
        "scaled_dot_product_attention",
        "scaled_dot_product_attention: query [3], key [2, 3] and value [2, 3] need two axes each\n  hint: […, positions, features]"
    );
    fails!(
        wrong,
        x.scaled_dot_product_attention(&y, &x, None, 0.0, false),
        "scaled_dot_product_attention",
        "scaled_dot_product_attention: query [2, 3] has 3 features, key [2, 4] has 4"
    );
    fails!(
        wrong,
        x.scaled_dot_product_attention(&x, &Tensor::ones([3, 3]), None, 0.0, false),
        "scaled_dot_product_attention",
        "scaled_dot_product_attention: there are 2 keys in [2, 3] and 3 values in [3, 3]"
    );
    fails!(
        wrong,
        x.scaled_dot_product_attention(&x, &x, Some(&x.t()), 0.0, false),
        "scaled_dot_product_attention",
        "scaled_dot_product_attention: a mask of shape [3, 2] does not broadcast with scores [2, 2]\n  hint: […, queries, keys]"
    );
    fails!(
        wrong,
        x.binary_crossentropy(&y),
        "binary_crossentropy",
        "binary_crossentropy: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.binary_crossentropy_logits(&y),
        "binary_crossentropy_logits",
        "binary_crossentropy_logits: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.sparse_categorical_crossentropy(&Tensor::from([1, 2, 0]), -1),
        "sparse_categorical_crossentropy",
        "sparse_categorical_crossentropy: logits [2, 3] need labels [2], not [3]\n  hint: one label for each row of logits"
    );
    fails!(
        wrong,
        x.sparse_categorical_crossentropy(&Tensor::from([1.0, 2.0]), -1),
        "sparse_categorical_crossentropy",
        "sparse_categorical_crossentropy: labels of float32 are no numbers of classes\n  hint: cast them to an integer type"
    );
    fails!(
        wrong,
        Tensor::from(1.0).sparse_categorical_crossentropy(&Tensor::from(1), -1),
        "sparse_categorical_crossentropy",
        "sparse_categorical_crossentropy: logits of shape [] have no axis of classes"
    );
}
