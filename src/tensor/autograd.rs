//! # tensor/autograd: gradients by walking back
//!
//! **In:** a scalar tensor, the loss. **Out:** `grad` of every tensor that it came from and that requires one.
//!
//! While a tensor is computed from others, [`Tensor::apply`] leaves a note on the result: which function, and of which parents. The notes
//! form a graph with the loss at its end. [`Tensor::backward`] visits them from the loss on, each after all that use it, and hands
//! the gradient of each result to its function, which gives the gradients of the parents: the chain rule, one link at a time.
//!
//! Laws:
//! 1. Gradients add: a tensor that is used twice gets the sum of both, and so do two backwards of two losses.
//! 2. A backward frees the graph that it walked. A second one through the same tensors panics, rather than doing nothing.
//! 3. No recursion: graphs are as deep as they like.

use super::{Tensor, TensorState};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::mlops::Function;
use crate::viz::watch;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The note on a computed tensor: the function, and the tensors that it was applied to.
pub struct Context {
    pub(crate) function: Box<dyn Function>,
    pub(crate) parents: Vec<Tensor>,
    pub(crate) needs: Vec<bool>,
}

impl Drop for Context {
    /// Drops a chain of any length with a loop: a tensor that only this context holds hands over its own context, and so on.
    fn drop(&mut self) {
        let mut pending = std::mem::take(&mut self.parents);
        while let Some(tensor) = pending.pop() {
            let Some(mut inner) = Arc::into_inner(tensor.0) else {
                continue;
            };
            let context = inner.state_mut().context.take();
            if let Some(mut context) = context.and_then(Arc::into_inner) {
                pending.append(&mut context.parents);
            }
        }
    }
}

thread_local! {
    static NO_GRAD: Cell<bool> = const { Cell::new(false) };
    static TRAINING: Cell<bool> = const { Cell::new(false) };
}

/// A scope of [`Tensor::train`]: until it is dropped, this thread is in the mode that was asked for.
#[must_use = "the mode lasts as long as this value: let _train = Tensor::train(true);"]
pub struct TrainScope {
    before: bool,
}

impl Drop for TrainScope {
    fn drop(&mut self) {
        TRAINING.set(self.before);
    }
}

impl Tensor {
    // ---- Modes -------------------------------------------------------

    /// Runs something without recording how its tensors come about: no gradients, less memory.
    /// ```
    /// # use teenygrad::Tensor;
    /// let w = Tensor::from([1.0]).requires_grad(true);
    /// let y = Tensor::no_grad(|| &w * 2.0);
    /// assert_eq!(y.needs_grad(), Some(false));
    /// ```
    pub fn no_grad<T>(run: impl FnOnce() -> T) -> T {
        struct Restore(bool);
        impl Drop for Restore {
            fn drop(&mut self) {
                NO_GRAD.set(self.0);
            }
        }
        let _restore = Restore(NO_GRAD.replace(true));
        run()
    }

    /// Turns recording off (or on again) for this thread, for programs that cannot put it into a closure; tells how it was.
    /// [`Tensor::no_grad`] is what to use where one can.
    /// ```
    /// # use teenygrad::Tensor;
    /// let before = Tensor::set_no_grad(true);
    /// assert_eq!((Tensor::from([1.0]).requires_grad(true) * 2.0).needs_grad(), Some(false));
    /// Tensor::set_no_grad(before);
    /// ```
    pub fn set_no_grad(on: bool) -> bool {
        NO_GRAD.replace(on)
    }

    /// Turns training on or off for this thread, as [`Tensor::train`] without a scope; tells how it was.
    pub fn set_training(on: bool) -> bool {
        TRAINING.replace(on)
    }

    /// Whether this thread is training: dropout only drops then.
    pub fn training() -> bool {
        TRAINING.get()
    }

    /// Turns training on or off for this thread, until the returned scope ends.
    /// ```
    /// # use teenygrad::Tensor;
    /// {
    ///     let _train = Tensor::train(true);
    ///     assert!(Tensor::training());
    /// }
    /// assert!(!Tensor::training());
    /// ```
    pub fn train(on: bool) -> TrainScope {
        TrainScope {
            before: TRAINING.replace(on),
        }
    }

    // ---- Who needs a gradient ----------------------------------------

    /// This tensor, requiring a gradient or not from now on.
    ///
    /// # Panics
    /// If a gradient is asked of something that is not a float: it has no slope.
    #[track_caller]
    #[must_use]
    pub fn requires_grad(self, required: bool) -> Tensor {
        self.set_requires_grad(Some(required));
        self
    }

