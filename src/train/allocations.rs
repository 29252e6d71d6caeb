//! A training step on the processor allocates nothing once it has run before.

use super::{Learned, TrainStep};
use crate::device::Device;
use crate::dime::MseTv;
use crate::kernel::form::Chooser;
use crate::nn::{Network, NormKind, Unet, UnetSettings, Weights};
use crate::plan::{Checks, Pipelines};
use crate::processor::Processor;
use crate::size::Size;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts the allocations of each thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has no counter any more.
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn a_step_that_has_run_before_allocates_nothing() {
    // All kernels run on the thread that counts.
    let device =
        Device::processor(Processor { threads: Some(1), instructions: None }).expect("the processor");
    let chooser = Chooser::new(&Pipelines::new(&device, Checks::Off));
    // Few channels, whose convolutions are plain sums, and more, whose convolutions go by tiles.
    for chans in [4, 32] {
        let unet = Unet::new(UnetSettings { chans, norm: NormKind::Batch, ..Default::default() })
            .expect("a network");
        let learned = Learned::new(&device, &Weights::random(unet, 1)).expect("weights");
        let (batch, image, objective) = (16, Size::square(16), MseTv { total_variation: 0.01 });
        let step =
            TrainStep::new(&chooser, &learned, (batch, image), &objective, Default::default(), &|_, _| {})
                .expect("a step");
        let pixels = batch * image.pixels();
        let [input, truth, mask] = [2, 1, 1].map(|c| vec![0.5; c * pixels]);
        step.run(&[&input, &truth, &mask], 1, 1, 3e-4).expect("run");
        let again = allocations(|| step.plan().run().expect("run"));
        assert_eq!(again, 0, "{chans} channels");
    }
    assert!(allocations(|| drop(std::hint::black_box(vec![1]))) > 0, "allocations are counted");
}
