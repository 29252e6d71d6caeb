//! Which buffers can share one allocation: those whose lives do not meet.

use super::record::{Dispatch, Node, Role};
use std::ops::Range;

/// Gives every node but a host's a slot, and returns the slots' labels and sizes in bytes. Scratch
/// nodes share slots over time, never within one dispatch; the others have one each. What is used both within and
/// without the dispatches that are `repeated` lives to the end of the last repetition.
pub fn assign(
    nodes: &mut [Node],
    dispatches: &[Dispatch],
    repeated: &Range<usize>,
) -> Vec<(&'static str, u64)> {
    let mut slots: Vec<(&'static str, u64)> = Vec::new();
    for node in nodes.iter_mut().filter(|n| !matches!(n.role, Role::Scratch | Role::External(_))) {
        node.slot = slots.len();
        slots.push((node.label, node.bytes));
    }
    let uses = |i: usize, d: &Dispatch| d.bound.iter().any(|b| b.buffer().is_some_and(|b| b.0 == i));
    let mut lives: Vec<(usize, usize, usize)> = (0..nodes.len())
        .filter(|&i| matches!(nodes[i].role, Role::Scratch))
        .map(|i| {
            let first = dispatches.iter().position(|d| uses(i, d)).unwrap_or(0);
            let last = dispatches.iter().rposition(|d| uses(i, d)).unwrap_or(0);
            match repeated {
                Range { start, end } if first < *start && last >= *start => (first, last.max(end - 1), i),
                Range { start, end } if (*start..*end).contains(&first) && last >= *end => (*start, last, i),
                _ => (first, last, i),
            }
        })
        .collect();
    lives.sort_unstable();

    let mut free: Vec<usize> = Vec::new();
    let mut busy: Vec<(usize, usize)> = Vec::new();
    for (first, last, i) in lives {
        busy.retain(|&(until, slot)| {
            let still = until >= first;
            if !still {
                free.push(slot);
            }
            still
        });
        let need = nodes[i].bytes;
        // The slot that wastes least, or else the one that has to grow least.
        let best = (0..free.len()).min_by_key(|&k| {
            let size = slots[free[k]].1;
            (size < need, size.abs_diff(need))
        });
        let slot = match best {
            Some(k) => free.swap_remove(k),
            None => {
                slots.push((nodes[i].label, 0));
                slots.len() - 1
            }
        };
        slots[slot].1 = slots[slot].1.max(need);
        nodes[i].slot = slot;
        busy.push((last, slot));
    }
    slots
}