    /// As [`Tensor::requires_grad`], in place, with `None` for "unset": an optimizer turns unset into true.
    #[track_caller]
    pub fn set_requires_grad(&self, required: Option<bool>) {
        if required == Some(true) && !self.is_floating_point() {
            fail!(Type: "requires_grad", "a tensor of {} has no gradient", self.dtype(); "cast it to a float first");
        }
        self.state().requires_grad = required;
    }

    /// Whether it requires a gradient; `None` if nobody has said so.
    pub fn needs_grad(&self) -> Option<bool> {
        self.state().requires_grad
    }

    /// The gradient that backward has left here, if any.
    pub fn grad(&self) -> Option<Tensor> {
        self.state().grad.clone()
    }

    /// Puts a gradient here (or takes it away).
    pub fn set_grad(&self, grad: Option<Tensor>) {
        let old = std::mem::replace(&mut self.state().grad, grad);
        drop(old);
    }

    /// Forgets the gradient.
    pub fn zero_grad(&self) {
        self.set_grad(None);
    }

    // ---- Recording ---------------------------------------------------

    /// Applies a function to tensors, and leaves the note by which gradients will find their way back.
    pub fn apply(mut function: impl Function + 'static, inputs: &[&Tensor]) -> Tensor {
        let mut lazydata: Vec<LazyBuffer> = Vec::with_capacity(inputs.len());
        let (mut any, mut unset) = (false, false);
        for tensor in inputs {
            let state = tensor.state();
            lazydata.push(state.lazydata.clone());
            any |= state.requires_grad == Some(true);
            unset |= state.requires_grad.is_none();
        }
        let result = function.forward(&lazydata);
        // An integer or bool result (a comparison, a cast) has no slope: the graph ends here.
        let any = any && !NO_GRAD.get() && result.dtype().is_float();
        let requires_grad = match (any, unset && !NO_GRAD.get()) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        };
        let context = any.then(|| {
            Arc::new(Context {
                function: Box::new(function),
                parents: inputs.iter().map(|&tensor| tensor.clone()).collect(),
                needs: inputs
                    .iter()
                    .map(|tensor| tensor.needs_grad() == Some(true))
                    .collect(),
            })
        });
        Tensor::with_state(TensorState {
            lazydata: result,
            grad: None,
            requires_grad,
            context,
            freed: false,
        })
    }

    pub(crate) fn context(&self) -> Option<Arc<Context>> {
        self.state().context.clone()
    }

    /// The name of the function that made this tensor, and the tensors it was made of: what a picture of the graph needs.
    pub fn made_by(&self) -> Option<(&'static str, Vec<Tensor>)> {
        self.context()
            .map(|context| (context.function.name(), context.parents.clone()))
    }

    // ---- Walking back ------------------------------------------------

    /// All tensors with a context that this one was made of, itself last: each after all of its own parents.
    pub fn deepwalk(&self) -> Vec<Tensor> {
        let mut order = Vec::new();
        let mut visited = HashSet::new();
        // Depth first with a stack of our own: a tensor is pushed, its parents on top of it, and is done when it comes up again.
        let mut stack = vec![(self.clone(), false)];
        while let Some((tensor, parents_done)) = stack.pop() {
            if parents_done {
                order.push(tensor);
                continue;
            }
            let Some(context) = tensor.context() else {
                continue;
            };
            if !visited.insert(Arc::as_ptr(&tensor.0)) {
                continue;
            }
            stack.push((tensor, true));
            stack.extend(
                context
                    .parents
                    .iter()
                    .rev()
                    .map(|parent| (parent.clone(), false)),
            );
        }
        order
    }

    /// Computes the gradient of this scalar with respect to every tensor that it came from and that requires one, and adds it to
    /// their `grad`. Lazily: nothing runs until a gradient is asked for its values.
    ///
    /// The graph that was walked is freed, so that its memory can go.
    ///
    /// # Panics
    /// If this is not a single element; if nothing that it came from requires a gradient; or if a backward has been through
    /// any part of this graph already.
    #[track_caller]
    pub fn backward(&self) {
        if self.numel() != 1 {
            fail!("backward", "shape {:?} has {} elements, and a gradient is of one number", self.shape(), self.numel(); "sum or average it first");
        }
        if self.needs_grad() != Some(true) {
            fail!(State: "backward", "nothing that this tensor came from requires a gradient"; "tensor.requires_grad(true), or put it into an optimizer, before computing with it");
        }
        let order = self.deepwalk();
        let parents = order
            .iter()
            .filter_map(Tensor::context)
            .flat_map(|context| context.parents.clone());
        if self.state().freed
            || parents
                .into_iter()
                .any(|parent| parent.state().freed && parent.context().is_none())
        {
            fail!(State: "backward", "a backward has already been through this graph and has freed it"; "compute the loss anew, or add both losses and go back once");
        }
        let picture = watch::before_backward(self);
        let one = self.lazydata().const_like(1);
        self.add_grad(one);
        for tensor in order.iter().rev() {
            let (context, grad) = {
                let mut state = tensor.state();
                state.freed = true;
                (state.context.take(), state.grad.clone())
            };
            let (Some(context), Some(grad)) = (context, grad) else {
                continue;
            };
            let grads = context.function.backward(&grad.lazydata(), &context.needs);
            debug_assert_eq!(
                grads.len(),
                context.parents.len(),
                "{}: one gradient a parent",
                context.function.name()
            );
            for (parent, grad) in context.parents.iter().zip(grads) {
                if let Some(grad) = grad
                    && parent.needs_grad() == Some(true)
                {
                    parent.add_grad(grad);
                }
            }
        }
        picture.iter().for_each(watch::after_backward);
    }

    /// The gradients of this scalar with respect to some of the tensors that it came from: given back, and not left in their `grad`. The graph
    /// stays, to be walked again. A tensor of more elements needs `seed`, the gradient of whatever comes after it.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([3.0]).requires_grad(true);
    /// let y = &x * &x;
    /// let z = &y * 5.0;
    /// let grads = z.gradient(&[&x, &y], None);
    /// assert_eq!((grads[0].item::<f32>(), grads[1].item::<f32>()), (30.0, 5.0)); // 5 · 2x, 5
    /// assert!(x.grad().is_none());
    /// ```
    /// # Panics
    /// As [`Tensor::backward`]; and if a target is nothing that this tensor came from, or requires no gradient.
    #[track_caller]
    pub fn gradient(&self, targets: &[&Tensor], seed: Option<&Tensor>) -> Vec<Tensor> {
        let own = self.lazydata();
        let start = match seed {
            Some(seed) if seed.shape() == own.shape() => seed.cast(own.dtype()).lazydata(),
            None if self.numel() == 1 => own.const_like(1),
            _ => {
                fail!("gradient", "shape {:?} and a seed of shape {:?}", own.shape(), seed.map(Tensor::shape); "one number needs none, else it has the tensor's shape")
            }
        };
        let mut grads: HashMap<usize, LazyBuffer> = HashMap::new();
        grads.insert(self.id(), start);
        for tensor in self.deepwalk().iter().rev() {
            let grad = grads.get(&tensor.id()).cloned();
            let (Some(context), Some(grad)) = (tensor.context(), grad) else {
                continue;
            };
            let parts = context.function.backward(&grad, &context.needs);
            for (parent, part) in context.parents.iter().zip(parts) {
                let Some(part) = part.filter(|_| parent.needs_grad() == Some(true)) else {
                    continue;
                };
                let sum = match grads.remove(&parent.id()) {
                    None => part,
                    Some(before) => before.e(crate::ops::BinaryOps::Add, &[&part]),
                };
                grads.insert(parent.id(), sum);
            }
        }
        let mut found = Vec::with_capacity(targets.len());
        for (i, target) in targets.iter().enumerate() {
            match grads.get(&target.id()) {
                Some(grad) => found.push(Tensor::from_lazy(grad.clone()).requires_grad(false)),
                None => {
                    fail!(State: "gradient", "target {i} of shape {:?} is nothing that this tensor came from", target.shape(); "and it must require a gradient")
                }
            }
        }
        found
    }

    /// Law 1.
    fn add_grad(&self, grad: LazyBuffer) {
        let mut state = self.state();
        assert_eq!(
            grad.shape(),
            state.lazydata.shape(),
            "a gradient has its tensor's shape"
        );
        assert_eq!(
            grad.dtype(),
            state.lazydata.dtype(),
            "a gradient has its tensor's dtype"
        );
        let sum = match &state.grad {
            None => grad,
            Some(before) => before.lazydata().e(crate::ops::BinaryOps::Add, &[&grad]),
        };
        let tensor = Tensor::from_lazy(sum);
        tensor.state().requires_grad = Some(false);
        state.grad = Some(tensor);
    }
}
