//! What components keep, each made once for every type.
//!
//! yew's own hooks are compiled anew for each type that they hold and each closure that they run, about
//! a kilobyte of wasm every time; these reach them through one type.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use yew::functional::{Hook, UseForceUpdateHandle};
use yew::prelude::{Reducible, hook, use_effect_with, use_force_update, use_memo, use_mut_ref};

type Erased = Rc<dyn Any>;

/// A value that a component holds, and the way to draw it anew.
#[derive(Clone)]
struct Held {
    value: Rc<RefCell<Erased>>,
    draw: UseForceUpdateHandle,
}

impl Held {
    #[inline(never)]
    fn now(&self) -> Erased {
        self.value.borrow().clone()
    }

    fn typed<T: 'static>(&self) -> Option<Rc<T>> {
        self.now().downcast().ok()
    }

    #[inline(never)]
    fn put(&self, next: Erased) {
        let before = self.value.replace(next.clone());
        if !Rc::ptr_eq(&before, &next) {
            self.draw.force_update();
        }
    }
}

#[hook]
fn use_held(first: Box<dyn FnOnce() -> Erased>) -> Held {
    Held { value: use_mut_ref(first), draw: use_force_update() }
}

/// A state that actions change.
pub struct Store<S> {
    shown: Rc<S>,
    tell: Tell<S>,
}

/// Tells a store what happened.
pub struct Tell<S> {
    held: Held,
    of: PhantomData<fn(S)>,
}

/// A state of this component's own; it is drawn anew whenever an action has made another.
#[hook]
pub fn use_store<S: Reducible + 'static>(first: fn() -> S) -> Store<S> {
    let held = use_held(Box::new(move || Rc::new(first())));
    let shown = held.typed().unwrap_or_else(|| Rc::new(first()));
    Store { shown, tell: Tell { held, of: PhantomData } }
}

impl<S: Reducible + 'static> Store<S> {
    /// The way to tell it what happened.
    pub fn teller(&self) -> Tell<S> {
        self.tell.clone()
    }

    /// As it is by now, where what was drawn may be older.
    pub fn latest(&self) -> Rc<S> {
        self.tell.held.typed().unwrap_or_else(|| self.shown.clone())
    }
}

impl<S: Reducible + 'static> Tell<S> {
    /// Reduces the state at once.
    pub fn dispatch(&self, action: S::Action) {
        if let Some(state) = self.held.typed::<S>() {
            self.held.put(state.reduce(action));
        }
    }
}

/// As it was drawn.
impl<S> Deref for Store<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.shown
    }
}

impl<S> Clone for Store<S> {
    fn clone(&self) -> Self {
        Self { shown: self.shown.clone(), tell: self.tell.clone() }
    }
}

impl<S: PartialEq> PartialEq for Store<S> {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

impl<S> Clone for Tell<S> {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), of: PhantomData }
    }
}

/// A value that is set as a whole.
pub struct Value<T> {
    shown: Rc<T>,
    set: Set<T>,
}

/// Sets a value.
pub struct Set<T> {
    held: Held,
    of: PhantomData<fn(T)>,
}

/// A value of this component's own; it is drawn anew whenever another one is set.
#[hook]
pub fn use_value<T: PartialEq + 'static>(first: fn() -> T) -> Value<T> {
    let held = use_held(Box::new(move || Rc::new(first())));
    let shown = held.typed().unwrap_or_else(|| Rc::new(first()));
    Value { shown, set: Set { held, of: PhantomData } }
}

impl<T> Value<T> {
    /// The way to set it.
    pub fn setter(&self) -> Set<T> {
        Set { held: self.set.held.clone(), of: PhantomData }
    }
}

impl<T: PartialEq + 'static> Set<T> {
    /// Nothing happens when it is equal.
    pub fn set(&self, value: T) {
        if self.held.typed::<T>().is_none_or(|now| *now != value) {
            self.held.put(Rc::new(value));
        }
    }
}

impl<T> Deref for Value<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.shown
    }
}

/// What an effect or a kept value depends on.
struct Cause {
    value: Erased,
    same: fn(&dyn Any, &dyn Any) -> bool,
}

impl Cause {
    fn of<C: PartialEq + 'static>(cause: C) -> Self {
        let same = |one: &dyn Any, other: &dyn Any| {
            one.downcast_ref::<C>().is_some_and(|one| other.downcast_ref() == Some(one))
        };
        Self { value: Rc::new(cause), same }
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        (self.same)(&*self.value, &*other.value)
    }
}

/// What an effect leaves running, until it is dropped.
type Lasting = Box<dyn Any>;

type Run = Box<dyn FnOnce(&dyn Any) -> Lasting>;

/// Runs after the first drawing, and again after each that finds another cause. What it returns lasts
/// until then, or until the component goes.
pub fn use_effect_of<C: PartialEq + 'static, E: 'static>(
    cause: C,
    run: impl FnOnce(&C) -> E + 'static,
) -> impl Hook<Output = ()> {
    let run = move |cause: &dyn Any| -> Lasting { Box::new(cause.downcast_ref().map(run)) };
    use_erased_effect(Cause::of(cause), Box::new(run))
}

#[hook]
fn use_erased_effect(cause: Cause, run: Run) {
    use_effect_with(cause, move |cause: &Cause| {
        let lasting = run(&*cause.value);
        move || drop(lasting)
    });
}

/// Runs when it is dropped.
pub struct AtEnd(Option<Box<dyn FnOnce()>>);

/// For an effect that has something to undo.
pub fn at_end(run: impl FnOnce() + 'static) -> AtEnd {
    AtEnd(Some(Box::new(run)))
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run();
        }
    }
}

/// Made once, and again whenever its cause is another.
#[hook]
pub fn use_kept<C, T>(cause: C, make: impl Fn(&C) -> T) -> T
where
    C: PartialEq + Clone + 'static,
    T: Clone + 'static,
{
    let erased = |cause: &dyn Any| -> Erased { Rc::new(cause.downcast_ref().map(&make)) };
    let kept = use_erased_memo(Cause::of(cause.clone()), &erased);
    kept.downcast_ref::<Option<T>>().cloned().flatten().unwrap_or_else(|| make(&cause))
}

#[hook]
fn use_erased_memo(cause: Cause, make: &dyn Fn(&dyn Any) -> Erased) -> Erased {
    (*use_memo(cause, |cause| make(&*cause.value))).clone()
}
